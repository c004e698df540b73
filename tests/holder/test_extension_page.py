"""An extension as its holder and its centre see it: no form, no purchase, no mailed code where there is none."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from renewals.admin import badges
from renewals.admin.meanings import meaning
from renewals.models import RenewalCase
from renewals.pages import extension_words, sentences
from renewals.services.cases import expire_case
from renewals.timeline import steps
from tests.renewals.extension import Extension
from tests.renewals.world import OLD_NOT_AFTER

HOME = settings.HOLDER_PATH
UNTRUE = ("modulo", "acquisto", "rinnov", "codice utente", "firma")


@pytest.fixture
def extension(world):
    return Extension(world)


def page_of(case: RenewalCase) -> str:
    client = Client()
    client.post(f"{HOME}pratica/accesso/", {"code": case.code, "tax_code": case.holder.tax_code})
    text = re.sub(
        r"<(?:script|style|head)\b.*?</(?:script|style|head)>",
        " ",
        client.get(f"{HOME}pratica/").content.decode(),
        flags=re.DOTALL,
    )
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("&#x27;", "'").split())


def test_every_sentence_of_an_extension_replaces_one_of_renewals_and_says_nothing_untrue():
    assert set(extension_words.OF) < set(sentences.OF)
    for words in extension_words.OF.values():
        said = " ".join(str(part) for part in (words.headline, words.said, *words.todo, words.ahead)).lower()
        assert not [word for word in UNTRUE if word in said], said


@pytest.mark.parametrize(
    ("step", "headline"),
    [
        ("acceptance", "Può estendere l'uso della Sua carta"),
        ("requests", "Manca l'installazione del nuovo certificato"),
        ("done", "L'estensione è conclusa"),
    ],
)
def test_the_page_says_how_far_the_extension_is(extension, step, headline):
    extension.enrolment().until(step)
    shown = page_of(RenewalCase.objects.get())

    assert headline in shown
    assert "Autorizzazione" not in shown
    assert "Firma del modulo" not in shown
    assert "Accettazione delle condizioni" in shown


def test_an_extension_that_expired_speaks_of_no_purchase(extension, clock):
    extension.enrolment().until("requests")
    clock.instant = OLD_NOT_AFTER + timedelta(seconds=1)
    case = RenewalCase.objects.get()
    expire_case(case.pk, now=clock.instant)

    shown = page_of(case)
    assert "La pratica è scaduta prima dell'installazione" in shown
    assert "nuovo acquisto" not in shown


def test_the_centre_reads_of_terms_and_not_of_a_form(extension, world):
    extension.enrolment().until("requests")
    case = RenewalCase.objects.get()

    assert [badge.word for badge in badges.all_of(case)] == ["In attesa emissione", "Non richiesta"]
    assert meaning(case).startswith("In attesa della installazione del nuovo certificato: le condizioni sono accettate")
    assert "Accettazione delle condizioni" in [step.word for step in steps(case, [], world.now)]
