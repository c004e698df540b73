"""A new mailbox that was mistyped, or whose code ran out, is never the end of a case: the contacts can be given again."""

from __future__ import annotations

import pytest

from cardclient.contract import ChangeContacts, Step
from cardclient.errors import InputNeeded, OfficeRefusal
from tests.cardclient.test_renewal import require_renewed

WRONG, RIGHT = "nuova@exmaple.example", "nuova@example.org"


def test_other_contacts_can_be_given_in_place_of_the_code(card, office, renew, screen):
    screen.contacts = [{"email": WRONG}, {"email": RIGHT}]
    screen.codes = [ChangeContacts(), "123456"]
    renew(screen)
    assert (office.email, office.codes_mailed) == (RIGHT, 2)
    require_renewed(card, office)


def test_the_code_is_asked_for_under_the_mailbox_it_went_to_also_in_the_next_run(office, renew, screen):
    screen.contacts, screen.codes = [{"email": WRONG}], []
    with pytest.raises(InputNeeded):
        renew(screen)
    assert screen.order[-1] == f"ask code of {WRONG}"
    screen.secrets, screen.order = type(screen)(pin="48273").secrets, []
    screen.contacts, screen.codes = [{"email": RIGHT}], [ChangeContacts(), "123456"]
    renew(screen)
    assert screen.proposed.email == WRONG
    assert f"ask code of {WRONG}" in screen.order
    assert office.email == RIGHT


def test_a_code_that_ran_out_leads_to_the_contacts_with_the_reason(office, renew, screen):
    office_says_stale(office)
    screen.contacts = [{"email": RIGHT}, {}]
    screen.codes = ["123456", "123456"]
    renew(screen)
    assert screen.contact_problem == "confirmation-expired"
    assert (office.email, office.codes_mailed) == (RIGHT, 2)


def test_asking_for_another_code_time_and_again_is_no_flow_that_stands_still(office, renew, screen):
    screen.contacts = [{"email": RIGHT}, {}, {}, {}, {}, {}]
    screen.codes = [*[ChangeContacts()] * 5, "123456"]
    renew(screen)
    assert office.codes_mailed == 6


def test_whoever_keeps_his_contacts_after_all_goes_back_to_the_code(office, renew, screen):
    screen.contacts = [{"email": RIGHT}, None]
    screen.codes = [ChangeContacts(), "123456"]
    renew(screen)
    assert (office.email, office.codes_mailed) == (RIGHT, 1)


def test_whoever_stops_at_a_code_that_ran_out_is_told_so(office, renew, screen):
    office_says_stale(office)
    screen.contacts, screen.codes = [{"email": RIGHT}, None], ["123456"]
    with pytest.raises(OfficeRefusal) as refusal:
        renew(screen)
    assert refusal.value.code == "confirmation-expired"


def test_the_old_mailbox_kept_after_all_needs_no_code(office, renew, screen):
    screen.contacts = [{"email": WRONG}, {"email": office.email}]
    screen.codes = [ChangeContacts()]
    renew(screen)
    assert office.codes_mailed == 1


def test_an_office_that_does_not_tell_the_new_contacts_is_served_as_it_is(office, renew, screen, monkeypatch):
    view = office.view
    monkeypatch.setattr(office, "view", lambda: {k: v for k, v in view().items() if k != "pending_contacts"})
    screen.contacts = [{"email": RIGHT}, {"email": RIGHT}]
    screen.codes = [ChangeContacts(), "123456"]
    renew(screen)
    assert Step.CONFIRMATION in screen.phases
    assert (office.email, office.codes_mailed) == (RIGHT, 2)


def office_says_stale(office):
    """Let the first code run out before it is entered; the next one is fresh."""
    put = office.put_case_contacts

    def mailed_long_ago(body):
        answer = put(body)
        office.code_is_stale = office.codes_mailed == 1
        return answer

    office.put_case_contacts = mailed_long_ago
