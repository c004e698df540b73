"""The terms of S/MIME certificates: version and hash of exactly what is shown. Italian, the contract's language."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

KIND = "terms"
VERSION = "2026-11"
_TITLE = "Termini e condizioni dei certificati S/MIME"
_BODY = """1. Oggetto. Il prestatore emette un certificato S/MIME del tipo acquistato per una sola casella di posta \
elettronica, dopo aver superato le verifiche previste per quel tipo dai CA/Browser Forum S/MIME Baseline Requirements.
2. Dati esatti. Chi richiede il certificato garantisce che i dati indicati sono esatti e completi, e comunica senza \
ritardo ogni variazione, anche dopo l'emissione.
3. Custodia. Il destinatario custodisce la chiave privata e la password del certificato, non le cede ad altri e usa il \
certificato solo per la casella indicata e nel rispetto della legge.
4. Copia della chiave. Se la chiave è generata dal servizio, il file .p12 resta disponibile per un tempo e un numero \
di scaricamenti limitati ed è poi distrutto. Senza una copia conservata dal destinatario la chiave non è recuperabile \
e i messaggi cifrati non si possono più leggere.
5. Password. La password del file è inviata una sola volta alla casella del destinatario e non è conservata: se va \
persa, il certificato viene riemesso con una nuova chiave e il precedente è revocato.
6. Revoca. Il destinatario e chi ha acquistato il certificato chiedono subito la revoca se la chiave è compromessa, se \
la casella non è più controllata dal destinatario o se i dati del certificato non sono più esatti. Il prestatore \
revoca il certificato nei casi e nei termini (24 ore o 5 giorni) previsti dai Baseline Requirements.
7. Verifiche ripetute. La verifica della casella vale 30 giorni e le altre 825 giorni: se scadono prima \
dell'emissione, vengono ripetute.
8. Cessazione dell'uso. Dopo la scadenza o la revoca il destinatario non usa più la chiave per firmare; la conserva \
per leggere i messaggi già ricevuti.
"""


@dataclass(frozen=True, slots=True)
class Text:
    """A text as shown; `sha256` is of its UTF-8 bytes."""

    kind: str
    version: str
    title: str
    body: str
    sha256: str


@cache
def in_force() -> Text:
    """The terms that buyers accept with the order, and recipients who are not the buyer by their mailed link."""
    return Text(KIND, VERSION, _TITLE, _BODY, hashlib.sha256(_BODY.encode()).hexdigest())
