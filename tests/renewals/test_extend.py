"""Extending a TS-CNS over the API: from the scan to the new certificate, out of the campaign's own stock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.models import Certificate, Event, Pair, Stock, StockMovement
from notifications.catalog import Message
from notifications.models import OutboxMessage
from pki.x509 import read_certificate
from renewals import invariants, sweeps
from renewals.models import RenewalCase
from renewals.services import reminders
from renewals.states import Authorisation, CaseState
from tests.renewals.enrolment import Enrolment
from tests.renewals.extension import TARGET_END, Extension
from tests.renewals.world import OLD_NOT_AFTER


@pytest.fixture
def extension(world):
    return Extension(world)


def counter(extension) -> tuple[int, int]:
    row = Stock.objects.get(service=extension.issuing, type="authentication")
    return row.free, row.reserved


def test_the_scan_offers_an_extension_with_its_target_and_no_form(extension):
    home = extension.enrolment()
    scan = home.scan().json()

    (offer,) = scan["offers"]
    assert scan["verdict"] == "renewable"
    assert offer["flow"] == "extend"
    assert offer["new_not_after"] == "2026-12-31T22:59:59Z"
    assert (offer["campaign"], offer["sign_with"], offer["replaces"]) == ("Estensione", None, False)
    assert offer["steps"] == ["diagnosis", "acceptance", "requests", "certificates", "installation"]


def test_an_extension_ends_with_the_target_day_and_asks_nobody_for_an_authorisation(extension):
    home = extension.enrolment().until("done")

    case = RenewalCase.objects.get()
    half = case.new_pair.certificates.get()
    assert (case.state, case.authorisation) == (CaseState.COMPLETED, Authorisation.NOT_REQUIRED)
    assert (case.campaign, case.issuing_service) == (extension.campaign, extension.issuing)
    assert half.not_after == TARGET_END
    assert (
        read_certificate(bytes(half.body.der)).subject_cn
        == read_certificate(home.card.certificates["authentication"]).subject_cn
    )
    assert home.case["result"]["message"] == "Estensione conclusa: la carta può essere usata fino al 31/12/2026."
    assert home.case["approval"]["authorise_by"] is None


def test_accepting_the_terms_reserves_a_unit_of_the_campaign_and_the_installation_debits_it(extension):
    home = extension.enrolment().until("acceptance")
    assert counter(extension) == (5, 0)

    home.accept()
    assert (home.case["state"], home.case["next_step"]) == ("awaiting-installation", "requests")
    assert counter(extension) == (4, 1)

    home.until("done")
    assert counter(extension) == (4, 0)
    assert not StockMovement.objects.filter(stock__service=extension.service).exists()


def test_no_form_and_no_contacts_are_asked_and_neither_is_taken(extension):
    home = extension.enrolment().until("acceptance")

    assert home.call("post", "/case/form").status_code == 409
    assert home.contacts().json()["code"] == "step-not-open"


def test_terms_cannot_be_accepted_before_the_diagnosis(extension):
    home = extension.enrolment()
    home.login()

    assert home.accept().json()["code"] == "step-not-open"


def test_every_step_can_be_repeated_and_the_card_comes_back_to_where_it_was(extension):
    home = extension.enrolment().until("acceptance")
    home.accept()
    home.accept()
    home.request()
    home.request(home.card.new_keys)
    again = Enrolment(home.card)
    again.login()

    assert again.case["next_step"] == "installation"
    again.install()
    again.install()
    assert again.case["next_step"] == "done"
    assert (RenewalCase.objects.count(), Pair.objects.count()) == (1, 2)
    assert counter(extension) == (4, 0)


def test_an_empty_stock_is_told_before_the_card_is_touched_and_alerts_the_centre(world):
    extension = Extension(world, stock=0)
    home = extension.enrolment()
    home.login()

    assert home.diagnose().json()["code"] == "stock-empty"
    assert OutboxMessage.objects.filter(kind=Message.STOCK_EMPTY, recipient=world.centre.email).exists()


def test_the_last_unit_taken_meanwhile_is_told_at_the_acceptance_and_nothing_has_moved(world):
    extension = Extension(world, stock=1)
    late = extension.enrolment(1).until("acceptance")
    extension.enrolment(2).until("requests")

    assert late.accept().json()["code"] == "stock-empty"
    case = RenewalCase.objects.get(code=late.case["code"])
    assert (case.state, case.acceptances.count()) == (CaseState.NOTIFIED, 0)
    assert OutboxMessage.objects.filter(kind=Message.STOCK_EMPTY, case_code=case.code).exists()


def test_a_holder_without_a_contact_gets_no_mail_and_keeps_the_user_code_that_he_has(extension):
    holder = extension.silent_holder(1)
    holder.user_code_hash = "kept"
    holder.save()
    extension.enrolment(1, holder=holder).until("done")

    holder.refresh_from_db()
    assert (holder.user_code_hash, OutboxMessage.objects.count()) == ("kept", 0)


def test_a_holder_with_a_mailbox_is_told_of_the_end_and_of_a_new_user_code_alone(extension):
    extension.enrolment().until("done")

    assert list(OutboxMessage.objects.values_list("kind", flat=True)) == [Message.RENEWAL_DONE]


def test_an_extension_left_undone_is_neither_urged_nor_mourned_and_expires_with_the_old_certificate(extension):
    extension.enrolment().until("requests")
    late = OLD_NOT_AFTER + timedelta(seconds=1)
    for days in (20, 10, 3, 0):
        reminders.tell_due(now=OLD_NOT_AFTER - timedelta(days=days))
    sweeps.run_round(now=late)

    case = RenewalCase.objects.get()
    assert (case.state, counter(extension)) == (CaseState.EXPIRED, (5, 0))
    assert not OutboxMessage.objects.exists()


def test_the_clock_opens_no_extension_by_itself(extension):
    card = extension.card()
    Pair.objects.filter(pk=card.pair.pk).update(window_opens_at=extension.world.now)

    assert sweeps.open_windows(now=extension.world.now) == 1
    assert not RenewalCase.objects.exists()
    assert Pair.objects.get(pk=card.pair.pk).window_opens_at is None


def test_neither_the_old_pair_nor_the_new_one_waits_for_a_window(extension):
    extension.enrolment().until("done")

    assert set(Pair.objects.values_list("window_opens_at", flat=True)) == {None}


def test_the_signature_half_of_the_card_stays_as_it_is(extension):
    extension.service.types = ["authentication", "signature"]
    extension.service.save()
    home = extension.enrolment(types=("authentication", "signature"))
    shown = {each["type"]: each["verdict"] for each in home.scan().json()["certificates"]}
    home.login()
    home.diagnose()
    home.accept()
    home.request({"authentication": home.card.generate()["authentication"]})
    home.install({"authentication": home.card.new_keys["authentication"]})

    assert shown == {"authentication": "renewable", "signature": "not-renewable"}
    assert home.case["next_step"] == "done"
    assert [slot["type"] for slot in home.case["slots"]] == ["authentication"]
    assert list(RenewalCase.objects.get().new_pair.certificates.values_list("type", flat=True)) == ["authentication"]
    assert Certificate.objects.get(pair=home.card.pair, type="signature").status == "active"


def test_every_event_of_an_extension_stands_under_the_issuing_service(extension):
    extension.enrolment().until("done")

    verbs = Event.objects.filter(service=extension.issuing, case_code__gt="").values_list("verb", flat=True)
    assert {"case.opened", "case.diagnosed", "case.terms-accepted", "case.requests-received", "case.completed"} <= set(
        verbs
    )


def test_wrong_data_stop_the_case_and_the_centre_is_told_where_to_read_what_is_wrong(extension):
    home = extension.enrolment().until("acceptance")
    note = "Il mio cognome si scrive con due esse."
    body = {"reason": "holder-data-wrong", "note": note, "confirm": True}
    home.call("post", "/case/cancellation", body)
    home.call("post", "/case/cancellation", body)

    case = RenewalCase.objects.get()
    assert (case.state, case.close_reason, case.close_note) == (CaseState.CANCELLED, "holder-data-wrong", note)
    told = OutboxMessage.objects.get(kind=Message.DATA_REPORTED)
    assert (told.recipient, case.code in told.context["panel_url"]) == (extension.world.centre.email, True)
    assert note not in f"{told.context} {list(Event.objects.values_list('reason', 'facts'))}"


def test_a_note_of_more_than_three_hundred_letters_is_refused(extension):
    home = extension.enrolment().until("acceptance")
    body = {"reason": "holder-data-wrong", "note": "x" * 301, "confirm": True}

    assert home.call("post", "/case/cancellation", body).status_code == 422


def test_nothing_breaks_the_registers_own_invariants(extension):
    extension.enrolment(1).until("done")
    extension.enrolment(2).until("requests")
    extension.enrolment(3, holder=extension.silent_holder(3)).until("installation")

    assert list(invariants.breaches(now=extension.world.now)) == []
