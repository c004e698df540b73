"""Whether an attestation is signed digitally: seen once the scanner has called it clean, shown to officers as a hint.

Judged offline against the lists in force at that moment. It decides nothing: the officer compares the signer with the
referee of the letter, and calls back all the same (SBR 3.2.6).
"""

from __future__ import annotations

from datetime import datetime

from pki import signed_letter
from smime import file_contents
from smime.services import trusted_lists


def hint_of(content: bytes, *, at: datetime) -> str:
    """Give the validation's code and, behind a blank, the signer's name; empty where nothing is signed."""
    try:
        _, document = file_contents.unwrapped(content)
    except (file_contents.NotTaken, file_contents.TwoInOne):
        return ""
    seen = signed_letter.seen_in(content, document, lambda: trusted_lists.in_force(at).trust(at), at=at)
    return f"{seen.code} {seen.signer}".strip() if seen else ""
