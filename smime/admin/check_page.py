"""What the page of one check shows: the customer's data beside the evidence that proves them, and earlier findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from cms.admin.desk import Desk
from cms.admin.words import Badge, instant
from smime import policy_desk
from smime.admin.queue import names_of
from smime.admin.signed_form import Signed, signed_of
from smime.admin.words import LETTER_WORDS, country, mismatch, scan_badge, signature_hint
from smime.models import Check, EvidenceFile, Finding, IdentificationAttempt, Order
from smime.services import attestation, desk_identity, identity_evidence
from smime.states import (
    AttemptState,
    CallOutcome,
    CheckKind,
    CheckState,
    ContactSource,
    DocumentKind,
    FileKind,
    FindingOutcome,
    IdentityPath,
    RegisterSource,
    SameContact,
    ScanState,
)

_KIND_READ = {
    "ID_CARD": DocumentKind.IDENTITY_CARD,
    "PASSPORT": DocumentKind.PASSPORT,
    "RESIDENCE_PERMIT": DocumentKind.RESIDENCE_PERMIT,
    "DRIVER_LICENSE": DocumentKind.DRIVING_LICENCE,
}
# Labels that stand elsewhere on these pages too.
_READ_WORDS = (
    ("docFirstName", "Nome"),
    ("docLastName", "Cognome"),
    ("docDob", "Data di nascita"),
    ("docType", "Tipo di documento"),
    ("docNumber", "Numero del documento"),
    ("docIssuingCountry", "Paese di rilascio"),
    ("authority", "Ente di rilascio"),
    ("docExpiry", "Valido fino al"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as the page shows it: pages to look at once the scanner has called it clean."""

    file: EvidenceFile
    badge: Badge
    pages: range
    is_earlier: bool = False  # of an attempt at identification that is not the one to be decided
    hint: str = ""  # of a letter: whether it is signed digitally, and by whom


@dataclass(frozen=True, slots=True)
class FindingLine:
    """An earlier finding, said."""

    at: datetime
    who: str
    what: str
    outcome: str
    facts: list[tuple[str, str]]
    note: str


def context_of(check: Check, desk: Desk) -> dict[str, Any]:
    """All that the page of a check shows, beside its form."""
    order = check.order
    attempt, signed = attempt_of(check), signed_of(check)
    return {
        "check": check,
        "order": order,
        "data": data_of(order, check),
        "letter": _letter_rows(order) if check.kind == CheckKind.ATTESTATION else [],
        "evidence": evidence_of(order, check, attempt, signed),
        "attempt": attempt,
        "read": _read(attempt),
        "mismatches": [mismatch(tag) for tag in attempt.mismatches] if attempt else [],
        "is_doubtful": attempt is not None and attempt.state == AttemptState.SUSPECTED,
        "signed": signed,
        "findings": findings_of([check], names_of(_officers(check))),
        "holder": names_of([check.held_by]).get(check.held_by or 0, ""),
        "is_mine": check.held_by == desk.operator.pk,
    }


def is_open(check: Check) -> bool:
    """Whether an officer decides it now."""
    if check.kind == CheckKind.IDENTITY:
        return bool(check.state == CheckState.IN_REVIEW)
    return policy_desk.is_decidable(check)


def attempt_of(check: Check) -> IdentificationAttempt | None:
    """The identification that waits to be compared."""
    if check.kind != CheckKind.IDENTITY or check.path == IdentityPath.SIGNATURE:
        return None
    mine = check.order.attempts_made.filter(round=check.round, is_final=True, counts_as_failure=False)
    return mine.order_by("-number").first()


def known_for(check: Check) -> dict[str, Any]:
    """What fills in the form: the contact that was found before, the document as the provider read it."""
    if check.kind == CheckKind.IDENTITY:
        return _document_read(attempt_of(check))
    earlier = Finding.objects.filter(check_row__order=check.order).exclude(contact="").order_by("-pk").first()
    known: dict[str, Any] = {"contact": earlier.contact, "contact_source": earlier.contact_source} if earlier else {}
    return known


def data_of(order: Order, check: Check) -> list[tuple[str, str]]:
    """What the customer has typed that this check proves; what is empty is left out."""
    rows = {
        CheckKind.ORGANISATION: _organisation(order),
        CheckKind.AUTHORITY: _authority(order),
        CheckKind.ATTESTATION: [],
        CheckKind.MAILBOX: [(_("Casella e-mail"), order.mailbox)],
    }
    person = [(_("Nome"), order.given_name), (_("Cognome"), order.surname), (_("Casella e-mail"), order.mailbox)]
    return [(name, value) for name, value in rows.get(CheckKind(check.kind), person) if value]


def evidence_of(
    order: Order, check: Check, attempt: IdentificationAttempt | None, signed: Signed | None
) -> list[Shown]:
    """Files that prove this check, and what the office has collected."""
    files: list[EvidenceFile] = []
    if check.kind == CheckKind.ATTESTATION:
        letter = attestation.newest_letter(order, check)
        files += [letter] if letter else []
    if attempt is not None:
        files += identity_evidence.photos_of(attempt)
    if signed is not None:
        files.append(signed.report.file)
    collected = EvidenceFile.objects.filter(order=order, kind=FileKind.OFFICER_EVIDENCE, erased_at__isnull=True)
    earlier = identity_evidence.earlier_photos(attempt) if attempt is not None else []
    present = [shown(file) for file in [*files, *collected.order_by("pk")]]
    return [*present, *(shown(file, is_earlier=True) for file in earlier)]


def shown(file: EvidenceFile, *, is_earlier: bool = False) -> Shown:
    """A file with its pages; nothing of it is shown before the scanner has passed it, or once it is erased."""
    is_seen = file.scan == ScanState.CLEAN and file.erased_at is None
    return Shown(
        file, scan_badge(file), range(file.pages or 1) if is_seen else range(0), is_earlier, signature_hint(file)
    )


def findings_of(checks: list[Check], names: dict[int, str]) -> list[FindingLine]:
    """Findings about these checks, newest first."""
    rows = Finding.objects.filter(check_row__in=checks).order_by("-pk")
    kinds = {check.pk: _(CheckKind(check.kind).label) for check in checks}
    return [
        FindingLine(
            row.at,
            names.get(row.officer_id, "–"),
            kinds[row.check_row_id],
            _(FindingOutcome(row.outcome).label),
            [(name, value) for name, value in _said(row) if value],
            row.note,
        )
        for row in rows
    ]


def _officers(check: Check) -> list[int]:
    return list(check.findings.values_list("officer_id", flat=True))


def _said(row: Finding) -> list[tuple[str, str]]:
    facts, document = row.facts, desk_identity.document_of(row)
    return [
        (_("Registro consultato"), _label(RegisterSource, row.source)),
        (_("Numero o riferimento dell'iscrizione"), row.reference),
        (_("Denominazione come nel registro"), facts.get("legal_name", "")),
        (_("Abbreviazione"), facts.get("abbreviation", "")),
        (_("Identificativo nel certificato"), facts.get("identifier", "")),
        (_("Recapito indipendente"), row.contact),
        (_("Dove l'ha trovato"), _label(ContactSource, row.contact_source)),
        (_("Data e ora della richiamata"), _instant(row.called_at)),
        (_("Chi ha risposto"), row.answered_by),
        (_("Esito della richiamata"), _label(CallOutcome, facts.get("call_outcome", ""))),
        (_("Tipo di documento"), _label(DocumentKind, document.get("kind", ""))),
        (_("Numero del documento"), document.get("number", "")),
        (_("Ente di rilascio"), document.get("issuer", "")),
        (_("Valido fino al"), _date(document.get("valid_until", ""))),
    ]


def _instant(at: datetime | None) -> str:
    return instant(at) if at else ""


def _label(choices: Any, value: str) -> str:
    return _(choices(value).label) if value in choices.values else value


def _organisation(order: Order) -> list[tuple[str, str]]:
    return [
        (_("Partita IVA o codice fiscale"), order.vat_number),
        (_("Numero di iscrizione al Registro delle Imprese"), order.register_number),
        (_("Numero REA"), order.rea_number),
        (_("Paese di costituzione"), country(order.country)),
        (_("D-U-N-S (non va nel certificato)"), order.duns),
        (_("Organizzazione nell'attestazione"), str((order.attested or {}).get("company", ""))),
    ]


def _authority(order: Order) -> list[tuple[str, str]]:
    ground = _label(SameContact, order.same_contact_ground)
    return [
        (_("Organizzazione verificata"), order.organisation_name),
        (_("Partita IVA o codice fiscale"), order.vat_number),
        (_("Contatto organizzativo"), f"{order.contact_given_name} {order.contact_surname}".strip()),
        (_("E-mail del contatto"), order.contact_email),
        (_("Coincide con il contatto tecnico perché"), ground),
        (_("Destinatario del certificato"), f"{order.given_name} {order.surname}".strip()),
        (_("Casella e-mail"), order.mailbox),
        (_("Cliente"), str(order.buyer)),
    ]


def _letter_rows(order: Order) -> list[tuple[str, Any, str]]:
    said = order.attested or {}
    shown = {name: str(said.get(name, "")) for name in LETTER_WORDS}
    shown["attested_on"] = _date(shown["attested_on"])
    return [(name, word, shown[name]) for name, word in LETTER_WORDS.items()]


def _read(attempt: IdentificationAttempt | None) -> list[tuple[str, str]]:
    if attempt is None:
        return []
    document = identity_evidence.evidence_of(attempt)["document"]
    return [(_(word), _as_read(name, str(document[name]))) for name, word in _READ_WORDS if document.get(name)]


def _as_read(name: str, value: str) -> str:
    """Say a kind, a country or a day in the reader's words; anything else as the provider read it."""
    if name == "docType" and value in _KIND_READ:
        return _(_KIND_READ[value].label)
    if name == "docIssuingCountry":
        return country(value)
    return _date(value) if name in {"docDob", "docExpiry"} else value


def _date(text: str) -> str:
    """Write a day as the reader does; what is none stands as it is."""
    try:
        return formats.date_format(date.fromisoformat(text), "SHORT_DATE_FORMAT")
    except ValueError:
        return text


def _document_read(attempt: IdentificationAttempt | None) -> dict[str, Any]:
    """Fill in the document as the provider read it; the officer compares and corrects."""
    if attempt is None:
        return {}
    document = identity_evidence.evidence_of(attempt)["document"]
    try:
        valid_until = date.fromisoformat(str(document.get("docExpiry") or ""))
    except ValueError:
        valid_until = None
    return {
        "kind": _KIND_READ.get(str(document.get("docType", "")), ""),
        "number": str(document.get("docNumber") or ""),
        "issuer": str(document.get("authority") or document.get("docIssuingCountry") or ""),
        "valid_until": valid_until,
    }
