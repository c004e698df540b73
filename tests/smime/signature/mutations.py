"""Tables of what may be done to a signed form: each entry makes a file that must not be accepted."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable

from asn1crypto import cms, core
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, StreamObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from config.demo import trust_scheme
from config.demo.trust_scheme import Wish
from tests.smime.signature import world

Mutation = Callable[[bytes], bytes]


def replaced(old: bytes, new: bytes) -> Mutation:
    def change(signed: bytes) -> bytes:
        assert old in signed, old
        return signed.replace(old, new, 1)

    return change


def flipped(at: Callable[[bytes], int]) -> Mutation:
    def change(signed: bytes) -> bytes:
        place = at(signed)
        return signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]

    return change


def byte_range(change: Callable[[list[int]], list[int]]) -> Mutation:
    """Write other numbers of the same width."""

    def apply(signed: bytes) -> bytes:
        found = re.search(rb"/ByteRange\s*\[([^\]]*)\]", signed)
        numbers = change([int(each) for each in found[1].split()])
        text = " ".join(str(each) for each in numbers).encode()
        return signed[: found.start(1)] + text.ljust(len(found[1])) + signed[found.end(1) :]

    return apply


def gap(signed: bytes) -> tuple[int, int]:
    """Where the hexadecimal digits of the CMS stand."""
    found = max(re.finditer(rb"<([0-9a-fA-F]{2000,})>", signed), key=lambda each: len(each[1]))
    return found.span(1)


def contents(change: Callable[[bytes], bytes]) -> Mutation:
    """Change the CMS inside the PDF, padded to its place."""

    def apply(signed: bytes) -> bytes:
        start, end = gap(signed)
        new = change(bytes.fromhex(signed[start:end].decode())).hex().encode()
        return signed[:start] + new.ljust(end - start, b"0")[: end - start] + signed[end:]

    return apply


def updated(change: Callable[[IncrementalPdfFileWriter], None]) -> Mutation:
    """Append a revision, as an editor does."""

    def apply(pdf: bytes) -> bytes:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        change(writer)
        output = io.BytesIO()
        writer.write(output)
        return output.getvalue()

    return apply


def draw(writer: IncrementalPdfFileWriter) -> None:
    """Paint over the page."""
    page, _ = writer.find_page_for_modification(0)
    stream = writer.add_object(StreamObject(stream_data=b"0 0 m 500 500 l S"))
    content = page.get_object().raw_get("/Contents")
    page.get_object()["/Contents"] = ArrayObject([content, stream])
    writer.update_container(page.get_object())


def ink(writer: IncrementalPdfFileWriter) -> None:
    """Draw with the mouse."""
    page, _ = writer.find_page_for_modification(0)
    shape = DictionaryObject(
        {
            pdf_name("/Type"): NameObject("/Annot"),
            pdf_name("/Subtype"): NameObject("/Ink"),
            pdf_name("/Rect"): ArrayObject([FloatObject(each) for each in (60, 70, 300, 130)]),
            pdf_name("/InkList"): ArrayObject(
                [ArrayObject([FloatObject(each) for each in (60, 70, 90, 120, 130, 80)])]
            ),
        }
    )
    annotations = page.get_object()["/Annots"]
    page.get_object()["/Annots"] = ArrayObject([*annotations, writer.add_object(shape)])
    writer.update_container(page.get_object())


def title(writer: IncrementalPdfFileWriter) -> None:
    """Change the document's title."""
    writer.set_info(writer.add_object(DictionaryObject({pdf_name("/Title"): NameObject("/Altro")})))


def second(signed: bytes, wish: Wish | None = None) -> bytes:
    from pyhanko.sign.fields import SigFieldSpec, append_signature_field

    with_field = updated(lambda writer: append_signature_field(writer, SigFieldSpec("Altra")))(signed)
    from asn1crypto import keys, x509
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner, sign_pdf
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    who = world.signer(wish)
    key = who.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    tool = SimpleSigner(
        signing_cert=x509.Certificate.load(who.der),
        signing_key=keys.PrivateKeyInfo.load(key),
        cert_registry=SimpleCertificateStore(),
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(with_field))
    return sign_pdf(writer, PdfSignatureMetadata(field_name="Altra"), signer=tool).getvalue()


def rewritten(pdf: bytes) -> bytes:
    """Save as a viewer does: all objects anew."""
    import pypdfium2

    output = io.BytesIO()
    with pypdfium2.PdfDocument(pdf) as document:
        document.save(output)
    return output.getvalue()


def encrypted(_signed: bytes) -> bytes:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(world.form_pdf())))
    writer.encrypt("segreta")
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def edited(change: Callable[[cms.ContentInfo], None]) -> Mutation:
    """Change a CMS in its parts."""

    def apply(signed: bytes) -> bytes:
        info = cms.ContentInfo.load(signed)
        change(info)
        return info.dump(force=True)

    return apply


def _signer(info: cms.ContentInfo) -> cms.SignerInfo:
    return info["content"]["signer_infos"][0]


def _other_value(info):
    value = bytearray(_signer(info)["signature"].native)
    value[-1] ^= 1
    _signer(info)["signature"] = bytes(value)


def _other_digest(info):
    for attribute in _signer(info)["signed_attrs"]:
        if attribute["type"].native == "message_digest":
            attribute["values"] = [core.OctetString(b"\0" * 32)]


def _without_attributes(info):
    del _signer(info)["signed_attrs"]


def _certificate_of(wish: Wish):
    def change(info):
        other = cms.CertificateChoices.load(world.signer(wish).der)
        info["content"]["certificates"] = cms.CertificateSet([other])

    return change


def _without_certificates(info):
    info["content"]["certificates"] = cms.CertificateSet([])


def _two_signers(info):
    infos = info["content"]["signer_infos"]
    info["content"]["signer_infos"] = cms.SignerInfos([infos[0], infos[0].copy()])


def _no_signer(info):
    info["content"]["signer_infos"] = cms.SignerInfos([])


def _content(new: bytes | None, kind: str = "data"):
    def change(info):
        wrapped = {"content_type": kind}
        if new is not None:
            wrapped["content"] = new
        info["content"]["encap_content_info"] = wrapped

    return change


def _digest_name(name: str):
    def change(info):
        _signer(info)["digest_algorithm"] = {"algorithm": name}

    return change


def _signature_name(info):
    _signer(info)["signature_algorithm"] = {"algorithm": "sha256_rsa"}


def _other_serial(info):
    _signer(info)["sid"].chosen["serial_number"] = 4711


def _enveloped(signed: bytes) -> bytes:
    return cms.ContentInfo({"content_type": "data", "content": core.OctetString(signed)}).dump()


FIRST_PAGE = flipped(lambda signed: signed.index(b"stream") + 60)
BEHIND_CMS = flipped(lambda signed: gap(signed)[1] - 3)
OTHER_FORM = ("11111111-0d51-4be2-9d3f-2a6cbb70d551", "K3PX-9QRT-7YWM-2HVD")

PDFS: dict[str, Mutation] = {
    "a byte of the page": FIRST_PAGE,
    "a byte of the header": replaced(b"%PDF-1.", b"%PDF-2."),
    "a blank at the end": lambda signed: signed + b" ",
    "a comment at the end": lambda signed: signed + b"\n% altro\n",
    "an empty revision": lambda signed: signed + signed[signed.rindex(b"startxref") :],
    "another title afterwards": updated(title),
    "painted over afterwards": updated(draw),
    "ink afterwards": updated(ink),
    "range ends earlier": byte_range(lambda n: [n[0], n[1], n[2], n[3] - 40]),
    "range begins later": byte_range(lambda n: [9, n[1] - 9, n[2], n[3]]),
    "range with a wider gap": byte_range(lambda n: [n[0], n[1] - 9, n[2], n[3]]),
    "range beyond the file": byte_range(lambda n: [n[0], n[1], n[2], n[3] + 9]),
    "range of nothing": byte_range(lambda n: [0, 0, 0, 0]),
    "range of two numbers": byte_range(lambda n: n[:2]),
    "range with negative numbers": byte_range(lambda n: [n[0], -1, n[2], n[3]]),
    "no CMS": contents(lambda _: b""),
    "the CMS of another form": contents(
        lambda _: bytes.fromhex(
            (other := world.pades(world.form_pdf(*OTHER_FORM)))[slice(*gap(other))].decode()
        ).rstrip(b"\0")
    ),
    "something behind the CMS": BEHIND_CMS,
    "another signature value": contents(lambda der: edited(_other_value)(der.rstrip(b"\0"))),
    "another digest": contents(lambda der: edited(_other_digest)(der.rstrip(b"\0"))),
    "another's certificate": contents(lambda der: edited(_certificate_of(Wish(given_name="Anna")))(der.rstrip(b"\0"))),
    "half of it": lambda signed: signed[: len(signed) // 2],
    "without its end": lambda signed: signed[:-10],
    "a second signature by the same": second,
    "a second signature by another": lambda signed: second(signed, Wish(serial_number="TINIT-RSSMRA80A01H501U")),
    "another kind of signature": replaced(b"/ETSI.CAdES.detached", b"/adbe.x509.rsa_sha1 "),
    "a time stamp instead": replaced(b"/ETSI.CAdES.detached", b"/ETSI.RFC3161       "),
    "something before the header": lambda signed: b"MZ" + signed,
    "a second range in a comment": lambda signed: signed + b"\n%/ByteRange [0 1 2 3]\n",
    "line ends of another system": lambda signed: signed.replace(b"\n", b"\r\n"),
    "another form": lambda _: world.pades(world.form_pdf(*OTHER_FORM)),
    "a form with another mailbox": lambda _: world.pades(world.form_pdf(mailbox="altro@example.org")),
    "painted over before signing": lambda _: world.pades(updated(draw)(world.form_pdf())),
    "ink before signing": lambda _: world.pades(updated(ink)(world.form_pdf())),
    "saved anew before signing": lambda _: world.pades(rewritten(world.form_pdf())),
    "unsigned": lambda _: world.form_pdf(),
    "ink instead of a signature": lambda _: updated(ink)(world.form_pdf()),
    "encrypted": encrypted,
    "saved anew after signing": rewritten,
}

CMS: dict[str, Mutation] = {
    "a byte of the document": flipped(lambda signed: signed.index(b"%PDF-") + 400),
    "a byte of the signature": edited(_other_value),
    "another digest": edited(_other_digest),
    "no signed attributes": edited(_without_attributes),
    "another's certificate": edited(_certificate_of(Wish(given_name="Anna"))),
    "a stranger's certificate": edited(_certificate_of(Wish(serial_number="TINIT-RSSMRA80A01H501U"))),
    "no certificate": edited(_without_certificates),
    "two signers": edited(_two_signers),
    "no signer": edited(_no_signer),
    "without the document": edited(_content(None)),
    "with an empty document": edited(_content(b"")),
    "something behind it": lambda signed: signed + b"\0\0",
    "a PDF behind it": lambda signed: signed + world.form_pdf(),
    "without its end": lambda signed: signed[:-4],
    "half of it": lambda signed: signed[: len(signed) // 2],
    "said to be SHA-1": edited(_digest_name("sha1")),
    "said to be MD5": edited(_digest_name("md5")),
    "said to be SHA-512": edited(_digest_name("sha512")),
    "said to be RSA": edited(_signature_name),
    "another serial number": edited(_other_serial),
    "no signed data": _enveloped,
    "base64 with a wrong letter": lambda signed: b"*" + base64.b64encode(signed)[1:],
    "base64 cut short": lambda signed: base64.b64encode(signed)[:-3],
    "PEM without its end": lambda signed: b"-----BEGIN PKCS7-----\n" + base64.encodebytes(signed),
    "four layers": lambda signed: world.cades(world.cades(world.cades(signed))),
    "wrapped by somebody unlisted": lambda signed: trust_scheme.sign_cms(
        signed, trust_scheme.found(world.NOW).signer(at=world.ISSUED_AT), at=world.SIGNED_AT
    ),
    "a tampered one wrapped": lambda signed: world.cades(edited(_other_value)(signed)),
    "a tampered PDF wrapped": lambda _: world.cades(FIRST_PAGE(world.pades())),
    "the signed text of another form": lambda _: world.cades(world.form_pdf(*OTHER_FORM)),
}
