"""The form's signature is of the whole document, by that certificate, once; anything else is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.generic import pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from reportlab.pdfgen.canvas import Canvas

from pki import pades
from pki.errors import BadSignature, MalformedInput, PkiError
from pki.gateway import Profile
from tests.pki.demo_ca import THREE_YEARS, make_ca, sign

NOW = datetime(2028, 12, 20, 10, 30, tzinfo=UTC)
REASON = "Richiesta di rinnovo"


def a_form() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    canvas.drawString(72, 720, "Modulo di rinnovo di Mario Rossi")
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


FORM = a_form()


@pytest.fixture(scope="session")
def certificate(ca, holder_key):
    return ca.issue(Profile.QUALIFIED_SIGNATURE, holder_key)


@pytest.fixture(scope="session")
def prepared(ca, certificate):
    return pades.prepare(FORM, certificate, [ca.certificate], signing_time=NOW, reason=REASON)


@pytest.fixture(scope="session")
def signed(prepared, holder_key):
    return pades.finish(prepared, sign(holder_key, prepared.signed_attributes))


def verify(pdf, ca, certificate, **changes):
    facts = {"signer": certificate, "issuers": [ca.certificate], "trust_anchors": [ca.root], "at": NOW}
    pades.verify(pdf, **facts | changes)


def refuse(pdf, ca, certificate, code=None, **changes):
    with pytest.raises(BadSignature) as refusal:
        verify(pdf, ca, certificate, **changes)
    if code is not None:
        assert refusal.value.code == code


# Preparing


def test_attributes_bind_exactly_the_document_and_the_certificate(prepared, certificate):
    attributes = cms.CMSAttributes.load(prepared.signed_attributes, strict=True)
    values = {attribute["type"].native: attribute["values"][0] for attribute in attributes}
    start, end = prepared.state["gap"]
    assert set(values) == {"content_type", "message_digest", "signing_certificate_v2"}
    assert values["content_type"].native == "data"
    assert values["message_digest"].native == hashlib.sha256(prepared.pdf[:start] + prepared.pdf[end:]).digest()
    assert values["signing_certificate_v2"]["certs"][0]["cert_hash"].native == hashlib.sha256(certificate).digest()
    assert prepared.signed_attributes[0] == 0x31


def test_document_digest_is_of_the_bytes_that_are_shown(prepared):
    assert prepared.document_sha256 == hashlib.sha256(prepared.pdf).digest()
    assert prepared.pdf.startswith(FORM)


def test_state_survives_json(prepared, holder_key, signed):
    restored = dataclasses.replace(prepared, state=json.loads(json.dumps(prepared.state)))
    again = pades.finish(restored, sign(holder_key, restored.signed_attributes))
    assert len(again) == len(signed)


def test_signing_time_and_reason_stand_in_the_signature_dictionary(prepared):
    assert rb"/M (D\07220281220103000Z)" in prepared.pdf
    assert b"/Reason (Richiesta di rinnovo)" in prepared.pdf
    assert b"/ETSI.CAdES.detached" in prepared.pdf


def test_only_the_signers_own_issuers_are_embedded(ca, ec_ca, certificate, holder_key):
    chain = [ec_ca.certificate, ca.root, ca.certificate]
    prepared = pades.prepare(FORM, certificate, chain, signing_time=NOW, reason=REASON)
    signed = pades.finish(prepared, sign(holder_key, prepared.signed_attributes))
    content = cms_of(signed)
    assert {choice.chosen.dump() for choice in content["certificates"]} == {certificate, ca.certificate}
    verify(signed, ca, certificate)


def cms_of(pdf):
    from pyhanko.pdf_utils.reader import PdfFileReader

    return PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0].signed_data


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7\n", b"not a pdf", FORM[:200]])
def test_unreadable_document_is_refused(ca, certificate, pdf):
    with pytest.raises(MalformedInput):
        pades.prepare(pdf, certificate, [ca.certificate], signing_time=NOW, reason=REASON)


def test_signed_document_is_not_prepared_again(ca, certificate, signed):
    with pytest.raises(MalformedInput):
        pades.prepare(signed, certificate, [ca.certificate], signing_time=NOW, reason=REASON)


# Finishing


def test_signed_form_is_valid(signed, ca, certificate):
    verify(signed, ca, certificate)


def test_signed_form_differs_from_the_shown_one_in_the_gap_only(prepared, signed):
    start, end = prepared.state["gap"]
    assert signed[:start] == prepared.pdf[:start]
    assert signed[end:] == prepared.pdf[end:]


@pytest.mark.parametrize("kind", ["none", "random", "other key", "other text", "other hash"])
def test_wrong_signature_value_is_refused_before_anything_is_assembled(prepared, holder_key, ca, kind):
    data = prepared.signed_attributes
    values = {
        "none": b"",
        "random": b"\x42" * 256,
        "other key": sign(ca.key, data),
        "other text": sign(holder_key, data + b"\x00"),
        "other hash": with_sha512(holder_key, data),
    }
    with pytest.raises(BadSignature):
        pades.finish(prepared, values[kind])


def with_sha512(key, data):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA512())
    return key.sign(data, ec.ECDSA(hashes.SHA512()))


def test_pss_value_is_refused(prepared, holder_key):
    if isinstance(holder_key, rsa.RSAPrivateKey):
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        with pytest.raises(BadSignature):
            pades.finish(prepared, holder_key.sign(prepared.signed_attributes, scheme, hashes.SHA256()))


@pytest.mark.parametrize("part", ["pdf", "document_sha256", "digest", "gap", "certificate", "missing"])
def test_stored_parts_that_do_not_belong_together_are_refused(prepared, holder_key, ec_ca, part):
    changes = {
        "pdf": {"pdf": prepared.pdf.replace(b"/Pages", b"/Pagez")},
        "document_sha256": {"document_sha256": bytes(32)},
        "digest": {"state": prepared.state | {"digest": "00" * 32}},
        "gap": {"state": prepared.state | {"gap": [0, 10]}},
        "certificate": {"state": prepared.state | {"certificate": "no base64"}},
        "missing": {"state": {}},
    }
    with pytest.raises(MalformedInput):
        pades.finish(dataclasses.replace(prepared, **changes[part]), sign(holder_key, prepared.signed_attributes))


# Verifying


def test_changed_byte_of_the_document_is_refused(signed, ca, certificate):
    at = signed.index(b"Mario") if b"Mario" in signed else signed.index(b"/MediaBox")
    refuse(signed[:at] + b"L" + signed[at + 1 :], ca, certificate)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_no_changed_byte_passes(data):
    issuer, certificate, signed = _small_signed()
    at, change = data.draw(st.integers(0, len(signed) - 1)), data.draw(st.integers(1, 255))
    changed = signed[:at] + bytes((signed[at] ^ change,)) + signed[at + 1 :]
    with pytest.raises(PkiError):
        verify(changed, issuer, certificate)


_MADE = []


def _small_signed():
    if not _MADE:
        issuer = make_ca(ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1()))
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = issuer.issue(Profile.QUALIFIED_SIGNATURE, key)
        prepared = pades.prepare(FORM, certificate, [issuer.certificate], signing_time=NOW, reason=REASON)
        _MADE.append((issuer, certificate, pades.finish(prepared, sign(key, prepared.signed_attributes))))
    return _MADE[0]


def test_foreign_certificate_is_refused(signed, ca, ec_ca, holder_key, certificate):
    twin = ca.issue(Profile.QUALIFIED_SIGNATURE, holder_key)
    refuse(signed, ca, twin, "signature-signer-mismatch")
    stranger = ec_ca.issue(Profile.QUALIFIED_SIGNATURE, holder_key)
    prepared = pades.prepare(FORM, stranger, [ec_ca.certificate], signing_time=NOW, reason=REASON)
    foreign = pades.finish(prepared, sign(holder_key, prepared.signed_attributes))
    refuse(foreign, ca, certificate, "signature-signer-mismatch")
    refuse(foreign, ca, stranger, "signature-untrusted")


def test_forged_issuer_is_refused(ca, holder_key):
    thief = dataclasses.replace(ca, key=rsa.generate_private_key(65537, 2048))
    forged = thief.issue(Profile.QUALIFIED_SIGNATURE, holder_key)
    prepared = pades.prepare(FORM, forged, [ca.certificate], signing_time=NOW, reason=REASON)
    refuse(pades.finish(prepared, sign(holder_key, prepared.signed_attributes)), ca, forged, "signature-untrusted")


def test_authentication_certificate_does_not_sign_forms(ca, holder_key):
    cns = ca.issue(Profile.CNS_AUTHENTICATION, holder_key)
    prepared = pades.prepare(FORM, cns, [ca.certificate], signing_time=NOW, reason=REASON)
    refuse(pades.finish(prepared, sign(holder_key, prepared.signed_attributes)), ca, cns, "signature-untrusted")


@pytest.mark.parametrize(
    "at", [THREE_YEARS.not_before - timedelta(days=1), THREE_YEARS.not_after + timedelta(minutes=1)]
)
def test_certificate_out_of_date_is_refused(signed, ca, certificate, at):
    refuse(signed, ca, certificate, "signature-untrusted", at=at)


def test_last_second_of_the_certificate_still_counts(signed, ca, certificate):
    verify(signed, ca, certificate, at=THREE_YEARS.not_after)


def test_unsigned_and_unfinished_documents_are_refused(prepared, ca, certificate):
    refuse(FORM, ca, certificate, "signature-not-alone")
    with pytest.raises(MalformedInput):
        verify(prepared.pdf, ca, certificate)


def test_appended_bytes_are_refused(signed, ca, certificate):
    refuse(signed + b"\n", ca, certificate)


def test_appended_revision_is_refused(signed, ca, certificate):
    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    writer.root["/Lang"] = pdf_string("it")
    writer.update_root()
    output = io.BytesIO()
    writer.write(output)
    assert len(output.getvalue()) > len(signed)
    refuse(output.getvalue(), ca, certificate)


def test_second_signature_is_refused(signed, ca, certificate, rsa_key):
    from asn1crypto import keys as asn1_keys
    from asn1crypto import x509 as asn1_x509
    from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner, sign_pdf
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    second = ca.issue(Profile.QUALIFIED_SIGNATURE, rsa_key)
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    key = rsa_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = SimpleSigner(
        asn1_x509.Certificate.load(second), asn1_keys.PrivateKeyInfo.load(key), SimpleCertificateStore()
    )
    output = sign_pdf(IncrementalPdfFileWriter(io.BytesIO(signed)), PdfSignatureMetadata(field_name="Seconda"), signer)
    refuse(output.getvalue(), ca, certificate, "signature-not-alone")


def test_bytes_hidden_behind_the_signature_are_refused(prepared, signed, ca, certificate):
    _, end = prepared.state["gap"]
    refuse(signed[: end - 3] + b"AA" + signed[end - 1 :], ca, certificate, "signature-coverage")


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7", b"\x00" * 1000, FORM[:300]])
def test_no_pdf_is_refused_as_such(ca, certificate, pdf):
    with pytest.raises(PkiError):
        verify(pdf, ca, certificate)


def test_oversized_document_is_not_even_parsed(ca, certificate):
    with pytest.raises(MalformedInput):
        verify(b"\x00" * 8_000_001, ca, certificate)


@given(junk=st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_whatever_the_bytes_only_our_refusal_escapes(junk):
    issuer, certificate, _ = _small_signed()
    with pytest.raises(PkiError):
        verify(b"%PDF-1.7\n" + junk, issuer, certificate)


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler's pdfsig is not installed")
def test_an_independent_reader_agrees(signed, tmp_path):
    form = tmp_path / "form.pdf"
    form.write_bytes(signed)
    said = subprocess.run(["pdfsig", "-nocert", str(form)], capture_output=True, text=True, check=True).stdout
    assert "Signature is Valid" in said
    assert "ETSI.CAdES.detached" in said
    assert "Total document signed" in said
    form.write_bytes(signed.replace(b"/MediaBox [ 0 0 595", b"/MediaBox [ 0 0 594"))
    said = subprocess.run(["pdfsig", "-nocert", str(form)], capture_output=True, text=True, check=False).stdout
    assert "Digest Mismatch" in said


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_the_detached_signature(signed, prepared, ca, tmp_path):
    start, end = prepared.state["gap"]
    files = {name: tmp_path / name for name in ("data", "cms", "root")}
    files["data"].write_bytes(signed[:start] + signed[end:])
    content = bytes.fromhex(signed[start + 1 : end - 1].decode())
    files["cms"].write_bytes(cms.ContentInfo.load(content).dump())
    files["root"].write_bytes(x509.load_der_x509_certificate(ca.root).public_bytes(Encoding.PEM))
    command = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", files["cms"], "-content"]
    command += [files["data"], "-CAfile", files["root"], "-purpose", "any", "-out", "/dev/null"]
    command += ["-attime", str(int(NOW.timestamp()))]
    subprocess.run(command, check=True, capture_output=True)
