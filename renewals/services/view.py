"""A case as its holder's client sees it: computed at each call, stored nowhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cms.models import CaRequest, Certificate
from cms.policy import rome_date
from cms.states import CertificateStatus, Flow, RequestState
from renewals import policy, queries
from renewals.flows import POLICIES
from renewals.models import RenewalCase
from renewals.services.acceptance import texts_accepted
from renewals.services.login import host
from renewals.states import CaseState, Step

_CONCLUDED = "Rinnovo concluso. Le abbiamo inviato un'e-mail con il codice utente: lo conservi con cura."
_EXTENDED = "Estensione conclusa: la carta può essere usata fino al {day}."
_IN_PART = (
    "Rinnovo concluso solo in parte: i nuovi certificati sono attivi, ma il CDRL deve autorizzare il rinnovo entro il "
    "{day}. In mancanza saranno sospesi."
)


def next_step(case: RenewalCase, requests: list[CaRequest]) -> Step:
    """What the client does next. Steps cannot be skipped: each service asks its own rule again."""
    if case.state == CaseState.COMPLETED:
        return Step.DONE
    if not case.is_open:
        return Step.CLOSED
    if case.state == CaseState.AWAITING_INSTALLATION:
        return _after_signature(requests)
    return _before_signature(case)


def _before_signature(case: RenewalCase) -> Step:
    steps = POLICIES[case.flow].steps
    if case.diagnosed_at is None:
        return Step.DIAGNOSIS
    if Step.CONTACTS in steps and case.contacts_confirmed_at is None:
        return Step.CONTACT_CONFIRMATION if case.pending_contacts else Step.CONTACTS
    return Step.FORM_SIGNATURE if Step.FORM_SIGNATURE in steps and texts_accepted(case) else Step.ACCEPTANCE


def _after_signature(requests: list[CaRequest]) -> Step:
    if not requests:
        return Step.REQUESTS
    done = all(request.state == RequestState.DONE for request in requests)
    return Step.INSTALLATION if done else Step.CERTIFICATES


def case_view(case: RenewalCase, requests: list[CaRequest] | None = None) -> dict[str, Any]:
    """Everything that the holder's own client needs, nothing of anybody else. `requests`: the case's, if just read."""
    requests = queries.issue_requests(case) if requests is None else requests
    new_halves = queries.halves(case.new_pair) if case.new_pair else []
    return {
        "code": case.code,
        "state": case.state,
        "state_label": case.get_state_display(),
        "authorisation": case.authorisation,
        "flow": case.flow,
        "next_step": next_step(case, requests).value,
        "steps": [step.value for step in POLICIES[case.flow].steps],
        "old_not_after": case.old_not_after,
        "nonce": case.key_nonce,
        "host": host(),
        "card_serial": case.card.serial,
        "holder": _holder(case),
        "pending_contacts": _pending(case),
        "centre": {
            "name": case.centre.name,
            "email": case.centre.email,
            "phone": case.centre.phone,
            "purchase_url": case.centre.purchase_url,
        },
        "slots": _slots(case, requests, new_halves),
        "approval": {"mode": case.approval_mode or None, "authorise_by": policy.authorise_by(case)},
        "result": _result(case, new_halves),
    }


def _holder(case: RenewalCase) -> dict[str, Any]:
    holder = case.holder
    return {
        "given_name": holder.given_name,
        "surname": holder.surname,
        "tax_code": holder.tax_code,
        "email": holder.email,
        "mobile": holder.mobile,
        "address": {
            "street": holder.street,
            "postcode": holder.postcode,
            "town": holder.town,
            "province": holder.province,
        },
    }


def _pending(case: RenewalCase) -> dict[str, Any] | None:
    """Contacts whose new mailbox waits for its code, so that who mistyped it can see and correct it."""
    if not case.is_open or not case.pending_contacts:
        return None
    address = {name: case.pending_contacts.get(name) for name in ("street", "postcode", "town", "province")}
    return {"email": case.pending_contacts["email"], "mobile": case.pending_contacts["mobile"], "address": address}


def _slots(case: RenewalCase, requests: list[CaRequest], new_halves: list[Certificate]) -> list[dict[str, Any]]:
    asked = {request.type: request for request in requests}
    new = {half.type: half for half in new_halves}
    return [
        {
            "type": half.type,
            "old_certificate": half.fingerprint,
            "key": {
                "kind": half.key_kind,
                "bits": max(half.key_bits, 2048) if half.key_kind == "rsa" else half.key_bits,
            },
            "requested": half.type in asked,
            "issued": half.type in new,
            "installed": half.type in new and new[half.type].status != CertificateStatus.ISSUED,
        }
        for half in case.old_halves
    ]


def _result(case: RenewalCase, new_halves: list[Certificate]) -> dict[str, Any] | None:
    if case.completed_at is None:
        return None
    authorise_by = policy.authorise_by(case)
    new_not_after = min((half.not_after for half in new_halves), default=None)
    return {
        "concluded": case.is_concluded,
        "message": _message(case, authorise_by, new_not_after),
        "authorise_by": authorise_by,
        "new_not_after": new_not_after,
    }


def _message(case: RenewalCase, authorise_by: datetime | None, new_not_after: datetime | None) -> str:
    if case.flow == Flow.EXTEND and new_not_after is not None:
        return _EXTENDED.format(day=f"{rome_date(new_not_after):%d/%m/%Y}")
    return _IN_PART.format(day=f"{rome_date(authorise_by):%d/%m/%Y}") if authorise_by else _CONCLUDED
