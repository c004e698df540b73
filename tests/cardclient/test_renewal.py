"""A renewal from card to Completato on a simulated card and an office in memory."""

from __future__ import annotations

import hashlib

import pytest
from cryptography import x509

from cardclient import simulated_state
from cardclient.contract import Slot
from cardclient.errors import Declined, NotRenewable
from cardclient.naming import ObjectName
from cardclient.ports import ObjectKind, Phase
from tests.cardclient.fake_office import CODE
from tests.cardclient.recording_screen import RecordingScreen


def objects(card, kind):
    return simulated_state.load(card.path).of(kind)


def require_renewed(card, office):
    """Exactly one new pair and certificate per slot, nothing of the old ones, one certificate issued each."""
    ids = {ObjectName(CODE, slot, True).id.hex() for slot in Slot}
    for kind in ObjectKind:
        assert sorted(each.id for each in objects(card, kind)) == sorted(ids)
    held = {each.der for each in objects(card, ObjectKind.CERTIFICATE)}
    assert held == set(office.certificates.values())
    assert office.is_complete


def test_a_renewal_ends_with_one_new_pair_per_slot_and_none_of_the_old(card, office, renew, screen):
    outcome = renew(screen)

    assert outcome.case.state_label == "Completato"
    assert outcome.removed == 2
    require_renewed(card, office)


def test_phases_are_named_in_order(renew, screen):
    renew(screen)
    without_confirmation = [phase for phase in Phase if phase not in {Phase.CONFIRMATION, Phase.CERTIFICATES}]
    assert screen.phases == without_confirmation


def test_the_form_shown_is_the_form_signed(renew, screen, office):
    renew(screen)
    assert screen.shown_pdf == office.pdf


def test_all_four_texts_are_shown_before_they_are_accepted(renew, screen):
    renew(screen)
    assert set(screen.shown_texts) == {"contract", "clauses", "privacy", "encryption-warning"}


def test_texts_not_accepted_end_the_run_with_the_card_untouched(card, renew, screen):
    screen.accepts = False
    before = objects(card, ObjectKind.PRIVATE_KEY)
    with pytest.raises(Declined):
        renew(screen)
    assert objects(card, ObjectKind.PRIVATE_KEY) == before


def test_a_second_run_says_the_card_is_already_renewed(renew, office):
    office.flow = "extend"
    renew()
    with pytest.raises(NotRenewable) as refusal:
        renew()
    assert refusal.value.message == "Certificato già rinnovato per la carta"


def test_a_card_that_keeps_its_pairs_keeps_them(card, office, renew):
    office.flow = "extend"
    assert renew().removed == 0
    assert len(objects(card, ObjectKind.PRIVATE_KEY)) == 4


def test_a_changed_mailbox_is_confirmed_by_the_mailed_code(renew, screen):
    screen.contacts = [{"email": "nuova@example.org"}]
    screen.codes = ["000000", "123456"]
    renew(screen)
    assert Phase.CONFIRMATION in screen.phases


def test_a_refused_contact_is_asked_for_again_with_the_reason(renew, screen):
    screen.contacts = [{"mobile": "+393330000000"}, {}]
    screen.contacts[1] = {"mobile": "+393331234567"}
    renew(screen)
    assert screen.contact_problem == "contact-taken"


def test_certificates_that_come_later_are_waited_for_at_the_offices_pace(card, office, renew, screen):
    office.polls_before_issue = 3
    renew(screen)
    require_renewed(card, office)


def test_the_subject_of_the_request_is_the_old_one(office, renew, card):
    import base64
    import json

    renew()
    body = next(json.loads(content) for method, path, content in office.seen if path == "/case/requests")
    request = x509.load_der_x509_csr(base64.b64decode(body["requests"][0]["csr"]))
    old = x509.load_der_x509_certificate(card.old[Slot.AUTHENTICATION])
    assert request.subject == old.subject


def test_rsa_keys_renew_too(card, office, renew):
    office.key = {"kind": "rsa", "bits": 2048}
    renew()
    require_renewed(card, office)


def test_the_family_that_needs_it_is_told_to_reinsert_the_card(office, renew, screen):
    office.reinsert, office.secrets = True, ["pin", "puk"]
    renew(screen)
    assert "reinsert" in screen.notices
    assert office.diagnosis["puk"] == "ok"


def test_the_same_case_names_its_objects_the_same_way():
    first, second = ObjectName(CODE, Slot.SIGNATURE, True), ObjectName(CODE, Slot.SIGNATURE, False)
    assert first.id == second.id == hashlib.sha256(f"sigillo:{CODE}:signature".encode()).digest()[:20]


def test_a_fresh_screen_is_needed_for_each_run(renew):
    with pytest.raises(Exception, match="pin-needed"):
        renew(RecordingScreen())
