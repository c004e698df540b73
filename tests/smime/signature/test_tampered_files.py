"""Files that somebody has changed: none is accepted, and none breaks anything."""

from __future__ import annotations

import random

import pytest

from pki.qualified_validation import Verdict
from tests.smime.signature import mutations, world


def test_what_the_tables_start_from_is_accepted():
    assert world.judged(world.pades()).verdict is Verdict.ACCEPTED
    assert world.judged(world.cades()).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("change", mutations.PDFS.values(), ids=mutations.PDFS)
def test_no_tampered_pdf_is_accepted(change):
    signed = world.pades()
    changed = change(signed)

    outcome = world.judged(changed)

    assert changed != signed
    assert outcome.verdict in {Verdict.REFUSED, Verdict.FOR_OFFICER}
    assert outcome.code


@pytest.mark.parametrize("change", mutations.CMS.values(), ids=mutations.CMS)
def test_no_tampered_cms_is_accepted(change):
    signed = world.cades()
    changed = change(signed)

    outcome = world.judged(changed)

    assert changed != signed
    assert outcome.verdict is Verdict.REFUSED
    assert outcome.code


def test_what_was_altered_before_signing_is_shown_to_an_officer():
    for name in ("painted over before signing", "ink before signing"):
        assert world.judged(mutations.PDFS[name](world.pades())).code == "document-altered"
    assert world.judged(mutations.PDFS["saved anew before signing"](world.pades())).code == "document-rewritten"


@pytest.mark.parametrize("made", [world.pades, world.cades], ids=["PAdES", "CAdES"])
def test_single_bits_do_not_make_another_document_acceptable(made):
    """Some bits are not signed (a chain's certificate, a hexadecimal letter's case): the document stays ours then."""
    signed, chance = made(), random.Random(7)
    for place in chance.sample(range(len(signed)), 40):
        changed = signed[:place] + bytes([signed[place] ^ (1 << chance.randrange(8))]) + signed[place + 1 :]

        outcome = world.judged(changed)

        assert outcome.verdict is not Verdict.ACCEPTED or world.form_pdf() in changed


def test_there_are_as_many_as_were_asked_for():
    assert len(mutations.PDFS) >= 25
    assert len(mutations.CMS) >= 20
