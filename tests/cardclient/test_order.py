"""What comes before what: verdicts and texts before any code, the diagnosis before the data, nothing asked twice."""

from __future__ import annotations

import dataclasses

import httpx
import pytest

from cardclient import flow, simulated_state
from cardclient.contract import DataWrong
from cardclient.errors import ClientOutdated, Declined, Distrusted, NotRenewable
from cardclient.ports import Phase, ReaderState, SecretKind
from cardclient.reinsertion import was_reinserted
from cardclient.simulator import SimulatedCard
from tests.cardclient.conftest import NOW, PIN, http
from tests.cardclient.recording_screen import RecordingScreen
from tests.cardclient.test_distrust import changing, paths

ENROLL = ["warn encryption-warning", "ask pin", "show diagnosis", "ask contacts", "accept contract clauses privacy"]
WRITING = ["writing True", "writing False"]


class CardWithVerdict(SimulatedCard):
    """A card whose driver tells without a PIN that it is lost."""

    verdict = "puk-locked"

    def scan(self):
        return tuple(dataclasses.replace(view, final=self.verdict) for view in super().scan())


def test_a_renewal_asks_in_the_order_of_the_guide(renew, screen):
    renew(screen)
    assert screen.order == [*ENROLL, *WRITING * 4]  # keys, certificates, and each of two old pairs


def test_an_extension_asks_for_its_terms_before_the_pin_and_for_no_data(renew, office, screen):
    office.flow = "extend"
    renew(screen)
    assert screen.order == ["accept contract privacy", "ask pin", "show diagnosis", *WRITING * 2]


def test_an_older_office_that_publishes_no_texts_has_them_accepted_in_the_case(renew, office, screen):
    office.is_old = True
    renew(screen)
    assert screen.order[:3] == ["ask pin", "show diagnosis", "ask contacts"]
    assert screen.order[3:5] == ["warn encryption-warning", "accept contract clauses privacy"]


def test_a_warning_that_changed_since_it_was_read_is_asked_for_again(renew, office, screen):
    office.weather["/texts"] = changing(lambda body: body["texts"][3].update(version="2024-9"))
    renew(screen)
    assert screen.order.count("warn encryption-warning") == 2


def test_an_offer_that_keeps_the_old_keys_does_not_warn_of_their_loss(renew, office, screen):
    office.keeps = True
    assert renew(screen).removed == 0
    assert "warn encryption-warning" not in screen.order


def test_whoever_does_not_accept_the_loss_is_asked_for_no_code(renew, office):
    screen = RecordingScreen(pin=[PIN])
    screen.accepts_warning = False
    with pytest.raises(Declined, match="warning-declined"):
        renew(screen)
    assert screen.problems == []
    assert paths(office) == ["/capabilities", "/scan", "/texts"]


@pytest.mark.parametrize("verdict", ["puk-locked", "certificate-unreadable", "card-not-personalised"])
def test_a_card_that_is_lost_is_told_so_and_no_code_is_asked_for(card, office, screen, verdict):
    lost = CardWithVerdict(card.path)
    lost.verdict = verdict
    with pytest.raises(NotRenewable) as told:
        flow.renew(flow.Desk(lost, screen, http(office), NOW))
    assert told.value.code == verdict
    assert screen.problems == []
    assert "/challenges" not in paths(office)


def test_a_family_that_is_refused_is_told_with_the_reason_and_no_code_is_asked_for(renew, office, screen):
    office.weather["/scan"] = changing(lambda body: body["family"].update(refusal="Famiglia ritirata."))
    with pytest.raises(NotRenewable) as told:
        renew(screen)
    assert (told.value.code, told.value.advice) == ("family-refused", "Famiglia ritirata.")
    assert screen.problems == []


def test_wrong_data_stop_the_case_with_the_holders_reason(renew, office, card, screen):
    before = simulated_state.load(card.path).objects
    screen.contacts = [DataWrong("Il cognome non è il mio")]
    with pytest.raises(Declined, match="data-wrong"):
        renew(screen)
    assert office.cancelled == {"reason": "holder-data-wrong", "note": "Il cognome non è il mio", "confirm": True}
    assert simulated_state.load(card.path).objects == before


def test_an_older_office_is_told_of_wrong_data_in_its_own_words(renew, office, screen):
    office.is_old = True
    screen.contacts = [DataWrong("Il cognome non è il mio")]
    with pytest.raises(Declined, match="data-wrong"):
        renew(screen)
    assert office.cancelled == {"reason": "data-incorrect", "confirm": True}


def test_whoever_stops_at_the_verdict_has_changed_nothing(renew, screen, office):
    screen.goes_on = False
    with pytest.raises(Declined):
        renew(screen)
    assert paths(office)[-1] == "/case/diagnosis"


@pytest.mark.parametrize("minimum", ["0.1.1", "1.0", "0.1.0.1"])
def test_a_client_below_the_minimum_is_refused_with_the_page_of_the_new_one(renew, office, screen, minimum):
    office.minimum = minimum
    with pytest.raises(ClientOutdated) as refused:
        renew(screen)
    assert refused.value.download == "https://ra.example.org/scarica/"
    assert paths(office) == ["/capabilities"]
    assert screen.problems == []


@pytest.mark.parametrize("minimum", ["0.1.0", "0.1", "0.0.99"])
def test_a_client_at_or_above_the_minimum_goes_on(renew, office, minimum):
    office.minimum = minimum
    assert renew().case


NEWER = {
    "a step": ("/sessions", lambda body: body["case"].update(next_step="payment")),
    "a kind of text": ("/texts", lambda body: body["texts"][3].update(kind="arbitration")),
    "a flow": ("/scan", lambda body: body["offers"][0].update(flow="replace")),
    "a code to ask for": ("/scan", lambda body: body.update(secrets=["pin", "can"])),
    "a verdict": ("/scan", lambda body: body.update(verdict="renewable-at-the-desk")),
}


@pytest.mark.parametrize(("path", "change"), NEWER.values(), ids=NEWER)
def test_a_newer_office_that_asks_for_the_unknown_is_left_with_the_page_of_the_new_client(
    renew, office, card, path, change
):
    before = simulated_state.load(card.path).objects
    office.weather[path] = changing(change)
    with pytest.raises(ClientOutdated) as refused:
        renew()
    assert refused.value.download == "https://ra.example.org/scarica/"
    assert simulated_state.load(card.path).objects == before
    assert not {"/case/diagnosis", "/case/form-signature", "/case/requests"} & set(paths(office))


def test_the_office_itself_may_call_the_client_outdated_at_any_step(renew, office):
    body = {"code": "client-outdated", "action": "update-client", "detail": "", "download": "https://x.example.org/"}
    office.weather["/case/form"] = lambda *_: httpx.Response(426, json=body)
    with pytest.raises(ClientOutdated) as refused:
        renew()
    assert refused.value.download == "https://x.example.org/"
    assert "/case/form-signature" not in paths(office)


def test_a_version_that_is_none_is_not_believed(renew, office):
    office.minimum = "latest"
    with pytest.raises(Distrusted):
        renew()


def test_a_session_that_ran_out_while_the_holder_read_is_opened_again_without_asking(renew, office, screen):
    screen.at[Phase.ACCEPTANCE] = office.tokens.clear
    assert renew(screen).case
    assert [kind for kind, _ in screen.problems] == [SecretKind.PIN]
    assert paths(office).count("/sessions") == 2


def test_an_office_that_forgets_every_session_is_given_up(renew, office):
    def forget(_request, answer):
        office.tokens.clear()
        return answer

    office.weather["/sessions"] = forget
    with pytest.raises(Distrusted, match="flow-stuck"):
        renew()


class Drawer:
    """Readers that show one picture after another, one second apart."""

    def __init__(self, *pictures):
        self.pictures, self.now = list(pictures), 0.0

    def snapshot(self):
        return tuple(ReaderState(name, b"\x3b" if card else None) for name, card in self.pictures[0].items())

    def wait(self, seconds):
        self.now += seconds
        if len(self.pictures) > 1:
            self.pictures.pop(0)
        return True


IN, OUT = {"A": True, "B": True}, {"A": False, "B": True}


@pytest.mark.parametrize(
    ("pictures", "done"),
    [
        ([IN, OUT, IN], True),
        ([IN, {"B": True}, IN], True),  # the reader itself was unplugged
        ([IN, {}, IN], True),
        ([IN], False),
        ([IN, OUT], False),
        ([IN, {"A": True, "B": False}, IN], False),  # another reader's card
    ],
)
def test_the_card_counts_as_reinserted_once_it_was_out_and_is_in_again(pictures, done):
    drawer = Drawer(*pictures)
    assert was_reinserted(drawer, "A", seconds=10, elapsed=lambda: drawer.now) is done


def test_a_reader_that_its_driver_names_otherwise_is_watched_among_all():
    drawer = Drawer(IN, OUT, IN)
    assert was_reinserted(drawer, "Slot 0", seconds=10, elapsed=lambda: drawer.now)


def test_waiting_ends_when_nobody_waits_any_more():
    drawer = Drawer(IN)
    assert not was_reinserted(drawer, "A", seconds=10, elapsed=lambda: drawer.now, stopped=lambda: True)
