"""Contract texts in force: version and hash of exactly what the client shows. Italian, the language of the contract."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from cms.states import Flow
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
_TERMS_OF_USE = """CONDIZIONI D'USO DEL SERVIZIO DI ESTENSIONE

1. Oggetto. Il servizio prolunga fino alla data stabilita dalla campagna di estensione l'uso della tessera sanitaria - \
carta nazionale dei servizi (TS-CNS): sulla tessera vengono generate nuove chiavi e installato un nuovo certificato \
di autenticazione. Gli altri dati e certificati della tessera non cambiano.
2. Chi può usarlo. Il titolare della tessera, con una tessera già attivata, con un certificato non ancora scaduto e \
con i codici PIN e, se richiesto, PUK a disposizione.
3. Esecuzione. L'operazione dura da pochi secondi a due o tre minuti e non va interrotta. Se si interrompe, va \
ripetuta con la stessa tessera: riprende dal punto in cui era rimasta.
4. Codici. PIN e PUK sono personali, vanno custoditi con la massima riservatezza e non lasciano il computer del \
titolare.
5. Gratuità. L'estensione non comporta costi per il titolare.
"""
_PRIVACY_OF_EXTENSION = """INFORMATIVA SUL TRATTAMENTO DEI DATI PERSONALI

Per estendere la tessera sono trattati i dati contenuti nel certificato di autenticazione, il numero della tessera e \
gli esiti delle operazioni, al solo fine di emettere il nuovo certificato, di gestirlo e di adempiere agli obblighi di \
legge (articolo 32 del Codice dell'amministrazione digitale: conservazione per 20 anni). PIN e PUK non sono trasmessi.
I dati non sono diffusi. Il titolare può esercitare i diritti previsti dagli articoli 15 e seguenti del Regolamento \
(UE) 2016/679 rivolgendosi al prestatore del servizio.
"""
_RENEWAL_BODIES = {
    TextKind.CONTRACT: (TextKind.CONTRACT.label, _CONTRACT),
    TextKind.CLAUSES: (TextKind.CLAUSES.label, _CLAUSES),
    TextKind.PRIVACY: (TextKind.PRIVACY.label, _PRIVACY),
    TextKind.ENCRYPTION_WARNING: (TextKind.ENCRYPTION_WARNING.label, _ENCRYPTION),
}
# An extension signs no form and names no term: it has its own words, and neither clauses nor warning.
_EXTENSION_BODIES = {
    TextKind.CONTRACT: ("Condizioni d'uso", _TERMS_OF_USE),
    TextKind.PRIVACY: (TextKind.PRIVACY.label, _PRIVACY_OF_EXTENSION),
}
_BODIES = {Flow.ENROLL: _RENEWAL_BODIES, Flow.EXTEND: _EXTENSION_BODIES}


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
    bodies = [(kind, *_BODIES[Flow(flow)][kind]) for kind in POLICIES[flow].texts]
    return tuple(
        Text(kind.value, VERSION, title, body, hashlib.sha256(body.encode()).hexdigest())
        for kind, title, body in bodies
    )
