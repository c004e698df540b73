"""What the page of one order shows: data, checks, evidence, certificates, mails and the trail of events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from cms.admin.desk import Desk
from cms.admin.words import Badge, outcome_badge
from cms.errors import DomainError
from cms.events import VERBS
from cms.models import Event
from cms.states import Channel
from notifications import queries as outbox
from smime import policy_desk
from smime.admin import check_page, queue, words
from smime.models import Check, EvidenceFile, Order, SmimeCertificate
from smime.policy_revocation import clock_of
from smime.states import CertificateStatus, CheckKind, Generation, OrderState, RevocationGround, SameContact

MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check: how it stands, who has it, until when it counts."""

    check: Check
    name: str
    badge: Badge
    who: str


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """One certificate and what can be done with it."""

    certificate: SmimeCertificate
    badge: Badge
    ground: str
    due_by: datetime | None
    may_hold: bool
    may_release: bool
    may_revoke: bool


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line of the trail."""

    at: datetime
    what: str
    who: str
    channel: str
    outcome: Badge
    reason: str
    about: str


def context_of(order: Order, desk: Desk) -> dict[str, Any]:
    """All that the page of an order shows."""
    checks = list(order.checks.order_by("pk"))
    events = list(Event.objects.filter(case_code=order.code).order_by("-id")[:MOST_EVENTS])
    officers = [each for check in checks for each in (check.held_by, check.decided_by)]
    actors = [event.actor_id for event in events if event.actor_kind in {"operator", "customer"}]
    findings = list(order.checks.exclude(findings=None).values_list("findings__officer_id", flat=True))
    names = queue.names_of([*officers, *actors, *findings])
    may_act = policy_desk.may_decide(order, desk.operator)
    is_ready = may_act and queue.to_approve(desk).filter(pk=order.pk).exists()
    is_second = is_ready and _is_second_person(order, checks, desk)
    files = EvidenceFile.objects.filter(order=order).order_by("pk")
    return {
        "order": order,
        "badge": words.order_badge(order),
        "may_act": may_act,
        "may_approve": is_second,
        "wants_another": is_ready and not is_second,
        "may_reject": may_act and order.state in {OrderState.CHECKING, OrderState.APPROVED},
        "lapses_at": queue.lapses_at(order),
        "data": data_of(order),
        "lines": [_check_line(check, desk, names) for check in checks],
        "evidence": [check_page.shown(file) for file in files],
        "findings": check_page.findings_of(checks, names),
        "certificates": [
            _certificate_line(each, desk, may_act=may_act) for each in order.certificates.order_by("-edition")
        ],
        "letters": [(mail, words.mail_title(mail.kind)) for mail in outbox.of_case(order.code)],
        "trail": [_event_line(event, names) for event in events],
    }


def data_of(order: Order) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the customer has described, by role; what is empty is left out."""
    groups = [
        (_("Certificato"), _certificate(order)),
        (_("Destinatario"), _person(order.given_name, order.surname, order.mailbox)),
        (
            _("Contatto tecnico"),
            _person(order.technical_given_name, order.technical_surname, order.technical_email, order.technical_phone),
        ),
        (_("Contatto organizzativo"), _contact(order)),
        (_("Organizzazione"), _organisation(order)),
    ]
    return [(name, said) for name, rows in groups if (said := [(word, value) for word, value in rows if value])]


def _certificate(order: Order) -> list[tuple[str, str]]:
    return [
        (_("Cliente"), str(order.buyer)),
        (_("CDRL"), str(order.centre)),
        (_("Durata"), _("%(days)d giorni") % {"days": order.term_days}),
        (_("Chiave"), f"{_(order.get_key_origin_display())} · {_(order.get_key_kind_display())}"),
        (_("Profilo"), _(order.get_generation_display())),
        (_("Motivo di chiusura"), order.close_reason),
    ]


def _person(given_name: str, surname: str, email: str, phone: str = "") -> list[tuple[str, str]]:
    return [(_("Nome e cognome"), f"{given_name} {surname}".strip()), (_("E-mail"), email), (_("Telefono"), phone)]


def _contact(order: Order) -> list[tuple[str, str]]:
    ground = order.same_contact_ground
    said = _(SameContact(ground).label) if ground else ""
    person = _person(order.contact_given_name, order.contact_surname, order.contact_email)
    return [*person, (_("Coincide con il contatto tecnico perché"), said)]


def _organisation(order: Order) -> list[tuple[str, str]]:
    return [
        (_("Partita IVA o codice fiscale"), order.vat_number),
        (_("Numero di iscrizione al Registro delle Imprese"), order.register_number),
        (_("Paese di costituzione"), words.country(order.country)),
        (_("Denominazione verificata"), order.organisation_name),
        (_("Identificativo verificato"), order.organisation_identifier),
        (_("Funzione verificata"), order.role_title),
    ]


def _is_second_person(order: Order, checks: list[Check], desk: Desk) -> bool:
    """Whether he could say the last word himself; the use case asks again."""
    try:
        policy_desk.require_second_person(order, checks, desk.operator)
    except DomainError:
        return False
    return True


def _check_line(check: Check, desk: Desk, names: dict[int, str]) -> CheckLine:
    who = names.get(check.decided_by or check.held_by or 0, "")
    return CheckLine(check, _(CheckKind(check.kind).label), words.check_badge(check, desk.now), who)


def _certificate_line(certificate: SmimeCertificate, desk: Desk, *, may_act: bool) -> CertificateLine:
    asked = certificate.ca_orders.filter(due_by__isnull=False).order_by("-pk").first()
    is_living = may_act and certificate.status != CertificateStatus.REVOKED and desk.now <= certificate.not_after
    is_open = is_living and asked is None
    may_hold = certificate.order.generation == Generation.MULTIPURPOSE
    ground = certificate.ground or (asked.ground if asked else "")
    return CertificateLine(
        certificate,
        words.certificate_badge(certificate, desk.now),
        _(RevocationGround(ground).label) if ground else "",
        asked.due_by if asked and certificate.status != CertificateStatus.REVOKED else None,
        may_hold=is_open and may_hold and certificate.status == CertificateStatus.ACTIVE,
        may_release=is_open and certificate.status == CertificateStatus.HELD,
        may_revoke=is_open,
    )


def _event_line(event: Event, names: dict[int, str]) -> EventLine:
    kinds = {"system": _("Sistema"), "recipient": _("Destinatario")}
    who = names.get(event.actor_id or 0) or kinds.get(event.actor_kind, event.actor_kind)
    what, channel = _(VERBS.get(event.verb, event.verb)), _(Channel(event.channel).label)
    kind = str((event.facts or {}).get("check", ""))
    about = _(CheckKind(kind).label) if kind in CheckKind.values else ""
    return EventLine(event.at, what, who, channel, outcome_badge(event.verb, event.outcome), event.reason, about)


def grounds() -> list[tuple[str, str]]:
    """The closed table of grounds, each with how long the CA may take (SBR 4.9.1.1)."""
    return [(ground.value, _ground(ground)) for ground in policy_desk.BY_OFFICER]


def _ground(ground: RevocationGround) -> str:
    hours = clock_of(ground).total_seconds() // 3600
    within = _("entro 24 ore") if hours <= 24 else _("entro 5 giorni")
    return f"{_(ground.label)} · {within}"
