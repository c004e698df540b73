"""What is signed is exactly what was shown, under exactly this certificate."""

from __future__ import annotations

import asyncio
import hashlib
import io

import pytest
from asn1crypto import cms, core

from cardclient import form
from cardclient.contract import Slot
from cardclient.errors import Distrusted
from tests.cardclient import fake_form
from tests.cardclient.fake_form import GAP, prepared_pdf, signed_attributes

PDF = prepared_pdf()


@pytest.fixture
def certificate(card):
    return card.old[Slot.SIGNATURE]


def check(pdf, attributes, certificate, digest=None):
    return form.require_honest_form(pdf, digest or hashlib.sha256(pdf).hexdigest(), attributes, certificate)


def test_an_honest_form_is_signed_as_it_came(certificate):
    attributes = signed_attributes(PDF, certificate)
    assert check(PDF, attributes, certificate) == attributes


def test_a_form_prepared_by_pyhanko_is_taken(certificate):
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.misc import PdfWriteError
    from pyhanko.sign import signers
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.signers.pdf_cms import ExternalSigner
    from reportlab.pdfgen.canvas import Canvas

    assert PdfWriteError
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 720, "Modulo di rinnovo")
    canvas.save()
    from asn1crypto import x509 as asn1_x509
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    signer = ExternalSigner(
        signing_cert=asn1_x509.Certificate.load(certificate),
        cert_registry=SimpleCertificateStore(),
        signature_value=64,
        signature_mechanism=cms.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
    )
    metadata = signers.PdfSignatureMetadata(field_name="Firma", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)

    async def prepare():
        pdf_signer = signers.PdfSigner(metadata, signer)
        writer = IncrementalPdfFileWriter(io.BytesIO(buffer.getvalue()))
        prepared, _, output = await pdf_signer.async_digest_doc_for_signing(writer, bytes_reserved=16384)
        attributes = await signer.signed_attrs(prepared.document_digest, "sha256", use_pades=True)
        return output.getvalue(), attributes.dump()

    pdf, attributes = asyncio.run(prepare())
    assert check(pdf, attributes, certificate) == attributes


CHANGED_PDFS = {
    "one byte of text": PDF.replace(b"Modulo", b"Modulu"),
    "a byte appended": PDF + b" ",
    "something in the gap": PDF.replace(b"<00", b"<01"),
    "a second byte range": PDF.replace(b"%%EOF", b"/ByteRange [0 1 2 3]%%EOF"),
    "a byte range hidden in text": PDF.replace(b"%%EOF", b"/ByteRange%%EOF"),
    "no byte range": PDF.replace(b"/ByteRange", b"/ByteRangf"),
    "not a PDF": PDF.replace(b"%PDF", b"%PDX"),
    "a range that does not start at 0": PDF.replace(b"[0 ", b"[1 "),
    "a wider gap": PDF.replace(GAP, GAP + b" "),
}


@pytest.mark.parametrize("pdf", CHANGED_PDFS.values(), ids=CHANGED_PDFS)
def test_a_changed_document_is_refused(pdf, certificate):
    attributes = signed_attributes(PDF, certificate)
    with pytest.raises(Distrusted, match="form-refused"):
        check(pdf, attributes, certificate)


@pytest.mark.parametrize(
    "pdf", [CHANGED_PDFS["something in the gap"], CHANGED_PDFS["a second byte range"], CHANGED_PDFS["a wider gap"]]
)
def test_a_crooked_layout_is_refused_even_when_its_digest_is_honest(pdf, certificate):
    attributes = signed_attributes(pdf, certificate)
    with pytest.raises(Distrusted, match="form-refused"):
        check(pdf, attributes, certificate)


def test_another_document_than_announced_is_refused(certificate):
    with pytest.raises(Distrusted, match="document-digest"):
        check(PDF, signed_attributes(PDF, certificate), certificate, digest="00" * 32)


def test_a_foreign_certificate_is_refused(certificate, card):
    with pytest.raises(Distrusted, match="certificate-hash"):
        check(PDF, signed_attributes(PDF, card.old[Slot.AUTHENTICATION]), certificate)


@pytest.mark.parametrize(
    "lie",
    [
        {"digest": b"\0" * 32},
        {"content_type": "signed_data"},
        {"certificate_hash": b"\0" * 32},
        {"algorithm": "sha1"},
    ],
)
def test_attributes_that_lie_are_refused(certificate, lie):
    with pytest.raises(Distrusted, match="form-refused"):
        check(PDF, signed_attributes(PDF, certificate, **lie), certificate)


def test_an_unknown_attribute_is_refused(certificate):
    extra = [{"type": "1.2.3.4.5", "values": [core.UTF8String("pay 100 euro")]}]
    with pytest.raises(Distrusted, match="attributes-unknown"):
        check(PDF, signed_attributes(PDF, certificate, extra=extra), certificate)


def test_an_attribute_given_twice_is_refused(certificate):
    extra = [{"type": "message_digest", "values": [b"\1" * 32]}]
    with pytest.raises(Distrusted, match="form-refused"):
        check(PDF, signed_attributes(PDF, certificate, extra=extra), certificate)


def test_two_values_in_one_attribute_are_refused(certificate):
    honest = cms.CMSAttributes.load(signed_attributes(PDF, certificate))
    made = [each for each in honest if each["type"].native != "message_digest"]
    digest = hashlib.sha256(fake_form.covered(PDF)).digest()
    made.append(cms.CMSAttribute({"type": "message_digest", "values": [digest, b"\1" * 32]}))
    with pytest.raises(Distrusted, match="form-refused"):
        check(PDF, cms.CMSAttributes(made).dump(), certificate)


@pytest.mark.parametrize(
    "der", [b"", b"\x31", b"\x31\x00", b"\x30\x03\x02\x01\x01", b"\x31\x80\x00\x00", b"\x31" * 5000]
)
def test_bytes_that_are_no_attributes_are_refused(certificate, der):
    with pytest.raises(Distrusted, match="form-refused"):
        check(PDF, der, certificate)


def test_a_login_text_cannot_be_passed_off_as_a_form(certificate):
    with pytest.raises(Distrusted):
        check(PDF, b"Sigillo enrollment login v1\n", certificate)


def test_trailing_bytes_after_the_attributes_are_refused(certificate):
    with pytest.raises(Distrusted):
        check(PDF, signed_attributes(PDF, certificate) + b"\0", certificate)
