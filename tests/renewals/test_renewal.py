"""A renewal from the first scan to the proof of installation."""

from __future__ import annotations

from datetime import UTC, datetime

from cms.models import Certificate, Event, Stock
from notifications.models import OutboxMessage
from pki.x509 import read_certificate
from renewals.models import RenewalCase


def test_a_card_renews_step_by_step(enrolment, world):
    """The server names each next step; at the end the pair is active, debited, and nobody has lost a day."""
    assert enrolment.scan().json()["verdict"] == "renewable"

    enrolment.until("done")

    case = RenewalCase.objects.get()
    assert case.state == "completed"
    assert case.authorisation == "pending"
    assert {half.status for half in Certificate.objects.filter(pair=case.new_pair)} == {"active"}
    assert {(row.free, row.reserved) for row in Stock.objects.all()} == {(9, 0)}
    for der in enrolment.certificates().values():
        assert read_certificate(der).not_after == datetime(2029, 3, 31, 8, 30, 15, tzinfo=UTC)


def test_every_fact_of_a_renewal_stands_in_the_events(enrolment):
    """Ricerca eventi can tell the whole story of a case."""
    enrolment.until("done")

    verbs = list(Event.objects.exclude(case_code="").order_by("id").values_list("verb", flat=True))

    assert verbs == [
        "case.opened",
        "case.diagnosed",
        "case.contacts-changed",
        "case.terms-accepted",
        "case.form-rendered",
        "case.signed",
        "case.requests-received",
        "certificate.issued",
        "certificate.issued",
        "case.completed",
    ]


def test_a_renewal_posts_its_mails_once(enrolment):
    """Notice at opening, the signed form, and the renewal with the user code."""
    enrolment.until("done")

    kinds = sorted(OutboxMessage.objects.values_list("kind", flat=True))

    assert kinds == ["renewal-done-to-authorise", "renewal-notice", "signed-form"]


def test_every_step_can_be_repeated(enrolment):
    """A client that lost an answer asks again and gets the present case, with nothing done twice."""
    enrolment.until("done")
    enrolment.install()
    again = enrolment.call("get", "/case")

    assert again.json()["next_step"] == "done"
    assert RenewalCase.objects.count() == 1
    assert Certificate.objects.count() == 4
