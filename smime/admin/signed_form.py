"""What the panel says of a signed form: the verdict, what it rests on, and what only a person can judge."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.admin.words import Badge, instant
from smime import policy_signature
from smime.models import Check, SignatureReport
from smime.services import signature
from smime.states import CheckKind, IdentityPath, Verdict

_LOOKS = {
    Verdict.ACCEPTED: ("ok", "check-circle"),
    Verdict.FOR_OFFICER: ("wait", "warning-circle"),
    Verdict.PENDING: ("neutral", "clock"),
    Verdict.REFUSED: ("danger", "close-circle"),
}
_KINDS = {"pades": "PAdES", "cades": "CAdES (.p7m)"}
_DEVICES = {
    "QSCD": gettext_lazy("Dispositivo qualificato (QSCD)"),
    "QSCD_DELEGATED": gettext_lazy("Dispositivo qualificato gestito a distanza"),
    "QSCD_BY_POLICY": gettext_lazy("Dispositivo qualificato, secondo il certificato"),
}
_DOUBTS = {
    "document-altered": gettext_lazy("Dopo la consegna il modulo è stato modificato: lo confronti con l'originale."),
    "document-rewritten": gettext_lazy("Il PDF è stato riscritto da un altro programma: confronti il testo."),
    "person-names-differ": gettext_lazy(
        "Il codice fiscale è quello atteso, ma nome o cognome sono scritti in modo diverso."
    ),
    "person-unmatched": gettext_lazy("Nel certificato di firma non c'è un codice fiscale italiano."),
    "signing-time-odd": gettext_lazy("L'ora dichiarata nella firma è fuori dal periodo in cui il modulo era aperto."),
}
"""Codes of `pki.qualified_validation` that refuse nobody and wait for an officer's look."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The signed form of the alternative way, and what its validation said."""

    report: SignatureReport
    badge: Badge
    facts: list[tuple[str, str]]
    doubts: list[str]


def signed_of(check: Check) -> Signed | None:
    """The signed form that waits to be looked at."""
    if check.kind != CheckKind.IDENTITY or check.path != IdentityPath.SIGNATURE:
        return None
    report = signature.newest_report(check.order, check)
    if report is None:
        return None
    verdict = Verdict(report.verdict)
    facts = [(name, value) for name, value in _facts(report, report.report) if value]
    doubts = [str(_DOUBTS.get(code, code)) for code in report.report.get("doubts", [])]
    return Signed(report, Badge(*_LOOKS[verdict], str(verdict.label)), facts, doubts)


def _facts(report: SignatureReport, said: dict[str, Any]) -> Iterable[tuple[str, str]]:
    layer = (said.get("layers") or [{}])[-1]
    if report.verdict == Verdict.REFUSED:
        yield _("Riscontro tecnico"), _(policy_signature.ground_of(report.code).found)
    yield (
        _("Codice fiscale nella firma"),
        _("È quello del destinatario") if report.matches_person else _("Non confermato"),
    )
    yield _("Formato"), _KINDS.get(layer.get("kind", ""), "")
    yield _("Ora dichiarata"), _claimed(layer.get("claimed_at"))
    yield _("Emesso da"), _issuer(layer.get("issuers"))
    yield _("Chiave di firma"), str(_DEVICES.get(layer.get("device", ""), ""))
    yield _("Liste di fiducia"), ", ".join(f"{row['territory']} {row['sequence']}" for row in said.get("lists", []))


def _claimed(text: str | None) -> str:
    at = datetime.fromisoformat(text) if text else None
    return instant(at) if at and at.tzinfo else ""


def _issuer(certificates: list[str] | None) -> str:
    """Name of the CA that issued the signer's certificate: the last of those above it."""
    if not certificates:
        return ""
    subject = x509.load_der_x509_certificate(base64.b64decode(certificates[-1])).subject
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME) or subject.get_attributes_for_oid(
        NameOID.ORGANIZATION_NAME
    )
    return str(names[0].value) if names else ""
