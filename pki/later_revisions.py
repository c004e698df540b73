"""What programs append to a signed PDF for its long life: values for checking it, and document time stamps.

The part that was signed is judged alone, as if nothing followed. What follows may be of that one kind, is never
believed, and proves nothing: no time stamp makes up for anything that the signed part lacks.
"""

from __future__ import annotations

import hashlib
import io

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, ModificationLevel
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from pki import embedded_evidence
from pki.embedded_evidence import Evidence
from pki.errors import BadSignature

MOST_TIME_STAMPS = 8
_RANGE = b"/ByteRange"
_REVISION_END = b"startxref"
_END = b"%%EOF"


def signed_part(pdf: bytes) -> tuple[bytes, Evidence]:
    """Give the file as it was when it was signed, and what was brought along afterwards.

    A file with nothing behind its one signature comes back whole, and so does one that is built otherwise: whoever
    judges it finds what is wrong. `BadSignature` where something else than values and time stamps was appended.
    """
    try:
        reader = PdfFileReader(io.BytesIO(pdf))
        regular, stamps = reader.embedded_regular_signatures, reader.embedded_timestamp_signatures
        end = _end(regular[0]) if len(regular) == 1 else len(pdf)
    except Exception:  # noqa: BLE001 - the library names no closed list of exceptions; said by whoever reads it next
        return pdf, Evidence()
    if not 0 < end < len(pdf) or not (stamps or "/DSS" in reader.root):
        return pdf, Evidence()
    _require_only_additions(reader, regular[0], pdf, end)
    _require_time_stamps(stamps, pdf)
    return pdf[:end], embedded_evidence.of_store(reader)


def _end(signature: EmbeddedPdfSignature) -> int:
    numbers = [int(number) for number in signature.byte_range]
    return numbers[2] + numbers[3] if len(numbers) == 4 else 0


def _require_only_additions(reader: PdfFileReader, signature: EmbeddedPdfSignature, pdf: bytes, end: int) -> None:
    """Refuse whatever changes what is seen, stands outside of a revision, or hides the one that was signed."""
    if signature.evaluate_signature_coverage() is not SignatureCoverageLevel.ENTIRE_REVISION:
        raise BadSignature("the signed revision is not covered whole", code="signature-coverage")
    added = reader.xrefs.total_revisions - 1 - signature.signed_revision
    if pdf[end:].count(_REVISION_END) != added or not pdf[end:].rstrip(b"\r\n").endswith(_END):
        raise BadSignature("something stands outside of a revision", code="signature-coverage")
    try:
        found = DEFAULT_DIFF_POLICY.review_file(reader, signature.signed_revision)
    except Exception as unjudged:  # the library names no closed list of exceptions
        raise BadSignature("what was appended cannot be judged", code="document-changed") from unjudged
    if not isinstance(found, DiffResult) or found.modification_level is not ModificationLevel.LTA_UPDATES:
        raise BadSignature("more was appended than values and time stamps", code="document-changed")


def _require_time_stamps(stamps: list[EmbeddedPdfSignature], pdf: bytes) -> None:
    """Refuse a time stamp over other bytes than stand there: the file was changed, or the stamp is another's."""
    if len(stamps) > MOST_TIME_STAMPS or pdf.count(_RANGE) != 1 + len(stamps):
        raise BadSignature("more signatures than one, or hidden ones", code="signature-not-alone")
    for stamp in stamps:
        if not _is_whole(stamp):
            raise BadSignature("a time stamp does not fit the file", code="document-changed")


def _is_whole(stamp: EmbeddedPdfSignature) -> bool:
    try:
        token = stamp.signed_data["encap_content_info"]["content"]
        if token.parsed["message_imprint"]["hashed_message"].native != stamp.compute_digest():
            return False
        digest = hashlib.new(stamp.signer_info["digest_algorithm"]["algorithm"].native, bytes(token)).digest()
        intact, valid = validate_sig_integrity(stamp.signer_info, stamp.signer_cert, "tst_info", digest)
        covered: bool = stamp.evaluate_signature_coverage() >= SignatureCoverageLevel.ENTIRE_REVISION
    except Exception:  # noqa: BLE001 - the library names no closed list of exceptions; a stamp that breaks it is none
        return False
    return intact and valid and covered
