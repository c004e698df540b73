"""Every text the client shows, by key: the guides' labels word for word, beside each what to do and the stable code.

The guides are SogeiExtend (§2, §2.1, §3) and "Rinnovo carta con Aruba Enroll"; their wording is not ours to improve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cardclient.words import tr


@dataclass(frozen=True, slots=True)
class Message:
    """What is shown: the text, the line "what to do" (may be empty), the code to quote to the support desk."""

    code: str
    text: str
    advice: str = ""

    def lines(self) -> list[str]:
        """Return the message as lines of a terminal or log."""
        advice = self.advice and tr("Cosa fare: {advice}", advice=self.advice)
        return [line for line in (self.text, advice, f"[{self.code}]") if line]


# Guides' labels, word for word.
NO_CARD = "Nessuna smartcard rilevata. Prova ad inserirla di nuovo"
EXPIRED = "Certificato non rinnovabile presente nella carta"
ALREADY_RENEWED = "Certificato già rinnovato per la carta"
NOTHING_RENEWABLE = "Nessun certificato rinnovabile presente nella carta"
CONNECTION = "Errore di connessione al server. Riprova più tardi"
CARD_ACCESS = "Errore accesso carta"
CARD_UPDATE = "Errore aggiornamento carta"
CERTIFICATE_CHECK = "Errore verifica certificato da rinnovare"
CERTIFICATE_ISSUE = "Errore generazione nuovo certificato"
ENTER_PIN = "Inserisci il PIN della tua smart card per continuare il rinnovo"
PIN_WRONG = "Inserisci il codice PIN corretto"
IN_PROGRESS = "Rinnovo del certificato in corso, attendere..."
PUK_LOCKED = "Attenzione: se anche il PUK viene bloccato la carta non è più rinnovabile."

_RERUN = "il rinnovo non è perso: ripeti il comando con la stessa carta, riprende dal punto in cui si è fermato."
_CENTRE = "contatta il tuo CDRL e comunica il codice dell'errore."

_ALL: Mapping[str, tuple[str, str]] = {
    # scan
    "card-absent": (NO_CARD, "controlla che il lettore sia collegato e che la carta sia inserita fino in fondo."),
    "expired": (EXPIRED, "il certificato è scaduto: è necessario un nuovo acquisto."),
    "already-renewed": (ALREADY_RENEWED, "non c'è altro da fare su questa carta."),
    "not-renewable": (NOTHING_RENEWABLE, "verifica che sia la carta giusta; altrimenti contatta il tuo CDRL."),
    "choice-needed": (
        "Sono presenti più carte o certificati rinnovabili.",
        "scegli il certificato in scadenza (opzione --certificate).",
    ),
    # PIN and PUK
    "pin-prompt": (ENTER_PIN, ""),
    "puk-prompt": ("Inserisci il PUK della tua smart card", ""),
    "new-pin-prompt": ("Scegli il nuovo PIN (da 5 a 8 cifre)", ""),
    "pin-wrong": (PIN_WRONG, "il PIN inserito è errato: dopo 3 errori consecutivi la carta si blocca."),
    "pin-length": (
        "Il codice inserito non può essere un PIN o un PUK.",
        "controlla numero di cifre e caratteri; nessun tentativo è stato consumato.",
    ),
    "pin-tried": ("È già stato inserito almeno un PIN errato.", "inserisci il PIN solo se ne sei certo."),
    "pin-last-try": (
        "Attenzione: è rimasto un solo tentativo, un PIN errato blocca la carta.",
        "se non sei certo del PIN fermati e cerca la busta con i codici della carta.",
    ),
    "pin-maybe-locked": (
        "La carta segnala il PIN come bloccato.",
        "se il PIN risulta davvero bloccato serve il PUK per sbloccarlo.",
    ),
    "pin-locked": ("Il PIN è bloccato.", "sblocca il PIN con il PUK della carta, poi ripeti il rinnovo."),
    "pin-unblocked": ("Il PIN è stato sbloccato.", ""),
    "puk-wrong": ("Inserisci il codice PUK corretto", PUK_LOCKED),
    "puk-last-try": ("Attenzione: è rimasto un solo tentativo per il PUK.", PUK_LOCKED),
    "puk-tried": ("È già stato inserito almeno un PUK errato.", PUK_LOCKED),
    "puk-locked": (PUK_LOCKED, "il PUK è bloccato: è necessario un nuovo acquisto."),
    # card
    "card-access": (CARD_ACCESS, "estrai e reinserisci la carta, poi ripeti il comando."),
    "card-removed": ("La carta è stata rimossa dal lettore.", f"reinserisci la stessa carta; {_RERUN}"),
    "card-changed": (
        "La carta inserita non è quella con cui è iniziato il rinnovo.",
        "inserisci la carta di prima e ripeti il comando.",
    ),
    "card-update": (CARD_UPDATE, _RERUN),
    "card-memory": (CARD_UPDATE, "la memoria della carta è insufficiente: contatta il tuo CDRL."),
    "old-objects-left": (
        "Il rinnovo è concluso, ma le vecchie chiavi sono ancora sulla carta.",
        "ripeti il comando con la stessa carta: saranno rimosse.",
    ),
    "key-missing": (
        CARD_ACCESS,
        "la chiave del certificato non si trova sulla carta: esegui la diagnostica e contatta il tuo CDRL.",
    ),
    "key-unsupported": (CARD_ACCESS, "il tipo di chiave non è gestito: contatta il tuo CDRL."),
    "objects-ambiguous": (
        CARD_ACCESS,
        "sulla carta ci sono oggetti doppi: esegui la diagnostica e contatta il tuo CDRL.",
    ),
    "signature-broken": (CARD_ACCESS, "la carta ha prodotto una firma non valida: reinseriscila e ripeti il comando."),
    "certificate-unreadable": (CARD_ACCESS, "un certificato della carta non è leggibile: il rinnovo non è possibile."),
    "driver-missing": (CARD_ACCESS, "il modulo PKCS#11 indicato non si apre: installa il driver della carta."),
    "driver-failed": (CARD_ACCESS, "il driver della carta si è interrotto: reinserisci la carta e ripeti il comando."),
    "driver-timeout": (CARD_ACCESS, "il driver della carta non risponde: reinserisci la carta e ripeti il comando."),
    # office
    "server-unreachable": (CONNECTION, "controlla la connessione e l'indirizzo del server."),
    "office-refusal": ("Il servizio di rinnovo ha rifiutato l'operazione.", _CENTRE),
    "answer-malformed": (
        CONNECTION,
        "il server ha dato una risposta non comprensibile: verifica l'indirizzo, poi contatta il tuo CDRL.",
    ),
    "text-refused": ("Il server ha chiesto di firmare un testo non previsto: non è stato firmato.", _CENTRE),
    "form-refused": ("Il modulo da firmare non supera i controlli: non è stato firmato.", _CENTRE),
    "certificate-refused": (
        CERTIFICATE_ISSUE,
        "il certificato ricevuto non corrisponde alla carta e non è stato installato: contatta il tuo CDRL.",
    ),
    "card-mismatch": (
        "La carta inserita non è quella con cui è iniziato il rinnovo.",
        "inserisci la carta con cui hai iniziato.",
    ),
    "certificates-pending": ("I nuovi certificati non sono ancora pronti.", _RERUN),
    "flow-stuck": ("Il servizio di rinnovo non avanza.", _CENTRE),
    "case-ended": ("La pratica di rinnovo è chiusa.", _CENTRE),
    # steps
    "contacts-needed": (
        "Servono email, cellulare e indirizzo del titolare.",
        "indicali con le opzioni --email, --mobile, --street, --postcode, --town, --province.",
    ),
    "confirmation-needed": (
        "È stato inviato un codice di conferma alla nuova email.",
        "ripeti il comando con --confirmation-code.",
    ),
    "acceptance-needed": (
        "Per proseguire occorre accettare i testi mostrati.",
        "ripeti il comando e accetta, oppure usa --accept-all.",
    ),
    "form-needed": (
        "Il modulo di rinnovo non è stato firmato.",
        "ripeti il comando e conferma la firma, oppure usa --accept-all.",
    ),
    "holder-declined": ("Operazione interrotta dal titolare.", "nulla è andato perso: puoi riprendere quando vuoi."),
    "in-progress": (IN_PROGRESS, "non estrarre la carta e non interrompere la connessione."),
    "done": ("Rinnovo completato.", ""),
    "removal-finished": ("Le vecchie chiavi sono state rimosse: il rinnovo è concluso.", ""),
    "reinsert": ("Prima di usare la carta scollegala dal lettore e ricollegala dopo alcuni secondi.", ""),
    "failure-reported": ("L'errore è stato segnalato. Riferimento per l'assistenza: {reference}", ""),
    "input-needed": ("Manca un dato che solo il titolare conosce.", "ripeti il comando indicandolo."),
    "usage": ("Comando non corretto.", "vedi `sigillo-card --help`."),
    "client-outdated": (
        "Questa versione del programma non può più eseguire rinnovi: nulla è stato firmato.",
        "scarica la versione aggiornata dalla pagina indicata dal tuo CDRL.",
    ),
    "portal-answered": (
        CONNECTION,
        "al posto del server ha risposto una pagina della rete: aprila nel browser, accedi alla rete e riprova.",
    ),
    "card-not-personalised": (NOTHING_RENEWABLE, "la carta non contiene certificati: verifica che sia quella giusta."),
    "family-refused": (NOTHING_RENEWABLE, "questo tipo di carta non si rinnova: è necessario un nuovo acquisto."),
    "data-wrong": (
        "I dati non sono corretti: la pratica è stata annullata e sulla carta non è cambiato nulla.",
        "il tuo CDRL ha ricevuto il motivo: contattalo per correggere i dati, poi riapri il rinnovo.",
    ),
    "warning-declined": (
        "Per proseguire occorre confermare l'avvertenza sulla cifratura.",
        "se hai dati cifrati con questa carta decifrali prima; poi riprendi quando vuoi.",
    ),
    "client-error": ("Errore interno del programma.", "salva il log (--log FILE) e contatta l'assistenza."),
}

# Refusals of the office about the certificate being renewed or about issuance carry the guide's label for them.
_CHECKED = (
    "certificate-unknown",
    "certificate-held",
    "certificate-revoked",
    "certificate-expired",
    "certificate-renewed",
    "certificate-remote",
)
_ISSUED = ("csr-invalid", "csr-signature-invalid", "key-weak", "key-known", "key-conflict", "binding-invalid")

_ACTIONS: Mapping[str, str] = {
    "retry-later": "riprova più tardi.",
    "restart": "ripeti il comando dall'inizio.",
    "change-card": "usa un'altra carta o acquista un nuovo servizio.",
    "unblock-pin": "sblocca il PIN con il PUK.",
    "contact-centre": "contatta il tuo CDRL.",
    "new-purchase": "è necessario un nuovo acquisto.",
    "correct-data": "correggi i dati indicati e ripeti il comando.",
    "wait": "attendi e ripeti il comando.",
    "none": "",
}


def message_for(code: str, facts: Mapping[str, str] | None = None) -> Message:
    """Return the text of a code; a code without one gets the general refusal's words and keeps its own code."""
    if code in _CHECKED:
        text, advice = CERTIFICATE_CHECK, _CENTRE
    elif code in _ISSUED:
        text, advice = CERTIFICATE_ISSUE, _CENTRE
    else:
        text, advice = _ALL.get(code, _ALL["office-refusal"])
    return Message(code, text.format_map(facts) if facts else text, advice)


def refusal_message(code: str, *, detail: str, action: str, label: str | None) -> Message:
    """Return the office's refusal: its label (a guide's, word for word) or detail, and advice by action."""
    known = message_for(code)
    advice = _ACTIONS.get(action, "")
    if label and detail:
        advice = f"{detail} {advice}".strip()
    return Message(code, label or detail or known.text, advice or known.advice)


def codes() -> frozenset[str]:
    """Every key that has words of its own."""
    return frozenset(_ALL) | frozenset(_CHECKED) | frozenset(_ISSUED)
