"""What a reader's name tells: contact or contactless, and whether a driver's name for it means the same reader."""

from __future__ import annotations

import enum
import re

_CONTACTLESS = re.compile(r"\b(?:PICC|CL|NFC|RFID|contactless)\b|\d+CL\b", re.IGNORECASE)
_COUNTERS = re.compile(r"(?:\s+\d{1,2}){1,2}$")  # "… 00 00": pcsc-lite's numbers of the reader and its slot
SLOT_NAME_LENGTH = 64  # CK_SLOT_INFO.slotDescription (PKCS#11 v2.40 §3.2)


class Interface(enum.StrEnum):
    """How a reader speaks to a card; a dual reader shows itself as one reader of each kind."""

    CONTACT = "contact"
    CONTACTLESS = "contactless"


def interface_of(reader: str) -> Interface:
    """Guess the interface from the name, as makers write it: PICC, CL, Contactless; any other is for contacts."""
    return Interface.CONTACTLESS if _CONTACTLESS.search(reader) else Interface.CONTACT


def is_same_reader(system_name: str, driver_name: str) -> bool:
    """Tell whether PC/SC's and a driver's name mean one reader.

    Drivers pass the name on, cut to 64 octets and padded, some without the counters at its end.
    """
    ours, theirs = system_name.strip(), driver_name.strip()
    if not theirs:
        return False
    cut = ours.encode("utf-8", "surrogateescape")[:SLOT_NAME_LENGTH].decode("utf-8", "ignore").strip()
    return theirs in {ours, cut, _COUNTERS.sub("", ours)}
