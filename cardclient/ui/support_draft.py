"""A request for help while it is written and sent: what goes out, once, however often it is tried."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from cardclient import __version__
from cardclient.contract import SupportReceipt, SupportRequest
from cardclient.support.log import Logbook
from cardclient.ui.phases import words_of
from cardclient.words import chosen, marked, tr

LONGEST_MESSAGE = 2000  # characters, as the API takes them
LONGEST_LOG = 100_000
FACTS = {
    "serial": marked("Numero di serie"),
    "family": marked("Sigla della carta"),
    "reader": marked("Lettore"),
    "driver": marked("Driver"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What the request is about. `step` is the phase's name, as the office knows it; `email` is the case's.

    `card` holds serial, family, reader and driver as far as known.
    """

    code: str
    step: str = ""
    words: str = ""  # the failure as it was shown
    case: str = ""
    email: str = ""
    card: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """The request as far as it has come; it outlives its dialog, so that closing and opening sends nothing twice."""

    trouble: Trouble
    message: str = ""
    email: str = ""
    with_log: bool = True
    sent: SupportRequest | None = None  # set when it went out and no answer is known: only this very one may go again
    receipt: SupportReceipt | None = None

    def __post_init__(self) -> None:
        """Begin with the mailbox of the case, where there is one."""
        self.email = self.email or self.trouble.email

    @property
    def needs_email(self) -> bool:
        """Whether nobody could answer without an address: only a case with a mailbox surely leads to the holder.

        A card's serial proves nothing to the office, and a case may be of a holder without a mailbox: the request would
        be taken and its answer go nowhere (`SupportReceipt.answer_to` None).
        """
        return not (self.trouble.case and self.trouble.email)

    def request(self, logbook: Logbook) -> SupportRequest:
        """Compose what goes out; while an answer is missing, the same again, for the office knows it by its id."""
        if self.sent is not None:
            return self.sent
        return SupportRequest(
            request_id=str(uuid.uuid4()),
            code=self.trouble.code,
            step=self.trouble.step,
            message=self._message(),
            email=self.email,
            language=chosen().value,
            client=f"sigillo-card {__version__}",
            system=f"{platform.system()} {platform.release()}",
            card=dict(self.trouble.card),
            log=logbook.excerpt(LONGEST_LOG) if self.with_log else None,
        )

    def _message(self) -> str:
        """The holder's words, and the case, which the office may not know without a session."""
        case = f"Pratica: {self.trouble.case}" if self.trouble.case else ""
        return "\n\n".join(part for part in (self.message.strip()[: LONGEST_MESSAGE - 60], case) if part)


def shown(request: SupportRequest) -> str:
    """Write out everything a request holds, line by line, for the holder's eyes."""
    card = [(tr(name), request.card.get(key) or "") for key, name in FACTS.items()]
    rows = [
        (tr("Codice dell'errore"), request.code),
        (tr("Passo"), words_of(request.step)),
        *card,
        (tr("Risposta a"), request.email),
        (tr("Programma"), request.client),
        (tr("Sistema"), request.system),
        (tr("Lingua"), request.language),
        (tr("Richiesta"), request.request_id),
    ]
    lines = [f"{name}: {value}" for name, value in rows if value]
    if request.message:
        lines += ["", f"{tr('Messaggio')}:", request.message]
    if request.log is not None:
        lines += ["", f"{tr('Log')}:", request.log]
    return "\n".join(lines)
