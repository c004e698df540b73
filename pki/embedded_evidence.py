"""What a signed file brings along about certificates: B-LT and B-LTA of PAdES (EN 319 142-1 §5.4) and CAdES.

Nothing of it is believed here. Each list and answer is verified by whoever uses it, and counts only while it is fresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from asn1crypto import cms, core, crl, ocsp, x509
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, StreamObject
from pyhanko.pdf_utils.reader import PdfFileReader

MOST_PIECES = 100
_BASIC_ANSWER = "1.3.6.1.5.5.7.48.1.1"  # id-pkix-ocsp-basic, as EN 319 122-1 §5.4.2.2 puts it among the lists
_CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23"
_REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"
_ADOBE_ARCHIVAL = "1.2.840.113583.1.1.8"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Certificates, revocation lists and answers of responders (DER), as they were found."""

    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    lists: tuple[bytes, ...] = field(default=(), repr=False)
    answers: tuple[bytes, ...] = field(default=(), repr=False)

    def with_more(self, other: Evidence) -> Evidence:
        """Put two findings together, each piece once; a file that brings absurdly many is cut off."""
        return Evidence(
            _some((*self.certificates, *other.certificates)),
            _some((*self.lists, *other.lists)),
            _some((*self.answers, *other.answers)),
        )


class _Lists(core.SequenceOf):  # type: ignore[misc]  # the library has no types
    _child_spec = crl.CertificateList


class _Certificates(core.SequenceOf):  # type: ignore[misc]  # the library has no types
    _child_spec = x509.Certificate


class _Answers(core.SequenceOf):  # type: ignore[misc]  # the library has no types
    _child_spec = ocsp.OCSPResponse


class _BasicAnswers(core.SequenceOf):  # type: ignore[misc]  # the library has no types
    _child_spec = ocsp.BasicOCSPResponse


class _RevocationValues(core.Sequence):  # type: ignore[misc]  # the library has no types
    """RFC 5126 §6.3.4; what stands behind the two lists is not read."""

    _fields = [
        ("lists", _Lists, {"explicit": 0, "optional": True}),
        ("answers", _BasicAnswers, {"explicit": 1, "optional": True}),
        ("others", core.Any, {"explicit": 2, "optional": True}),
    ]


class _AdobeArchival(core.Sequence):  # type: ignore[misc]  # the library has no types
    """ISO 32000-1 §12.8.3.3.2, a signed attribute of signatures made by older programs."""

    _fields = [
        ("lists", _Lists, {"explicit": 0, "optional": True}),
        ("answers", _Answers, {"explicit": 1, "optional": True}),
        ("others", core.Any, {"explicit": 2, "optional": True}),
    ]


def of_signature(signed: cms.SignedData) -> Evidence:
    """Read what lies in the CMS itself: its own lists, and the attributes that programs put values into."""
    found = _of_choices(signed["crls"])
    signer = signed["signer_infos"][0]
    for attribute in (*_given(signer["signed_attrs"]), *_given(signer["unsigned_attrs"])):
        try:
            found = found.with_more(_of_attribute(attribute))
        except (ValueError, TypeError, KeyError):
            continue  # an attribute that cannot be read brings nothing along
    return found


def of_store(reader: PdfFileReader) -> Evidence:
    """Read a PDF's document security store; an absent one is empty. Unreadable pieces are left out."""
    store = _entry(reader.root, "/DSS")
    if not isinstance(store, DictionaryObject):
        return Evidence()
    return Evidence(*(_some(_streams(_entry(store, name))) for name in ("/Certs", "/CRLs", "/OCSPs")))


def certificates(evidence: Evidence) -> list[x509.Certificate]:
    """Parse the certificates; they may complete a path and are trusted for nothing."""
    return [found for each in evidence.certificates if (found := _certificate(each)) is not None]


def _of_choices(choices: core.Asn1Value) -> Evidence:
    lists: list[bytes] = []
    answers: list[bytes] = []
    for choice in _given(choices):
        if choice.name == "crl":
            lists.append(choice.chosen.dump())
        elif choice.chosen["other_rev_info_format"].native == "ocsp_response":
            answers.append(choice.chosen["other_rev_info"].dump())
        elif choice.chosen["other_rev_info_format"].dotted == _BASIC_ANSWER:
            answers.append(_whole(choice.chosen["other_rev_info"].dump()))
    return Evidence((), _some(lists), _some(answers))


def _of_attribute(attribute: cms.CMSAttribute) -> Evidence:
    kind, value = attribute["type"].dotted, attribute["values"][0].dump()
    if kind == _CERTIFICATE_VALUES:
        return Evidence(_some(each.dump() for each in _Certificates.load(value)))
    if kind == _REVOCATION_VALUES:
        values = _RevocationValues.load(value)
        answers = [_whole(each.dump()) for each in _given(values["answers"])]
    elif kind == _ADOBE_ARCHIVAL:
        values = _AdobeArchival.load(value)
        answers = [each.dump() for each in _given(values["answers"])]
    else:
        return Evidence()
    return Evidence((), _some(each.dump() for each in _given(values["lists"])), _some(answers))


def _given(values: core.Asn1Value) -> Iterable[core.Asn1Value]:
    return () if values is None or isinstance(values, core.Void) else values


def _whole(basic: bytes) -> bytes:
    """Put the envelope around a bare answer, which values inside of a CMS lack."""
    inner = {"response_type": "basic_ocsp_response", "response": core.ParsableOctetString(basic)}
    encoded: bytes = ocsp.OCSPResponse({"response_status": "successful", "response_bytes": inner}).dump()
    return encoded


def _entry(container: DictionaryObject, name: str) -> object:
    """Look an entry up; unlike `get`, brackets follow its reference."""
    return container[name] if name in container else None  # noqa: SIM401


def _streams(pieces: object) -> Iterator[bytes]:
    for piece in pieces if isinstance(pieces, ArrayObject) else ():
        stream = piece.get_object()
        if isinstance(stream, StreamObject):
            try:
                yield stream.data  # the library bounds what a stream unpacks to
            except Exception:  # noqa: BLE001, S112 - it names no closed list of exceptions
                continue


def _some(pieces: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(islice(dict.fromkeys(pieces), MOST_PIECES))


def _certificate(encoded: bytes) -> x509.Certificate | None:
    try:
        found = x509.Certificate.load(encoded, strict=True)
        found.subject.dump(), found.public_key.dump(), found.extended_key_usage_value
    except (ValueError, TypeError, KeyError):
        return None
    return found
