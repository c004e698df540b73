"""What the provider's administrators set: centres, services, and what is agreed between them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from datetime import datetime as instant
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.translation import gettext_noop as _

from cms import events, policy
from cms.actors import operator as operator_actor
from cms.contacts import parse_email
from cms.errors import CodeTaken, ContactInvalid, Invalid, NotFound, ServiceInUse, SuccessorLoop
from cms.models import Agreement, Centre, Pair, Service, Stock, User
from cms.states import SMIME_TYPES, Flow
from runtime.transactions import use_case

CENTRE_FIELDS = frozenset({"name", "email", "phone", "purchase_url", "active", "session_idle_minutes", "session_hours"})
AGREEMENT_FIELDS = frozenset({"approval", "refusal_suspends_at_once", "four_eyes_revocation", "low_stock_threshold"})
FIXED_BY_PAIRS = frozenset({"flow", "types", "term_years"})
SERVICE_FIELDS = FIXED_BY_PAIRS | {
    "name",
    "successor_id",
    "window_months",
}
# Contacts are told by name only: the trail holds settings, not addresses and telephone numbers.
UNTOLD = frozenset({"name", "email", "phone", "purchase_url"})
IDLE_MINUTES, LONGEST_HOURS = range(5, 241), range(1, 25)

Row = TypeVar("Row", bound=Model)


@use_case
def register_centre(code: str, values: Mapping[str, Any], *, operator: User, now: instant) -> Centre:
    """Add a centre. Its first manager comes by invitation."""
    policy.require_administrator(operator)
    _require_known(values, CENTRE_FIELDS)
    _require_session_limits(values)
    values = _written_in_letters(values)
    centre = _stored(Centre(code=code, **values))
    _note("centre.registered", operator, now, centre_id=centre.pk)
    return centre


@use_case
def change_centre(centre_id: int, values: Mapping[str, Any], *, operator: User, now: instant) -> Centre:
    """Change a centre; session limits reach open sessions within a minute. Nothing changed is nothing told."""
    policy.require_administrator(operator)
    _require_known(values, CENTRE_FIELDS)
    _require_session_limits(values)
    values = _written_in_letters(values)
    centre = _locked(Centre, centre_id)
    changed = _set(centre, values)
    if changed:
        _stored(centre)
        _note("centre.changed", operator, now, centre_id=centre.pk, changed=changed)
    return centre


@use_case
def make_agreement(
    centre_id: int, service_id: int, values: Mapping[str, Any], *, operator: User, now: instant
) -> Agreement:
    """Agree a service with a centre: from now on its operators may choose it."""
    policy.require_administrator(operator)
    _require_known(values, AGREEMENT_FIELDS)
    agreement = _stored(Agreement(centre_id=centre_id, service_id=service_id, **values))
    _note("agreement.made", operator, now, centre_id=centre_id, service_id=service_id)
    return agreement


@use_case
def change_agreement(agreement_id: int, values: Mapping[str, Any], *, operator: User, now: instant) -> Agreement:
    """Change an agreement. Cases that were signed keep the mode that was agreed at their signature."""
    policy.require_administrator(operator)
    _require_known(values, AGREEMENT_FIELDS)
    agreement = _locked(Agreement, agreement_id)
    changed = _set(agreement, values)
    if changed:
        _stored(agreement)
        subject = {"centre_id": agreement.centre_id, "service_id": agreement.service_id}
        _note("agreement.changed", operator, now, changed=changed, **subject)
    return agreement


@use_case
def offer_service(code: str, values: Mapping[str, Any], *, operator: User, now: instant) -> Service:
    """Add a service. Centres get it by agreement."""
    policy.require_administrator(operator)
    _require_known(values, SERVICE_FIELDS)
    _require_sound(values)
    service = Service(code=code, **values)
    _require_fitting(service)
    service = _stored(service)
    _note("service.offered", operator, now, service_id=service.pk)
    return service


@use_case
def change_service(service_id: int, values: Mapping[str, Any], *, operator: User, now: instant) -> Service:
    """Change a service. Flow, types and term are fixed by its first pair; a successor never leads back here."""
    policy.require_administrator(operator)
    _require_known(values, SERVICE_FIELDS)
    _require_sound(values)
    service = _locked(Service, service_id)
    changed = _set(service, values)
    if changed.keys() & FIXED_BY_PAIRS and is_in_use(service_id):
        raise ServiceInUse
    _require_fitting(service)
    _require_no_loop(service)
    if changed:
        _stored(service)
        _note("service.changed", operator, now, service_id=service.pk, changed=changed)
    return service


def is_in_use(service_id: int) -> bool:
    """Whether pairs were issued or registered under the service, or S/MIME certificates bought."""
    pairs = Pair.objects.filter(service_id=service_id)
    return pairs.exists() or Stock.objects.filter(service_id=service_id, type__in=SMIME_TYPES).exists()


def _require_known(values: Mapping[str, Any], fields: frozenset[str]) -> None:
    unknown = values.keys() - fields
    if unknown:
        msg = f"not to be set here: {', '.join(sorted(unknown))}"
        raise ValueError(msg)


def _require_session_limits(values: Mapping[str, Any]) -> None:
    if values.get("session_idle_minutes", IDLE_MINUTES[0]) not in IDLE_MINUTES:
        raise Invalid(_("L'inattività ammessa va da 5 a 240 minuti."))
    if values.get("session_hours", LONGEST_HOURS[0]) not in LONGEST_HOURS:
        raise Invalid(_("La durata massima di una sessione va da 1 a 24 ore."))


def _written_in_letters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Contacts as every letter of the centre carries them; refused here, where a person can mend them."""
    told = dict(values)
    if "email" in told:
        try:
            told["email"] = parse_email(told["email"])
        except ContactInvalid as refusal:
            raise Invalid(_("L'indirizzo e-mail del CDRL non può stare nei messaggi ai titolari.")) from refusal
    if told.get("purchase_url") and urlsplit(told["purchase_url"]).scheme not in {"http", "https"}:
        raise Invalid(_("La pagina di acquisto vuole un indirizzo che inizia con https://."))
    return told


def _require_sound(values: Mapping[str, Any]) -> None:
    if "types" in values and not values["types"]:
        raise Invalid(_("Scelga almeno un tipo di certificato."))
    if values.get("window_months", 1) not in range(1, 13) or values.get("term_years", 1) not in range(1, 11):
        raise Invalid(_("La finestra va da 1 a 12 mesi, la durata da 1 a 10 anni."))


def _require_fitting(service: Service) -> None:
    """S/MIME types go with the S/MIME flow and the halves of cards with the others; successors stay among their own."""
    sells_smime = service.flow == Flow.SMIME
    if any((type_ in SMIME_TYPES) != sells_smime for type_ in service.types):
        raise Invalid(_("I tipi S/MIME vanno con il flusso di attivazione S/MIME, quelli delle carte con gli altri."))
    if service.successor_id is None:
        return
    successor = Service.objects.filter(pk=service.successor_id).first()
    if successor is not None and (successor.flow == Flow.SMIME) != sells_smime:
        raise Invalid(_("Il servizio successore deve essere dello stesso genere: carte o S/MIME."))


def _require_no_loop(service: Service) -> None:
    """Walk the chain of successors; whoever changes two services at once meets the other's lock first."""
    seen = {service.pk}
    following = service.successor_id
    while following is not None:
        if following in seen:
            raise SuccessorLoop
        seen.add(following)
        following = Service.objects.select_for_update(no_key=True).get(pk=following).successor_id


def _locked(model: type[Row], pk: int) -> Row:
    found = model._default_manager.select_for_update(no_key=True).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def _set(row: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """Put the values into the row; return what is different now, with its former value, as an event may tell it."""
    changed = {}
    for name, value in values.items():
        former = getattr(row, name)
        if former != value:
            setattr(row, name, value)
            changed[name] = [] if name in UNTOLD else [_told(former), _told(value)]
    return changed


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _stored(row: Row) -> Row:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as clash:
        constraint = getattr(getattr(clash.__cause__, "diag", None), "constraint_name", "") or ""
        if constraint.endswith(("_key", "_uniq", "one_agreement_per_centre_and_service")):
            raise CodeTaken from clash
        raise Invalid from clash
    return row


def _note(verb: str, operator: User, now: instant, changed: dict[str, Any] | None = None, **subject: Any) -> None:
    events.record(
        verb, actor=operator_actor(operator), at=now, facts={"changed": changed} if changed else {}, **subject
    )
