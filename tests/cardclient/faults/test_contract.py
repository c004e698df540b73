"""The two sides of the enrollment API meet: what one sends the other takes, word for word."""

from __future__ import annotations

from contextlib import closing
from uuid import uuid4

import pytest

from cardclient import __version__
from cardclient.contract import DataWrong, SupportRequest
from cardclient.errors import CardUpdateError, ClientOutdated, Declined, NotRenewable
from cardclient.office import HttpOffice
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from cms.models import CardFamily
from renewals.models import RenewalCase, SupportLog
from renewals.models import SupportRequest as Stored
from tests.cardclient.conftest import PIN, PUK
from tests.cardclient.recording_screen import RecordingScreen


def test_wrong_data_close_the_case_with_the_holders_reason_for_the_centre(town):
    home, screen = town.home(simulated=True), RecordingScreen(pin=[PIN])
    screen.contacts = [DataWrong("Il cognome è sbagliato")]
    with pytest.raises(Declined, match="data-wrong"):
        home.run(screen)
    case = RenewalCase.objects.get(card__serial=home.medium.serial)
    assert (case.state, case.close_note) == ("cancelled", "Il cognome è sbagliato")


def test_a_request_for_help_arrives_whole_and_once(town):
    asked = SupportRequest(
        str(uuid4()), "card-memory", "requests", "Non va.", "persona@example.org", "it", __version__, "Linux",
        {"serial": "7430000000000001", "family": "ACe 2021", "reader": None, "driver": "bit4xpki 1.4"}, "riga di log",
    )  # fmt: skip
    with closing(HttpOffice(town.address)) as office:
        first, again = office.open_support_request(asked), office.open_support_request(asked)
    assert first == again
    (stored,) = Stored.objects.filter(number=first.number)
    assert stored.code == "card-memory"
    assert SupportLog.objects.filter(request=stored).count() == 1


def test_the_office_tells_this_client_what_it_needs_to_know(town):
    with closing(HttpOffice(town.address)) as office:
        told = office.capabilities()
        assert told is not None
        assert told.support
        assert abs(office.clock_difference or 0.0) < 5
        for flow, kinds in {"enroll": 4, "extend": 2}.items():
            assert len(office.public_texts(flow)) == kinds


def test_a_client_below_the_offices_minimum_is_sent_to_the_download_page_before_any_code(town, settings):
    home, screen = town.home(simulated=True), RecordingScreen(pin=[PIN])
    settings.RENEWALS = settings.RENEWALS.model_copy(update={"client_minimum": "99.0.0"})
    with pytest.raises(ClientOutdated) as refused:
        home.run(screen)
    assert (refused.value.download or "").startswith("http")
    assert screen.problems == []


def test_a_family_that_is_not_renewed_is_told_with_its_reason_before_any_code(town):
    home, screen = town.home(simulated=True), RecordingScreen(pin=[PIN])
    family = CardFamily.objects.create(
        code="FAM out", name="ritirata", renewable=False, refusal="Ritirata dal produttore."
    )
    home.move_to(family)
    with pytest.raises(NotRenewable) as told:
        home.run(screen)
    assert (told.value.code, told.value.advice) == ("family-refused", "Ritirata dal produttore.")
    assert screen.problems == []


def test_a_family_that_asks_for_the_puk_is_renewed_with_it_and_wants_to_be_put_in_again(town):
    home = town.home(simulated=True)
    home.move_to(CardFamily.objects.create(code="FAM puk", name="con PUK", asks_puk=True, reinsert_after=True))
    outcome = home.run(RecordingScreen(pin=[PIN], puk=[PUK]))
    assert outcome.reinsert
    home.require_renewed_once()


def test_an_object_that_is_no_certificate_does_not_spoil_the_card(town):
    home = town.home(simulated=True)
    with home.medium.process() as card:
        card.scan()
        card.login(Secret(PIN))
        card.install(b"x", "OGGETTO", b"")
    home.run()
    assert home.endings == ["done"]


@pytest.mark.parametrize(("flow", "deletions"), [("enroll", 6), ("extend", 3)])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_last_deletion_that_fails_is_finished_by_the_next_run(town, flow, deletions, when):
    """Whether it took effect or not: the office calls the case complete, and the second run ends well."""
    home = town.home(flow, replaces=True, simulated=True)
    SimulatedCard(home.medium.path).plan_fault("remove", "device-error", when=when, nth=deletions)
    with pytest.raises(CardUpdateError, match="old-objects-left"):
        home.run()
    home.run_again_until_done()
    assert home.endings == ["old-objects-left", "removed"]
    home.require_renewed_once()
