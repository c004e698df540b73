"""Contract texts in force: version and hash of exactly what the client shows. Italian, the language of the contract."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from renewals.flows import POLICIES
from renewals.states import TextKind

VERSION = "2026-11"

_CONTRACT = """CONDIZIONI GENERALI DEL SERVIZIO DI CERTIFICAZIONE

1. Oggetto. Il prestatore di servizi fiduciari emette per il titolare nuovi certificati in sostituzione di quelli in \
scadenza indicati nel modulo di rinnovo, per la durata prevista dal servizio.
2. Validità. I nuovi certificati valgono dal momento dell'installazione. La nuova scadenza decorre dalla scadenza dei \
certificati precedenti: rinnovare in anticipo non fa perdere alcun giorno.
3. Autorizzazione. Se l'accordo con il Centro di Registrazione Locale (CDRL) la prevede, il rinnovo deve essere \
autorizzato dal CDRL entro la scadenza dei certificati precedenti. In mancanza, i nuovi certificati sono sospesi; \
trascorsi 120 giorni dalla sospensione senza autorizzazione sono revocati in modo definitivo.
4. Codici. PIN, PUK e codice utente sono personali e vanno custoditi con la massima riservatezza.
5. Sospensione e revoca. Il titolare può chiedere in ogni momento la sospensione o la revoca dei propri certificati.
"""
_CLAUSES = """CLAUSOLE SPECIFICHE

Ai sensi degli articoli 1341 e 1342 del codice civile il titolare dichiara di approvare in modo specifico gli articoli \
3 (Autorizzazione), 4 (Codici) e 5 (Sospensione e revoca) delle Condizioni generali.
Il titolare dichiara inoltre che i dati riportati nel modulo di rinnovo sono esatti e completi e che il recapito di \
posta elettronica e il numero di cellulare indicati sono nella sua esclusiva disponibilità.
"""
_PRIVACY = """INFORMATIVA SUL TRATTAMENTO DEI DATI PERSONALI

I dati personali sono trattati per emettere e gestire i certificati, per inviare le comunicazioni di servizio e per \
adempiere agli obblighi di legge (articolo 32 del Codice dell'amministrazione digitale: conservazione per 20 anni).
I dati non sono diffusi. Il titolare può esercitare i diritti previsti dagli articoli 15 e seguenti del Regolamento \
(UE) 2016/679 rivolgendosi al CDRL o al prestatore del servizio.
"""
_ENCRYPTION = """AVVERTENZA SULLA CIFRATURA

Il rinnovo sostituisce le chiavi presenti sulla carta. Se la carta è stata usata per cifrare documenti o messaggi, \
dopo il rinnovo quei contenuti non potranno più essere aperti, perché la chiave di decifratura viene cancellata.
Chi ha usato la cifratura interrompa il rinnovo, decifri i propri contenuti oppure acquisti un nuovo servizio.
"""
_BODIES = {
    TextKind.CONTRACT: _CONTRACT,
    TextKind.CLAUSES: _CLAUSES,
    TextKind.PRIVACY: _PRIVACY,
    TextKind.ENCRYPTION_WARNING: _ENCRYPTION,
}


@dataclass(frozen=True, slots=True)
class Text:
    """One text as shown; `sha256` is of its UTF-8 bytes."""

    kind: str
    version: str
    title: str
    body: str
    sha256: str


@cache
def in_force(flow: str) -> tuple[Text, ...]:
    """Texts that the flow asks to accept, in the order shown."""
    return tuple(
        Text(kind.value, VERSION, kind.label, _BODIES[kind], hashlib.sha256(_BODIES[kind].encode()).hexdigest())
        for kind in POLICIES[flow].texts
    )
