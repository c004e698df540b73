"""What fills the addresses of pages: values for the parameters of every route, and addresses beside them."""

from __future__ import annotations

from typing import Any

from cms.models import Agreement, Event, Stock
from notifications.models import OutboxMessage

_OF_CENTRES = ("centre", "change_centre", "make_agreement", "change_agreement")
_OF_CAMPAIGNS = ("campaign", "change_campaign", "campaign_list")
_OF_SUPPORT = ("support_request", "support_log", "take_support", "assign_support", "answer_support", "close_support")
_OF_ORDERS = (
    "smime_order", "approve_smime_order", "reject_smime_order", "attach_smime_evidence", "smime_file", "smime_page",
    "revoke_smime", "hold_smime", "release_smime",
)  # fmt: skip
_OF_IMPORTS = ("import", "import_report", "start_import", "discard_import")
_OF_PROPOSALS = ("confirm_revocation", "refuse_revocation", "withdraw_revocation")


def known_of(town: Any) -> dict[str, Any]:
    """Values for the parameters of routes, by `name:parameter` or by `parameter` alone."""
    return _of_cases(town) | _of_administration(town) | _of_support(town) | _of_watch(town) | _of_smime(town)


def _each(names: tuple[str, ...], parameter: str, value: Any) -> dict[str, Any]:
    return {f"{name}:{parameter}": value for name in names}


def _of_cases(town: Any) -> dict[str, Any]:
    """Cases, pairs, holders, messages, counters, and what an operator has begun."""
    case = town.cases[0]
    return {
        "code": case.code,
        "uid": case.new_pair.public_id,
        "holder:pk": case.holder_id,
        "reissue_user_code:pk": case.holder_id,
        "reopen_user_code:pk": case.holder_id,
        "reopen_case:code": town.cases[12].code,
        "event:pk": Event.objects.filter(case_code=case.code).values_list("pk", flat=True).last(),
        "message_id": OutboxMessage.objects.filter(case_code=case.code).values_list("pk", flat=True).first(),
        "pk": Stock.objects.filter(centre=town.centre, service=town.eidas).values_list("pk", flat=True).first(),
        "preview:kind": "suspended",
        "preview_mail:kind": "suspended",
        "job:uid": town.job.uid,
        "stop_job:uid": town.job.uid,
        "token": "x" * 32,
        **_each(_OF_PROPOSALS, "uid", town.proposal.uid),
        **_each(_OF_IMPORTS, "uid", town.roster.uid),
    }


def _of_administration(town: Any) -> dict[str, Any]:
    """Centres, agreements, services, campaigns, people, purchases."""
    invited = _each(("resend_invitation", "withdraw_invitation"), "uid", town.invitation.uid)
    return {
        "agreement": Agreement.objects.get(centre=town.centre, service=town.eidas).pk,
        "centre": town.centre.pk,
        "service": town.eidas.code,
        "change_service:code": town.eidas.code,
        "number": town.purchase.number,
        "person": town.operator.pk,
        **_each(_OF_CENTRES, "code", town.centre.code),
        **_each(_OF_CAMPAIGNS, "code", town.campaign.code),
        **invited,
    }


def _of_support(town: Any) -> dict[str, Any]:
    return {**_each(_OF_SUPPORT, "number", town.support.number), "reopen_support:number": town.closed_support.number}


def _of_watch(town: Any) -> dict[str, Any]:
    asked = _each(("confirm_stop", "withdraw_stop"), "uid", town.asked_stop.uid)
    return {**asked, "lift_stop:uid": town.stop.uid, "status_check:uid": town.check.uid}


def _of_smime(town: Any) -> dict[str, Any]:
    return {
        **_each(_OF_ORDERS, "code", town.smime_order.code),
        "credit_slots:agreement": Agreement.objects.get(service=town.smime).pk,
        "withdraw_slot:code": town.slot.code,
        "edition": 1,
        "file": town.smime_paper.uid,
        "page": 0,
        "check": town.smime_check.pk,
        "reopen_smime_check:check": town.smime_decided.pk,
        "reopen_smime_biometric:check": town.smime_led.pk,
    }


def addresses_beside(town: Any) -> list[str]:
    """Pages that look different by what they are about or narrowed to."""
    cases = [f"/pannello/rinnovi/{case.code}/" for case in town.cases]
    lists = [
        "?stato=scaduto",
        "?scadenza=7",
        "?autorizzazione=da-autorizzare",
        "?stato=cancellato&autorizzazione=approvata",
    ]
    return [*cases, *(f"/pannello/rinnovi/{query}" for query in lists), "/pannello/messaggi/?esito=non-consegnati"]
