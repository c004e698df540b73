"""Centres, agreements and services: set by the provider's administrators, told by events, fixed where pairs exist."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms import errors
from cms.models import Agreement, Centre, Event, Service, User
from cms.services import organisations
from cms.states import ApprovalMode, Role
from tests.panel.town import NOW, Town

LATER = NOW + timedelta(hours=1)
CENTRE = {"name": "Ordine Nuovo di Esempio", "email": "nuovo@example.org", "session_idle_minutes": 20}
SERVICE = {"name": "CNS di prova", "flow": "enroll", "types": ["authentication"], "window_months": 2, "term_years": 3}


@pytest.fixture
def town(db):
    town = Town()
    town.manager = town.employ("resp@cdrl.example.org", role=Role.MANAGER)
    town.root = User.objects.create_user("admin@example.org", None, is_staff=True, is_administrator=True)
    return town


@pytest.mark.parametrize("who", ["operator", "manager"])
def test_only_administrators_set_what_is_agreed(town, who):
    by = {"operator": getattr(town, who), "now": LATER}
    agreement = town.centre.agreements.first()
    for deed in (
        lambda: organisations.register_centre("cdrl-nuovo", CENTRE, **by),
        lambda: organisations.change_centre(town.centre.pk, CENTRE, **by),
        lambda: organisations.make_agreement(town.centre.pk, town.service.pk, {}, **by),
        lambda: organisations.change_agreement(agreement.pk, {}, **by),
        lambda: organisations.offer_service("prova", SERVICE, **by),
        lambda: organisations.change_service(town.service.pk, {}, **by),
    ):
        with pytest.raises(errors.AdministratorsOnly):
            deed()


def test_a_centre_is_registered_and_changed_without_its_contacts_in_the_trail(town):
    centre = organisations.register_centre("cdrl-nuovo", CENTRE, operator=town.root, now=LATER)
    organisations.change_centre(
        centre.pk, {"email": "altro@example.org", "session_hours": 4}, operator=town.root, now=LATER
    )

    event = Event.objects.get(verb="centre.changed")
    assert event.facts == {"changed": {"email": [], "session_hours": [8, 4]}}
    assert Event.objects.get(verb="centre.registered").centre == centre


def test_the_same_again_tells_nothing(town):
    organisations.change_centre(town.centre.pk, {"name": town.centre.name}, operator=town.root, now=LATER)

    assert not Event.objects.filter(verb="centre.changed").exists()


@pytest.mark.parametrize("values", [{"session_idle_minutes": 4}, {"session_idle_minutes": 241}, {"session_hours": 25}])
def test_session_limits_have_limits(town, values):
    with pytest.raises(errors.Invalid):
        organisations.change_centre(town.centre.pk, values, operator=town.root, now=LATER)


def test_a_code_is_given_once(town):
    with pytest.raises(errors.CodeTaken):
        organisations.register_centre(town.centre.code, CENTRE, operator=town.root, now=LATER)
    with pytest.raises(errors.CodeTaken):
        organisations.offer_service(town.service.code, SERVICE, operator=town.root, now=LATER)
    with pytest.raises(errors.CodeTaken):
        organisations.offer_service("altro", {**SERVICE, "name": town.service.name}, operator=town.root, now=LATER)
    assert Centre.objects.filter(code=town.centre.code).count() == 1


def test_an_agreement_is_made_once_and_changed(town):
    service = organisations.offer_service("prova", SERVICE, operator=town.root, now=LATER)
    wish = {"approval": ApprovalMode.AUTOMATIC}
    made = organisations.make_agreement(town.centre.pk, service.pk, wish, operator=town.root, now=LATER)
    with pytest.raises(errors.CodeTaken):
        organisations.make_agreement(town.centre.pk, service.pk, wish, operator=town.root, now=LATER)

    organisations.change_agreement(made.pk, {"four_eyes_revocation": True}, operator=town.root, now=LATER)

    event = Event.objects.get(verb="agreement.changed")
    assert event.facts == {"changed": {"four_eyes_revocation": [False, True]}}
    assert (event.centre, event.service) == (town.centre, service)


def test_a_signed_case_keeps_the_mode_that_was_agreed_at_its_signature(town):
    case = town.signed(town.case())
    agreement = Agreement.objects.get(centre=town.centre, service=town.eidas)

    organisations.change_agreement(agreement.pk, {"approval": ApprovalMode.AUTOMATIC}, operator=town.root, now=LATER)

    case.refresh_from_db()
    assert case.approval_mode == ApprovalMode.AUTHORISATION


@pytest.mark.parametrize("values", [{"flow": "extend"}, {"types": ["signature"]}, {"term_years": 2}])
def test_what_pairs_were_issued_under_does_not_change(town, values):
    town.case()

    with pytest.raises(errors.ServiceInUse):
        organisations.change_service(town.service.pk, values, operator=town.root, now=LATER)
    organisations.change_service(town.other_service.pk, values, operator=town.root, now=LATER)


def test_name_window_and_successor_may_change_although_pairs_exist(town):
    town.case()

    values = {"name": "CNS rinominata", "window_months": 3, "successor_id": town.other_service.pk}
    organisations.change_service(town.service.pk, values, operator=town.root, now=LATER)

    assert Service.objects.get(pk=town.service.pk).successor == town.other_service


def test_successors_never_lead_back(town):
    with pytest.raises(errors.SuccessorLoop):
        organisations.change_service(town.eidas.pk, {"successor_id": town.service.pk}, operator=town.root, now=LATER)
    with pytest.raises(errors.SuccessorLoop):
        organisations.change_service(town.eidas.pk, {"successor_id": town.eidas.pk}, operator=town.root, now=LATER)


@pytest.mark.parametrize("values", [{"types": []}, {"window_months": 0}, {"term_years": 11}])
def test_what_is_no_service_is_refused(town, values):
    with pytest.raises(errors.Invalid):
        organisations.offer_service("prova", {**SERVICE, **values}, operator=town.root, now=LATER)
