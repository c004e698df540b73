"""A letter that somebody has signed digitally: who, and whether as a qualified signature. A hint, and never a proof.

No form of ours is expected, and the person is not known beforehand: an officer compares the name with the letter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import x509

from pki.errors import PkiError
from pki.qualified_files import Layer, open_signed
from pki.qualified_revocation import Trust
from pki.qualified_signature import Verdict, judge_layer, signer_of

UNSIGNED = frozenset({"signature-missing", "file-unknown", "file-encrypted", "file-too-large"})
"""Codes of files without a digital signature, or of no kind that could carry one: pictures, plain PDFs."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is said of a letter's outermost signature: `code` as for signed forms; `signer` as his certificate says."""

    verdict: Verdict
    code: str
    signer: str = field(default="", repr=False)


def seen_in(content: bytes, document: bytes, trust: Callable[[], Trust], *, at: datetime) -> Seen | None:
    """Look for a signature in a PDF, or around it (.p7m); None where there is none. Never raises, fetches nothing.

    `document`: the bytes inside all .p7m wrappings, `content` itself where there are none. `trust` is asked for only
    where something is signed: reading the lists of all countries takes a while.
    """
    try:
        layer = open_signed(content, document, ()).layers[0]
        judgement = judge_layer(layer, trust(), at=at)
    except PkiError as refusal:
        return None if refusal.code in UNSIGNED else Seen(Verdict.REFUSED, refusal.code)
    except Exception:  # noqa: BLE001 - the libraries name no closed list of exceptions; what is unreadable gives no hint
        return None
    return Seen(judgement.verdict, judgement.code, _name_of(layer))


def _name_of(layer: Layer) -> str:
    certificate: x509.Certificate = signer_of(layer)
    said = certificate.subject.native
    whole = said.get("common_name") or f"{said.get('given_name', '')} {said.get('surname', '')}"
    return " ".join(whole.split())[:120] if isinstance(whole, str) else ""
