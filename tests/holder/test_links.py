"""Links to the registered mailbox: sent to who is known and has one, the same answer for all, good once."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections

from cms.errors import (
    CardUnknown,
    CodeRefused,
    DomainError,
    LinkExpired,
    LinkUnknown,
    LinkUsed,
    TriesTooMany,
    VisitTooWeak,
)
from cms.models import CodeAttempts, Event, Holder, HolderLink, HolderVisit, LinkRequest
from cms.services import codes, links, visits
from cms.states import LinkPurpose
from cms.tasks import forget_visits, write_to_holders
from notifications.models import OutboxMessage
from runtime import sealing
from tests.panel.town import NOW, Town, tax_code

pytestmark = pytest.mark.usefixtures("committed")
NOBODY = tax_code("NNNNNN", 1)
HERE = "192.0.2.7"


@pytest.fixture
def town(committed, clock):
    clock.instant = NOW
    return Town()


@pytest.fixture
def holder(town) -> Holder:
    return town.case().holder


@pytest.fixture
def code(holder) -> str:
    return codes.renew_user_code(holder, at=NOW - timedelta(days=30))


def asked(who: str, purpose: str = LinkPurpose.REOPEN, *, origin: str = HERE, now=NOW) -> None:
    links.ask_link(who, LinkPurpose(purpose), origin=origin, now=now)


def letters() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(kind="holder-link").order_by("created_at", "pk"))


def token_in(letter: OutboxMessage) -> str:
    """The token, as the holder reads it in his mail."""
    sealed = sealing.unseal(letter.sealed_context, context=letter.seal_context)
    url = json.loads(sealed)["link_url"]
    return re.fullmatch(r".*/titolare/collegamento/([\w-]{43})/", url)[1]


def sent(holder: Holder, purpose: str = LinkPurpose.REOPEN) -> str:
    """The token of a link that was just sent."""
    asked(holder.tax_code, purpose)
    write_to_holders()
    newest = HolderLink.objects.latest("pk")
    return token_in(OutboxMessage.objects.get(key=f"holder-link:{newest.uid}"))


def entered(token: str) -> HolderVisit:
    return visits.visit_of(links.use_link(token, now=NOW), NOW)


def lock_out(holder: Holder) -> None:
    for _ in range(10):
        with pytest.raises(CodeRefused):
            codes.enter_with_code(holder.tax_code, "X", now=NOW)


def test_the_link_goes_to_the_registered_mailbox_with_its_token_sealed(holder):
    token = sent(holder)
    [letter] = letters()
    assert (letter.recipient, letter.language) == (holder.email, "it")
    link = HolderLink.objects.get()
    assert link.expires_at == NOW + timedelta(hours=24)
    kept = str(list(HolderLink.objects.values_list())) + str(list(LinkRequest.objects.values_list()))
    kept += str(list(Event.objects.values_list())) + str(letter.context)
    assert token not in kept
    assert holder.tax_code not in kept
    assert Event.objects.get(verb="holder-link.sent").holder_id == holder.pk


def test_asking_says_and_does_the_same_for_everybody(town, holder):
    without = town.person()
    Holder.objects.filter(pk=without.pk).update(email=None, email_key=None)
    statements: list[list[str]] = []
    for who in (holder.tax_code, without.tax_code, NOBODY):
        statements.append([])

        def note(execute, sql, params, many, context, kept=statements[-1]):
            kept.append(re.sub(r"NULL|%s", "?", sql))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            asked(who)
    assert statements[0] == statements[1] == statements[2]
    write_to_holders()
    assert [letter.recipient for letter in letters()] == [holder.email]
    assert not LinkRequest.objects.filter(answered_at__isnull=True).exists()


def test_one_person_gets_five_links_an_hour_however_often_they_are_asked(holder, clock):
    for number in range(8):
        asked(holder.tax_code, origin=f"198.51.100.{number}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: (write_to_holders(), connections.close_all()), range(4)))
    assert len(letters()) == 5
    clock.instant = NOW + timedelta(minutes=61)
    asked(holder.tax_code, now=clock.instant)
    write_to_holders()
    assert len(letters()) == 6


def test_one_address_asks_twenty_times_an_hour_also_all_at_once(holder, settings):
    def ask(number: int) -> str:
        try:
            asked(tax_code("NNNNNN", number))
        except DomainError as refusal:
            return refusal.reason_code
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(ask, range(50)))
    assert told.count("") == settings.CMS.holder_link_wishes_an_hour
    assert set(told) == {"", TriesTooMany.code}
    asked(holder.tax_code, origin="203.0.113.5")
    asked(holder.tax_code, now=NOW + timedelta(minutes=61))


def test_looking_at_a_link_uses_nothing_up(holder):
    token = sent(holder)
    for _ in range(3):
        assert links.link_behind(token, now=NOW).purpose == "reopen"
    assert entered(token).holder == holder


def test_of_fifty_uses_at_once_one_succeeds(holder):
    token = sent(holder)

    def use(_: int) -> str:
        try:
            links.use_link(token, now=NOW)
        except DomainError as refusal:
            return refusal.reason_code
        finally:
            connections.close_all()
        return "in"

    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(use, range(50)))
    assert (told.count("in"), told.count(LinkUsed.code)) == (1, 49)
    assert HolderVisit.objects.count() == 1


def test_links_end_after_a_day_and_unknown_ones_are_none(holder):
    token = sent(holder)
    with pytest.raises(LinkExpired):
        links.use_link(token, now=NOW + timedelta(hours=24))
    with pytest.raises(LinkUnknown):
        links.use_link("x" * 43, now=NOW)
    assert not HolderVisit.objects.exists()


def test_a_newer_link_leaves_the_older_one_good(holder):
    """Else whoever asks for links in another's name could keep him from using any."""
    first = sent(holder)
    sent(holder)
    assert entered(first).holder == holder


def test_the_link_opens_the_code_path_again(holder, code):
    lock_out(holder)
    visit = entered(sent(holder))
    assert links.reopen_code(visit, now=NOW)
    assert not links.reopen_code(visit, now=NOW)
    assert codes.enter_with_code(holder.tax_code, code, now=NOW)
    assert Event.objects.get(verb="user-code.reopened").channel == "holder-page"


def test_a_new_code_needs_the_number_of_a_card_of_the_holders(town, holder, code):
    serial = holder.cards.get().serial
    other = town.case().card.serial
    visit = entered(sent(holder, LinkPurpose.REISSUE))
    for wrong in (other, serial[:-1], ""):
        with pytest.raises(CardUnknown):
            links.reissue_code(visit, wrong, now=NOW)
    assert links.reissue_code(visit, f"{serial[:4]} {serial[4:]}", now=NOW)
    assert OutboxMessage.objects.filter(kind="user-code", recipient=holder.email).count() == 1
    with pytest.raises(CodeRefused):
        codes.enter_with_code(holder.tax_code, code, now=NOW)
    assert visits.visit_of("", NOW) is None
    assert HolderVisit.objects.filter(ended_at__isnull=True).count() == 0


def test_ten_wrong_card_numbers_close_the_reissue_until_an_operator_issues_a_code(town, holder):
    serial = holder.cards.get().serial
    visit = entered(sent(holder, LinkPurpose.REISSUE))
    for _ in range(10):
        with pytest.raises(CardUnknown):
            links.reissue_code(visit, "1", now=NOW)
    with pytest.raises(CardUnknown):
        links.reissue_code(visit, serial, now=NOW)
    codes.reissue_code(holder.pk, centre_id=town.centre.pk, operator=town.operator, now=NOW)
    again = entered(sent(holder, LinkPurpose.REISSUE))
    assert links.reissue_code(again, serial, now=NOW + timedelta(minutes=2))


def test_a_way_that_wrong_card_numbers_closed_stays_closed_and_sends_no_word_of_the_code(holder, clock):
    """The code still works, so nobody is told that it does not; a month later the way is as closed as before."""
    visit = entered(sent(holder, LinkPurpose.REISSUE))
    for _ in range(10):
        with pytest.raises(CardUnknown):
            links.reissue_code(visit, "1", now=NOW)
    write_to_holders()
    assert not OutboxMessage.objects.filter(kind="code-closed").exists()
    assert not Event.objects.filter(verb="user-code.closed").exists()

    clock.instant = NOW + timedelta(days=31)
    forget_visits()

    again = entered(sent(holder, LinkPurpose.REISSUE))
    with pytest.raises(CardUnknown):
        links.reissue_code(again, holder.cards.get().serial, now=clock.instant)
    assert not CodeAttempts.objects.filter(closed_at__isnull=False, told_at__isnull=True).exists()


def test_what_a_link_allows_is_what_it_was_asked_for(holder):
    reopening = entered(sent(holder))
    with pytest.raises(VisitTooWeak):
        links.reissue_code(reopening, holder.cards.get().serial, now=NOW)
    reissuing = entered(sent(holder, LinkPurpose.REISSUE))
    with pytest.raises(VisitTooWeak):
        links.reopen_code(reissuing, now=NOW)


def test_a_visit_by_code_neither_reopens_nor_reissues(holder, code):
    visit = visits.visit_of(codes.enter_with_code(holder.tax_code, code, now=NOW), NOW)
    with pytest.raises(VisitTooWeak):
        links.reopen_code(visit, now=NOW)
    with pytest.raises(VisitTooWeak):
        links.reissue_code(visit, holder.cards.get().serial, now=NOW)


def test_old_links_wishes_and_visits_are_forgotten(holder, clock):
    entered(sent(holder))
    asked(NOBODY)
    write_to_holders()
    clock.instant = NOW + timedelta(days=32)
    forget_visits()
    assert not HolderLink.objects.exists()
    assert not LinkRequest.objects.exists()
    assert not HolderVisit.objects.exists()
