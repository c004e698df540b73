"""What a holder accepts can be read before the card is asked for any code."""

from __future__ import annotations

import hashlib

import pytest
from django.test import Client

TEXTS = "/api/enrollment/v1/texts"


@pytest.mark.parametrize(
    ("flow", "kinds"),
    [
        ("enroll", ["contract", "clauses", "privacy", "encryption-warning"]),
        ("extend", ["contract", "privacy"]),
    ],
)
def test_anybody_reads_the_texts_of_a_flow_with_their_hashes(django_db_blocker, flow, kinds):
    with django_db_blocker.unblock():
        shown = Client().get(TEXTS, {"flow": flow}).json()["texts"]

    assert [text["kind"] for text in shown] == kinds
    assert all(text["sha256"] == hashlib.sha256(text["text"].encode()).hexdigest() for text in shown)


def test_the_terms_of_an_extension_speak_of_neither_form_nor_term(clock):
    shown = Client().get(TEXTS, {"flow": "extend"}).json()["texts"]

    assert shown[0]["title"] == "Condizioni d'uso"
    assert not any("modulo" in text["text"] or "autorizzat" in text["text"] for text in shown)


def test_a_flow_that_nobody_knows_is_refused(clock):
    answer = Client().get(TEXTS, {"flow": "altro"})

    assert (answer.status_code, answer.json()["code"]) == (422, "input-invalid")
