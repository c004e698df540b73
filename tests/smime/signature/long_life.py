"""Signed forms made to last: B-LT and B-LTA of PAdES and CAdES, as programs make them and as forgers would."""

from __future__ import annotations

import asyncio
import io
from datetime import datetime, timedelta
from functools import cache

from asn1crypto import cms, core, crl, keys, ocsp, x509
from cryptography import x509 as cx509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore

from config.demo.trust_scheme import Identity
from tests.smime.signature import mutations, responder, world
from tests.smime.signature.mutations import Mutation
from tests.smime.signature.responder import Said

STAMPED_AT = world.NOW - timedelta(minutes=20)
BASIC_ANSWER = "1.3.6.1.5.5.7.48.1.1"
REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"
CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23"
ARCHIVE_STAMP = "0.4.0.1733.2.4"
SIGNATURE_STAMP = "1.2.840.113549.1.9.16.2.14"


@cache
def authority() -> tuple[rsa.RSAPrivateKey, cx509.Certificate]:
    """A time stamping authority on no list: a stamp proves nothing here."""
    key = rsa.generate_private_key(65537, 2048)
    name = cx509.Name([cx509.NameAttribute(NameOID.COMMON_NAME, "Marca temporale di prova")])
    builder = (
        cx509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(world.ISSUED_AT)
        .not_valid_after(world.NOW + timedelta(days=700))
        .add_extension(cx509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    )
    return key, builder.sign(key, hashes.SHA256())


def stamper(at: datetime = STAMPED_AT) -> DummyTimeStamper:
    key, certificate = authority()
    return DummyTimeStamper(
        x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
        keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        fixed_dt=at,
        include_nonce=False,
    )


def revocation_list(*revoked: Identity, at: datetime = world.NOW - timedelta(hours=2), days: int = 7) -> bytes:
    return world.scheme().revocation_list(revoked, at=at, days=days)


def stored(*, lists: tuple[bytes, ...] = (), answers: tuple[bytes, ...] = ()) -> Mutation:
    """Append a document security store: B-LT."""

    def apply(pdf: bytes) -> bytes:
        output = io.BytesIO(pdf)
        DocumentSecurityStore.add_dss(
            output,
            None,
            certs=[x509.Certificate.load(world.scheme().authority.der)],
            crls=[crl.CertificateList.load(each) for each in lists],
            ocsps=[ocsp.OCSPResponse.load(each) for each in answers],
            force_write=True,
        )
        return output.getvalue()

    return apply


def stamped(pdf: bytes) -> bytes:
    """Append a document time stamp: B-LTA."""
    output = PdfTimeStamper(stamper()).timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), "sha256")
    return output.getvalue()


def chain(*steps: Mutation) -> Mutation:
    def apply(content: bytes) -> bytes:
        for step in steps:
            content = step(content)
        return content

    return apply


def with_revocation_list(pdf: bytes) -> bytes:
    return stored(lists=(revocation_list(),))(pdf)


def archived(pdf: bytes) -> bytes:
    """B-LTA: a store with everything, and a stamp over it."""
    return stamped(with_revocation_list(pdf))


def in_cms(*, lists: tuple[bytes, ...] = (), answers: tuple[bytes, ...] = (), kind: str = "whole") -> Mutation:
    """Put lists and answers where CAdES B-LT has them (EN 319 122-1 §5.4.2.2)."""

    def change(info: cms.ContentInfo) -> None:
        choices = [cms.RevocationInfoChoice("crl", crl.CertificateList.load(each)) for each in lists]
        for each in answers:
            whole = ocsp.OCSPResponse.load(each)
            value = whole if kind == "whole" else whole["response_bytes"]["response"].parsed
            name = "ocsp_response" if kind == "whole" else BASIC_ANSWER
            other = cms.OtherRevocationInfoFormat({"other_rev_info_format": name, "other_rev_info": value})
            choices.append(cms.RevocationInfoChoice("other", other))
        info["content"]["crls"] = cms.RevocationInfoChoices(choices)

    return mutations.edited(change)


def unsigned(*attributes: tuple[str, core.Asn1Value]) -> Mutation:
    """Add attributes that nobody has signed."""

    def change(info: cms.ContentInfo) -> None:
        signer = info["content"]["signer_infos"][0]
        made = [cms.CMSAttribute({"type": name, "values": [value]}) for name, value in attributes]
        signer["unsigned_attrs"] = cms.CMSAttributes(made)

    return mutations.edited(change)


def revocation_values(*, lists: tuple[bytes, ...] = (), answers: tuple[bytes, ...] = ()) -> tuple[str, core.Asn1Value]:
    """The attribute of RFC 5126 §6.3.4, written by hand."""
    basics = [ocsp.OCSPResponse.load(each)["response_bytes"]["response"].parsed.dump() for each in answers]
    parts = b"".join(_tagged(number, _sequence(b"".join(each))) for number, each in ((0, lists), (1, basics)) if each)
    return REVOCATION_VALUES, core.Any.load(_sequence(parts))


def time_stamp(imprint: bytes) -> cms.ContentInfo:
    """A token over this digest (SHA-256)."""
    return asyncio.run(stamper().async_timestamp(imprint, "sha256"))


def good(at: datetime | None = None) -> bytes:
    """An answer about the signer with a responder in the certificate."""
    said = Said() if at is None else Said(since=at, until=at + timedelta(days=7))
    return responder.answer(world.signer(responder_wish()), said)


def responder_wish():
    from config.demo.trust_scheme import Wish

    return Wish(revocation_list="", responder=responder.ADDRESS)


def _sequence(content: bytes) -> bytes:
    return _wrapped(0x30, content)


def _tagged(number: int, content: bytes) -> bytes:
    return _wrapped(0xA0 + number, content)


def _wrapped(tag: int, content: bytes) -> bytes:
    size = len(content)
    head = bytes([size]) if size < 128 else bytes([0x80 + (size.bit_length() + 7) // 8])
    long = b"" if size < 128 else size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + head + long + content


def _other_token(pdf: bytes) -> bytes:
    """Put another file's time stamp into this one's place."""
    other = archived(world.pades(by=world.signer(responder_wish())))
    start, end = _last_gap(pdf)
    from_start, from_end = _last_gap(other)
    token = other[from_start:from_end]
    assert len(token) == end - start
    return pdf[:start] + token + pdf[end:]


def _broken_token(pdf: bytes) -> bytes:
    start, end = _last_gap(pdf)
    used = start + len(pdf[start:end].rstrip(b"0"))
    return pdf[: used - 4] + (b"1" if pdf[used - 4 : used - 3] != b"1" else b"2") + pdf[used - 3 :]


def _last_gap(pdf: bytes) -> tuple[int, int]:
    start = pdf.rindex(b"/Contents <") + len(b"/Contents <")
    return start, pdf.index(b">", start)


def _between(pdf: bytes) -> bytes:
    """Put a comment between the signed revision and what follows."""
    end = pdf.index(b"%%EOF", mutations.gap(pdf)[1]) + 6
    return pdf[:end] + b"% altro\n" + pdf[end:]


def many_stamps(pdf: bytes) -> bytes:
    for _ in range(9):
        pdf = stamped(pdf)
    return pdf


FORGED: dict[str, Mutation] = {
    "a byte of the page": chain(archived, mutations.FIRST_PAGE),
    "a blank at the end": lambda pdf: archived(pdf) + b" ",
    "a comment at the end": lambda pdf: archived(pdf) + b"% altro\n",
    "half of it": lambda pdf: archived(pdf)[: len(pdf) + 200],
    "without its end": lambda pdf: archived(pdf)[:-10],
    "a comment between": chain(archived, _between),
    "an empty revision": lambda pdf: archived(pdf) + b"startxref" + archived(pdf).rpartition(b"startxref")[2],
    "painted over, then stored": chain(mutations.updated(mutations.draw), with_revocation_list),
    "painted over, then stamped": chain(mutations.updated(mutations.draw), stamped),
    "painted over, then stored and stamped": chain(mutations.updated(mutations.draw), archived),
    "stored, painted over": chain(with_revocation_list, mutations.updated(mutations.draw)),
    "stored, painted over, stamped": chain(with_revocation_list, mutations.updated(mutations.draw), stamped),
    "stamped, painted over": chain(archived, mutations.updated(mutations.draw)),
    "stamped, painted over, stamped again": chain(archived, mutations.updated(mutations.draw), stamped),
    "ink, then stamped": chain(mutations.updated(mutations.ink), stamped),
    "a second signature, then stamped": chain(mutations.second, stamped),
    "stamped, then a second signature": chain(archived, mutations.second),
    "another's signature above a stored one": chain(with_revocation_list, mutations.second),
    "the time stamp of another file": chain(archived, _other_token),
    "a broken time stamp": chain(archived, _broken_token),
    "nine time stamps": many_stamps,
    "saved anew after stamping": chain(archived, mutations.rewritten),
    "another form": lambda _: archived(world.pades(world.form_pdf(*mutations.OTHER_FORM))),
    "painted over before signing": lambda _: archived(world.pades(mutations.updated(mutations.draw)(world.form_pdf()))),
    "unsigned, but stamped": lambda _: stamped(world.form_pdf()),
    "unsigned, but stored and stamped": lambda _: archived(world.form_pdf()),
    "a tampered one, stamped": lambda pdf: stamped(mutations.FIRST_PAGE(pdf)),
    "another signature value, stamped": lambda pdf: archived(mutations.PDFS["another signature value"](pdf)),
    "a hidden range": lambda pdf: archived(pdf).replace(b"%%EOF", b"%/ByteRange\n%%EOF"),
}
"""What starts from our signed form and must not be accepted."""
