"""A mailbox that no mail can name keeps nobody else from his link, and its holder from nothing but the mail."""

from __future__ import annotations

import pytest

from cms.models import Certificate, Holder, LinkRequest
from cms.services import codes, links, visits
from cms.states import CertificateStatus, HoldCause, LinkPurpose, VisitKind
from notifications.models import OutboxMessage
from renewals.services import self_service
from renewals.services.self_service import Wanted
from tests.panel.town import NOW, Town

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def town(committed, clock):
    clock.instant = NOW
    return Town()


def unwritable(holder):
    Holder.objects.filter(pk=holder.pk).update(email='"a.b"@example.org', email_key='"a.b"@example.org')
    return holder


def test_links_go_to_all_the_others(town):
    bad, good = unwritable(town.case().holder), town.case().holder
    for number, person in enumerate((bad, good)):
        links.ask_link(person.tax_code, LinkPurpose.REOPEN, origin=f"192.0.2.{number}", now=NOW)

    assert links.answer_requests(now=NOW) == 1

    assert list(OutboxMessage.objects.filter(kind="holder-link").values_list("holder_id", flat=True)) == [good.pk]
    assert not bad.links.exists()
    assert not LinkRequest.objects.filter(answered_at=None).exists()


def test_the_holder_is_told_of_his_closed_path_or_the_others_are(town):
    bad, good = unwritable(town.case().holder), town.case().holder
    for person in (bad, good):
        for _ in range(codes.MOST_FAILURES):
            codes._entered(person.tax_code, "AAAAAAAAAAAAAA", now=NOW)

    codes.tell_closed(now=NOW)

    assert list(OutboxMessage.objects.filter(kind="code-closed").values_list("holder_id", flat=True)) == [good.pk]


def test_a_further_suspension_needs_no_mail(town):
    case = town.completed(town.case())
    holder = unwritable(case.holder)
    token = visits.open_visit(holder_id=holder.pk, kind=VisitKind.USER_CODE, now=NOW)
    visit = visits.visit_of(token, NOW)
    half = case.new_pair.certificates.order_by("pk").first()
    half.holds.create(cause=HoldCause.OPERATOR, placed_at=NOW, lapses_at=case.old_not_after)
    Certificate.objects.filter(pk=half.pk).update(status=CertificateStatus.HELD, held_at=NOW)

    wanted = Wanted(case.new_pair.public_id, frozenset({half.type}))
    assert self_service.suspend_certificates(wanted, visit=visit, now=NOW) == [half]
