"""An attestation that is signed digitally: officers read by whom and whether it holds, and decide as before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.demo import trust_scheme
from config.demo.trust_scheme import Wish
from smime.admin import words
from smime.models import EvidenceFile, TrustedList
from smime.services import attestation, evidence
from smime.services.attestation import Upload
from tests.smime.corpus import pdf
from tests.smime.mailed import check_of, order_of
from tests.smime.signature import orders, world
from tests.smime.test_attestation import FIELDS, Says

pytestmark = pytest.mark.usefixtures("committed")
NOW = orders.NOW


@pytest.fixture
def order(tmp_path, settings):
    orders.lists_loaded(tmp_path / "lists", settings)
    return order_of("sv", at=NOW)


def sent(order, content, name="attestazione.pdf", *, at=NOW) -> EvidenceFile:
    """The buyer has sent the letter, and the scanner has passed it."""
    kind = "application/pkcs7-mime" if name.endswith("p7m") else "application/pdf"
    upload = Upload(name, content, kind)
    attestation.submit_attestation(order.uid, fields=FIELDS, upload=upload, buyer=order.buyer, now=at)
    file = EvidenceFile.objects.filter(order=order).latest("pk")
    evidence.scan(file.pk, at=at, scanner=Says())
    file.refresh_from_db()
    return file


def test_a_letter_signed_by_hand_gives_no_hint(order):
    assert sent(order, pdf()).signature_hint == ""


@pytest.mark.parametrize("name", ["attestazione.pdf", "attestazione.pdf.p7m"])
def test_a_qualified_signature_is_named_with_its_signer(order, name):
    by, at = world.signer(), NOW - timedelta(minutes=5)
    sign = trust_scheme.sign_cms if name.endswith("p7m") else trust_scheme.sign_pdf
    file = sent(order, sign(pdf(), by, at=at), name)

    assert words.signature_hint(file) == "Firma digitale qualificata di Giulia Bianchi: la confronti con il referente."
    assert check_of(order, "attestation").state == "in-review"


def test_an_unqualified_one_says_what_is_wrong(order):
    file = sent(order, trust_scheme.sign_pdf(pdf(), world.signer(Wish(qualified=False)), at=NOW))
    said = words.signature_hint(file)
    assert "non valida come qualificata" in said
    assert "Il certificato di firma non è un certificato qualificato." in said
    assert check_of(order, "attestation").state == "in-review"


def test_without_lists_in_force_nothing_is_claimed(order):
    later = NOW + timedelta(days=300)
    assert TrustedList.objects.exists()
    file = sent(order, trust_scheme.sign_pdf(pdf(), world.signer(), at=NOW), at=NOW)
    code = evidence.letter_signature.hint_of(evidence.read_file(file), at=later).split()[0]
    assert code in {"list-outdated", "revocation-unknown", "certificate-expired"}


@pytest.mark.parametrize("content", [b"", b"junk", b"%PDF-1.7 junk", b"0\x80junk"])
def test_junk_gives_no_hint_and_no_error(order, content):
    assert evidence.letter_signature.hint_of(content, at=NOW) == ""
