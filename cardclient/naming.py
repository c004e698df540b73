"""Names of what a renewal writes on a card: derived from the case, so a rerun finds its work without a journal."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from cardclient.contract import Slot

LABEL = re.compile(r"sigillo:([A-Za-z0-9\-]{1,40}):(authentication|signature):(replaces|extends)")
ID_LENGTH = 20


@dataclass(frozen=True, slots=True)
class ObjectName:
    """CKA_LABEL and CKA_ID of a new pair and its certificate.

    `replaces` is written into the label so that a run cut off after completion knows, from the card alone, that the
    predecessor was meant to go.
    """

    case: str
    slot: Slot
    replaces: bool

    @property
    def label(self) -> str:
        """CKA_LABEL, readable without PIN."""
        return f"sigillo:{self.case}:{self.slot}:{'replaces' if self.replaces else 'extends'}"

    @property
    def id(self) -> bytes:
        """CKA_ID: the same for this case and slot whatever the label says."""
        return hashlib.sha256(f"sigillo:{self.case}:{self.slot}".encode("ascii")).digest()[:ID_LENGTH]


def read_label(label: str) -> ObjectName | None:
    """Recognise a label of ours; None for any other."""
    match = LABEL.fullmatch(label)
    return ObjectName(match[1], Slot(match[2]), match[3] == "replaces") if match else None
