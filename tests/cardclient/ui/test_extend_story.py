"""Extend in the window (SogeiExtend §2): terms, privacy, PIN or PIN and PUK, progress, result, out and in again."""

from __future__ import annotations

import pytest

from cardclient.contract import Slot
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from cardclient.ui.pages.acceptance import PrivacyPage, TermsPage
from cardclient.ui.pages.codes import CodePage
from cardclient.ui.pages.ending import ResultPage
from cardclient.ui.pages.holder import DiagnosisPage
from cardclient.ui.pages.start import StartPage
from tests.cardclient.conftest import NOW, PIN, PUK, personalise
from tests.cardclient.fake_office import FakeOffice

SERIAL = "7430000000000027"


@pytest.fixture
def card(tmp_path, authority):
    made = SimulatedCard.create(
        tmp_path / "ts-cns.json", serial=SERIAL, family="AC 2018", pin=Secret(PIN), puk=Secret(PUK), replaces=False
    )
    made.login(Secret(PIN))
    made.old = personalise(made, authority, slots=(Slot.AUTHENTICATION,))
    made.close()
    return made


@pytest.fixture
def office(card, authority):
    made = FakeOffice(SERIAL, card.old, authority, now=NOW)
    made.flow, made.secrets, made.reinsert = "extend", ["pin", "puk"], True
    made.done |= {"contacts", "contact-confirmation", "form-signature"}
    return made


def extend(story):
    story.sees(StartPage, "Certificato rinnovabile presente nella carta")
    assert story.buttons == ["Scansiona di nuovo", "RINNOVA"]
    story.goes()
    story.sees(TermsPage)
    assert story.buttons == ["INDIETRO", "PROSEGUI"]
    story.goes()
    story.sees(PrivacyPage, "Informativa privacy")
    assert story.buttons == ["CHIUDI", "RINNOVA"]
    story.goes()
    story.sees(CodePage, "Inserisci il PIN della tua smart card per continuare il rinnovo")
    story.types(PIN)
    story.sees(CodePage, "Inserisci il PUK della tua smart card")
    story.types(PUK)
    story.sees(DiagnosisPage)
    story.goes()
    return story.sees(ResultPage)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_an_extension_runs_to_its_end_and_sees_the_card_go_out_and_in(open_window, office, card):
    clock = Clock()
    story = open_window(elapsed=clock)
    extend(story)
    assert office.is_complete
    story.reads("Prima di usare la carta scollegala dal lettore e ricollegala dopo alcuni secondi.")
    card.eject()
    story.reads("Carta scollegata.")
    card.insert()
    story.reads("Troppo presto")
    card.eject()
    story.reads("Carta scollegata.")
    clock.now += 5
    card.insert()
    story.reads("Carta ricollegata: ora puoi usarla per accedere ai portali.")


def test_the_old_certificate_stays_on_an_extended_card(open_window, card):
    extend(open_window())
    assert len(SimulatedCard(card.path).scan()[0].certificates) == 2


def test_closing_the_privacy_notice_ends_the_extension_before_any_code(open_window, office):
    story = open_window()
    story.sees(StartPage, "Certificato rinnovabile")
    story.goes()
    story.sees(TermsPage)
    story.goes()
    story.sees(PrivacyPage)
    story.goes_back()
    story.sees(StartPage, "Certificato rinnovabile")
    assert not any(path.startswith("/challenges") for _, path, _ in office.seen)
