"""Crafted PDFs: each is signed with the right key, or keeps the right signature, and is refused all the same."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import re
import socket

import pytest
from asn1crypto import algos, cms, core, tsp
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.generic import NameObject, pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from pki import pades, profiles
from pki.errors import BadSignature, PkiError
from pki.gateway import Profile
from tests.pki.demo_ca import SIGNER, THREE_YEARS, sign, spki
from tests.pki.test_pades import FORM, NOW, REASON, verify


@pytest.fixture(scope="session")
def key(ec_key):
    return ec_key


@pytest.fixture(scope="session")
def certificate(ca, key):
    return ca.issue(Profile.QUALIFIED_SIGNATURE, key)


@pytest.fixture(scope="session")
def prepared(ca, certificate):
    return pades.prepare(FORM, certificate, [ca.certificate], signing_time=NOW, reason=REASON)


@pytest.fixture(scope="session")
def signed(prepared, key):
    return pades.finish(prepared, sign(key, prepared.signed_attributes))


@pytest.fixture
def content(signed, prepared):
    """The CMS of the good signature, to be spoilt."""
    start, end = prepared.state["gap"]
    return cms.ContentInfo.load(bytes.fromhex(signed[start + 1 : end - 1].decode()))


def filled(prepared, content) -> bytes:
    """The prepared PDF with any CMS in its gap."""
    start, end = prepared.state["gap"]
    digits = content.dump(force=True).hex().upper().encode()
    return prepared.pdf[: start + 1] + digits.ljust(end - start - 2, b"0") + prepared.pdf[end - 1 :]


def refuse(pdf, ca, certificate):
    with pytest.raises(BadSignature):
        verify(pdf, ca, certificate)


def test_the_good_one_passes(prepared, content, ca, certificate):
    verify(filled(prepared, content), ca, certificate)


# CMS structures around a signature that verifies


def unsigned_attribute(data, _):
    value = cms.CMSAttribute({"type": "1.2.3.4.5", "values": [core.UTF8String("nobody signed this")]})
    data["signer_infos"][0]["unsigned_attrs"] = [value]


def foreign_certificate(data, other):
    data["certificates"].append(cms.CertificateChoices.load(other))


def second_signer(data, _):
    data["signer_infos"].append(data["signer_infos"][0].copy())


def no_signer(data, _):
    data["signer_infos"] = []


def attached_content(data, _):
    data["encap_content_info"]["content"] = b"something else to read"


def second_digest_algorithm(data, _):
    data["digest_algorithms"].append(algos.DigestAlgorithm({"algorithm": "sha1"}))


def other_version(data, _):
    data["version"] = "v3"


def no_certificates(data, _):
    data["certificates"] = []


@pytest.mark.parametrize(
    "spoil",
    [
        unsigned_attribute,
        foreign_certificate,
        second_signer,
        no_signer,
        attached_content,
        second_digest_algorithm,
        other_version,
        no_certificates,
    ],
)
def test_another_structure_around_the_same_signature_is_refused(prepared, content, ca, ec_ca, certificate, spoil):
    spoil(content["content"], ec_ca.certificate)
    with pytest.raises(PkiError):
        verify(filled(prepared, content), ca, certificate)


# Signed attributes that the right key signed, but that say something else


def extra_attribute(attributes, _):
    return [*attributes, cms.CMSAttribute({"type": "1.2.3.4.5", "values": [core.UTF8String("pay 100 euro")]})]


def without(name):
    def change(attributes, _):
        return [attribute for attribute in attributes if attribute["type"].native != name]

    change.__name__ = f"without_{name}"
    return change


def other_digest(attributes, _):
    for attribute in attributes:
        if attribute["type"].native == "message_digest":
            attribute["values"] = [hashlib.sha256(b"another document").digest()]
    return attributes


def other_certificate(attributes, other):
    for attribute in attributes:
        if attribute["type"].native == "signing_certificate_v2":
            identifier = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(other).digest()})
            attribute["values"] = [tsp.SigningCertificateV2({"certs": [identifier]})]
    return attributes


def twice(attributes, _):
    return [*attributes, attributes[0].copy()]


def with_signing_time(attributes, _):
    time = cms.Time({"utc_time": core.UTCTime(NOW)})
    return [*attributes, cms.CMSAttribute({"type": "signing_time", "values": [time]})]


@pytest.mark.parametrize(
    "change",
    [
        extra_attribute,
        without("message_digest"),
        without("signing_certificate_v2"),
        without("content_type"),
        other_digest,
        other_certificate,
        twice,
        with_signing_time,
    ],
    ids=lambda change: change.__name__,
)
def test_other_attributes_are_refused_though_the_key_signed_them(
    prepared, content, ca, ec_ca, certificate, key, change
):
    info = content["content"]["signer_infos"][0]
    attributes = cms.CMSAttributes(change(list(info["signed_attrs"].untag()), ec_ca.certificate))
    info["signed_attrs"] = attributes
    info["signature"] = sign(key, attributes.dump(force=True))
    refuse(filled(prepared, content), ca, certificate)


def test_another_hash_is_refused_though_the_key_signed_it(prepared, content, ca, certificate, key):
    from cryptography.hazmat.primitives import hashes

    start, end = prepared.state["gap"]
    info = content["content"]["signer_infos"][0]
    attributes = list(info["signed_attrs"].untag())
    for attribute in attributes:
        if attribute["type"].native == "message_digest":
            attribute["values"] = [hashlib.sha512(prepared.pdf[:start] + prepared.pdf[end:]).digest()]
    info["signed_attrs"] = cms.CMSAttributes(attributes)
    info["digest_algorithm"] = {"algorithm": "sha512"}
    info["signature_algorithm"] = {"algorithm": "sha512_ecdsa"}
    content["content"]["digest_algorithms"] = [{"algorithm": "sha512"}]
    info["signature"] = key.sign(cms.CMSAttributes(attributes).dump(force=True), ec.ECDSA(hashes.SHA512()))
    refuse(filled(prepared, content), ca, certificate)


# Documents around a signature that verifies


def update_of(signed, change) -> bytes:
    """An incremental update: what most attacks on viewers start from."""
    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    change(writer)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def replaced_page(writer):
    page = writer.root["/Pages"]["/Kids"][0]
    page[NameObject("/MediaBox")] = page["/MediaBox"]
    page[NameObject("/Contents")] = writer.add_object(pdf_string("another page"))
    writer.mark_update(page.container_ref)


def removed_signature(writer):
    del writer.root["/AcroForm"]["/Fields"][0]
    writer.update_root()


def emptied_field(writer):
    field = writer.root["/AcroForm"]["/Fields"][0]
    del field["/V"]
    writer.mark_update(field.container_ref)


def script_on_opening(writer):
    writer.root["/OpenAction"] = pdf_name("/Named")
    writer.update_root()


@pytest.mark.parametrize("change", [replaced_page, removed_signature, emptied_field, script_on_opening])
def test_update_behind_the_signature_is_refused(signed, ca, certificate, change):
    pdf = update_of(signed, change)
    assert pdf.startswith(signed)
    refuse(pdf, ca, certificate)


BYTE_RANGE = re.compile(rb"/ByteRange \[([^\]]+)\]")


def with_range(signed, new):
    """The same file with another ByteRange of the same length."""
    found = BYTE_RANGE.search(signed)
    numbers = [int(number) for number in found[1].split()]
    text = b" ".join(str(number).encode() for number in new(*numbers))
    return signed[: found.start(1)] + text.ljust(len(found[1])) + signed[found.end(1) :]


@pytest.mark.parametrize(
    "new",
    [
        lambda start, length, resume, rest: (start + 1, length - 1, resume, rest),
        lambda start, length, resume, rest: (start, length - 1, resume, rest),
        lambda start, length, resume, rest: (start, length, resume + 1, rest - 1),
        lambda start, length, resume, rest: (start, length, resume, rest - 1),
        lambda start, length, resume, rest: (start, length, resume, rest + 9),
        lambda start, length, resume, rest: (start, length),
        lambda start, length, resume, rest: (0, 0, 0, 0),
        lambda start, length, resume, rest: (resume, rest, start, length),
    ],
)
def test_another_byte_range_is_refused(signed, ca, certificate, new):
    with pytest.raises(PkiError):
        verify(with_range(signed, new), ca, certificate)


@pytest.mark.parametrize(
    "change",
    [
        lambda pdf: pdf.replace(b"/ETSI.CAdES.detached", b"/adbe.pkcs7.detached"),
        lambda pdf: pdf.replace(b"/ByteRange", b"/BiteRange"),
        lambda pdf: b"\n" + pdf,
        lambda pdf: pdf[:-1],
        lambda pdf: pdf + FORM,
        lambda pdf: pdf.replace(b"/Reason (Richiesta", b"/Reason (richiesta"),
        lambda pdf: pdf.replace(b"20281220103000Z", b"20281220103001Z"),
    ],
)
def test_spoilt_file_is_refused(signed, ca, certificate, change):
    assert change(signed) != signed
    with pytest.raises(PkiError):
        verify(change(signed), ca, certificate)


def test_lowercase_digits_in_the_gap_are_refused(signed, prepared, ca, certificate):
    start, end = prepared.state["gap"]
    refuse(signed[:start] + signed[start:end].lower() + signed[end:], ca, certificate)


def test_signature_of_another_form_does_not_fit(ca, certificate, key, prepared):
    other = pades.prepare(FORM.replace(b"595", b"596"), certificate, [ca.certificate], signing_time=NOW, reason=REASON)
    with pytest.raises(BadSignature):
        pades.finish(prepared, sign(key, other.signed_attributes))


def test_no_address_in_a_certificate_is_ever_called(ca, key):
    """Addresses in certificates are for relying parties; a verifier that calls them can be sent anywhere."""
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.05)
        address = f"http://127.0.0.1:{trap.getsockname()[1]}"
        facts = dataclasses.replace(ca.facts, ocsp_url=f"{address}/ocsp", ca_url=f"{address}/ca.crt")
        builder = profiles.build_leaf(
            Profile.QUALIFIED_SIGNATURE, SIGNER, spki(key), THREE_YEARS, 1 << 100, facts, f"{address}/crl"
        )
        baited = ca.signed(ca.unsigned(builder))
        prepared = pades.prepare(FORM, baited, [ca.certificate], signing_time=NOW, reason=REASON)
        verify(pades.finish(prepared, sign(key, prepared.signed_attributes)), ca, baited)
        with pytest.raises(TimeoutError):
            trap.accept()
