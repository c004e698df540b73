"""Cards, offers, cases and texts as the pages show them: made-up, the same every time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from cardclient.contract import (
    Address,
    Case,
    CaseSlot,
    Centre,
    CertificateVerdict,
    Contacts,
    Offer,
    Result,
    ScanAnswer,
    Slot,
    Step,
    Text,
    TextKind,
    Verdict,
)
from cardclient.ports import CardView, CodeState
from cardclient.scanned import Scanned

NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
VIEW = CardView(
    serial="7430000000000001",
    atr=bytes.fromhex("3bff1800"),
    label="SIMULATED",
    reader="Lettore USB 0",
    pin=CodeState.OK,
    puk=CodeState.OK,
    family="ACe 2021",
    driver="bit4xpki 1.4.10",
)
OFFER = Offer(
    login_with="a" * 64,
    sign_with="b" * 64,
    flow="enroll",
    service="CNS - Firma 3 anni",
    old_not_after="2026-03-01T10:00:00+00:00",
    replaces=True,
    new_not_after="2029-03-01T10:00:00+00:00",
)
EXTENSION = replace(
    OFFER,
    sign_with=None,
    flow="extend",
    service="TS-CNS",
    replaces=False,
    campaign="Estensione TS-CNS",
    new_not_after="2027-12-31T22:59:59+00:00",
)
PURCHASE = "https://ra.example.org/acquisto/"
ANSWER = ScanAnswer(
    verdict=Verdict.RENEWABLE,
    code=None,
    message=None,
    advice=None,
    family="ACe 2021",
    reinsert_after=False,
    secrets=("pin",),
    certificates=(
        CertificateVerdict("a" * 64, Slot.AUTHENTICATION, Verdict.RENEWABLE, None, None, "2026-03-01T10:00:00+00:00"),
        CertificateVerdict("b" * 64, Slot.SIGNATURE, Verdict.RENEWABLE, None, None, "2026-03-01T10:00:00+00:00"),
    ),
    offers=(OFFER,),
    purchase_url=PURCHASE,
    family_code="ACe 2021",
)
RENEWABLE = Scanned(VIEW, ANSWER)
EXTENDABLE = Scanned(
    replace(VIEW, serial="7430000000000027", family="AC 2018", driver="IDProtect 6.47"),
    replace(ANSWER, offers=(EXTENSION,), family="AC 2018", family_code="AC 2018", secrets=("pin", "puk")),
)


def refused(verdict, code, *, final=None, **answer):
    """A card on which nothing can be renewed."""
    changes = {"verdict": verdict, "code": code, "offers": (), **answer}
    return Scanned(replace(VIEW, final=final), replace(ANSWER, **changes))


CONTACTS = Contacts(
    "mario.rossi@example.org", "+39 333 1234567", Address("Via Roma 1", "56010", "San Giuliano Terme", "PI")
)
CASE = Case(
    code="R26-7KQ4M2",
    state="notified",
    state_label="Comunicato",
    authorisation="not-required",
    flow="enroll",
    next_step=Step.CONTACTS,
    old_not_after="2026-03-01T10:00:00+00:00",
    nonce="ab" * 32,
    host="ra.example.org",
    card_serial=VIEW.serial,
    given_name="MARIO",
    surname="ROSSI",
    tax_code="RSSMRA85T10A562S",
    contacts=CONTACTS,
    centre=Centre("CDRL Prova", "cdrl@example.org", "+39 050 0000000", PURCHASE),
    slots=tuple(CaseSlot(slot, "a" * 64, "rsa", 2048, requested=False, issued=False, installed=False) for slot in Slot),
    result=None,
)
CONCLUDED = replace(
    CASE,
    state_label="Completato",
    next_step=Step.DONE,
    result=Result(
        concluded=True,
        message="Riceverai per e-mail il codice utente: conservalo con la massima riservatezza.",
        authorise_by=None,
        new_not_after="2029-03-01T10:00:00+00:00",
    ),
)
IN_PART = replace(
    CONCLUDED,
    authorisation="pending",
    result=Result(
        concluded=False,
        message="La procedura è conclusa solo in parte: il tuo CDRL deve autorizzare il rinnovo.",
        authorise_by="2026-03-01T10:00:00+00:00",
        new_not_after="2029-03-01T10:00:00+00:00",
    ),
)
LONG = "Il titolare accetta le condizioni del servizio di certificazione qui riportate. " * 12


def text(kind, title, content=LONG):
    return Text(kind, "2026-1", "0" * 64, title, content)


WARNING = text(
    TextKind.ENCRYPTION_WARNING,
    "Avviso sulla cifratura",
    "La procedura di rinnovo cancella la chiave di decifratura: i file cifrati con questa carta non si potranno più "
    "aprire. Se hai usato la carta per cifrare, interrompi il rinnovo e acquista un nuovo servizio.",
)
TEXTS = (
    text(TextKind.CONTRACT, "Condizioni generali di contratto"),
    text(TextKind.CLAUSES, "Clausole ai sensi degli artt. 1341 e 1342 c.c."),
    text(TextKind.PRIVACY, "Informativa sul trattamento dei dati personali"),
)
TERMS, PRIVACY = (
    text(TextKind.CONTRACT, "Condizioni di utilizzo"),
    text(TextKind.PRIVACY, "Informativa privacy"),
)
