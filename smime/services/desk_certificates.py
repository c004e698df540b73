"""What officers ask for certificates: the desk's rules before the use cases of revocation, refusals in the trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cms.actors import operator as operator_actor
from cms.errors import NotFound
from cms.models import User
from runtime.transactions import use_case
from smime import policy_desk
from smime.models import CaOrder, SmimeCertificate
from smime.services import revocation
from smime.services.desk_trail import noting_refusal
from smime.states import RevocationGround

_Ask = Callable[[], CaOrder | None]


def revoke(certificate_id: int, *, ground: RevocationGround, operator: User, now: datetime) -> CaOrder | None:
    """Have it revoked for good on a ground of the closed table; its clock starts now (SBR 4.9.1.1)."""
    actor = operator_actor(operator)

    def ask() -> CaOrder | None:
        return revocation.request_revocation(certificate_id, ground=ground, actor=actor, now=now)

    return _asked(certificate_id, f"revoke-{ground}", ask, operator, now)


def hold(certificate_id: int, *, operator: User, now: datetime) -> CaOrder | None:
    """Have it suspended; strict ones cannot be (SBR 4.9.13)."""
    actor = operator_actor(operator)
    return _asked(
        certificate_id, "hold", lambda: revocation.request_hold(certificate_id, actor=actor, now=now), operator, now
    )


def release(certificate_id: int, *, operator: User, now: datetime) -> CaOrder | None:
    """Have its suspension lifted."""
    actor = operator_actor(operator)
    return _asked(
        certificate_id,
        "release",
        lambda: revocation.request_release(certificate_id, actor=actor, now=now),
        operator,
        now,
    )


def _asked(certificate_id: int, deed: str, ask: _Ask, operator: User, now: datetime) -> CaOrder | None:
    rows = SmimeCertificate.objects.select_related("order__buyer")
    certificate = rows.filter(pk=certificate_id).first()
    if certificate is None:
        raise NotFound
    with noting_refusal(certificate.order, deed, operator=operator, now=now):
        return _ask_as_officer(certificate, ask, operator)


@use_case
def _ask_as_officer(certificate: SmimeCertificate, ask: _Ask, operator: User) -> CaOrder | None:
    policy_desk.require_officer(certificate.order, operator)
    return ask()
