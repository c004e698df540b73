"""What can stop a renewal on the client's side: one class per kind, one stable code per cause (noun-reason).

Texts for people are in `messages.py`, exit statuses in `exits.py`; an exception holds codes only, so never a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


class ClientError(Exception):
    """Base of everything this program raises on purpose; `code` is stable and documented in README.md."""

    code = "client-error"
    facts: Mapping[str, str] = MappingProxyType({})  # what the code's words name: a host, an issuer; never a secret

    def __init__(self, code: str | None = None, *, operation: str = "") -> None:
        """Keep the code and the name of the operation that failed; no free text on purpose."""
        self.code = code or self.code
        self.operation = operation
        super().__init__(self.code if not operation else f"{self.code} ({operation})")

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the pipe between the card process and this one."""
        return _revive, (type(self), self.code, self.operation)


def _revive(kind: type[ClientError], code: str, operation: str) -> ClientError:
    return kind(code, operation=operation)


class CardError(ClientError):
    """The card, reader or driver failed for a reason other than a wrong code (guide: "Errore accesso carta")."""

    code = "card-access"


class CardUpdateError(CardError):
    """Writing to the card failed: key generation, certificate, deletion (guide: "Errore aggiornamento carta")."""

    code = "card-update"


class NoCard(CardError):
    """No card in any reader."""

    code = "card-absent"


class CardRemoved(CardError):
    """The card was taken out, or the reader unplugged, while it was needed."""

    code = "card-removed"


class AnotherCard(CardError):
    """The card in the reader is not the one this renewal began with."""

    code = "card-changed"


class WrongPin(CardError):
    """The card refused the PIN; a try was used up."""

    code = "pin-wrong"


class PinLocked(CardError):
    """The PIN is locked; only the PUK opens it."""

    code = "pin-locked"


class PinLength(CardError):
    """The code cannot be a PIN (length or characters); the card has not counted a try."""

    code = "pin-length"


class WrongPuk(CardError):
    """The card refused the PUK; a try was used up."""

    code = "puk-wrong"


class PukLocked(CardError):
    """The PUK is locked: this card can never be renewed again (guide, SogeiExtend §3)."""

    code = "puk-locked"


class DriverError(CardError):
    """The PKCS#11 module is missing, died, or did not answer in time."""

    code = "driver-failed"


class DriverNeeded(DriverError):
    """The card's family is known and its driver is not on this computer; the facts name family, driver and address."""

    code = "driver-needed"

    def __init__(self, family: str, driver: str, address: str) -> None:
        """Keep what the holder must install, and from where."""
        super().__init__()
        self.facts = {"family": family, "driver": driver, "address": address}

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the facts across a pipe."""
        return type(self), tuple(self.facts[name] for name in ("family", "driver", "address"))


class OfficeUnreachable(ClientError):
    """No usable answer came from the server (guide: "Errore di connessione al server. Riprova più tardi")."""

    code = "server-unreachable"


class OfficeRefusal(ClientError):
    """The server refused with problem+json (RFC 9457): code, Italian detail, action, guide's label or None."""

    def __init__(
        self, code: str, *, status: int, detail: str = "", action: str = "none", message: str | None = None
    ) -> None:
        """Keep the parts of the problem document; `status` is the HTTP status."""
        super().__init__(code)
        self.status = status
        self.detail = detail
        self.action = action
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        """Never crosses a pipe; stated so that the base class's way is not used by mistake."""
        raise TypeError


class Distrusted(ClientError):
    """The server asked for what this client does not sign, or answered what cannot be right. Nothing was signed."""

    code = "answer-distrusted"


class NotRenewable(ClientError):
    """The scan found no certificate that can be renewed; the code is the office's verdict."""

    code = "not-renewable"

    def __init__(self, code: str | None = None, *, message: str | None = None, advice: str | None = None) -> None:
        """Keep the office's own words: the guide's label and what to do."""
        super().__init__(code)
        self.message = message
        self.advice = advice


class Declined(ClientError):
    """The holder stopped: texts not accepted, form not signed, last try not wanted."""

    code = "holder-declined"


class InputNeeded(ClientError):
    """A value only the holder knows is missing (contacts, mailed code, choice of a certificate); run again with it."""

    code = "input-needed"


class StillPending(ClientError):
    """The office has not issued yet; running again later goes on from here."""

    code = "certificates-pending"


class ClientOutdated(ClientError):
    """This program is older than the office serves, or does not know what the office asks: get the new one.

    `download` is the page the office names (None where it names none); `minimum` the oldest version it serves.
    """

    code = "client-outdated"

    def __init__(self, code: str | None = None, *, download: str | None = None, minimum: str = "") -> None:
        """Keep where the new version is."""
        super().__init__(code)
        self.download = download
        self.minimum = minimum
