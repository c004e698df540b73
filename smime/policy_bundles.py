"""Rules of a .p12's short life: who gets it, how often, until when. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from smime.errors import bundles as errors
from smime.models import DownloadCode, KeyBundle, Order
from smime.policy_issuance import handed_over
from smime.states import CertificateStatus, KeyOrigin, OrderState

CODE_TRIES = 5
CODE_COOLDOWN = timedelta(minutes=1)


def name_of_file(order: Order) -> str:
    """Return the name under which the order's .p12 is saved."""
    return f"smime-{order.code}.p12"


def require_there(bundle: KeyBundle | None, now: datetime) -> KeyBundle:
    """Raise `BundleGone` unless the file may still be handed out at `now`."""
    if bundle is None or bundle.sealed is None or now >= bundle.expires_at:
        raise errors.BundleGone
    if bundle.downloads >= bundle.most_downloads or bundle.certificate.status == CertificateStatus.REVOKED:
        raise errors.BundleGone
    return bundle


def require_buyer_is_recipient(order: Order) -> None:
    """Raise `RecipientOnly` where the key belongs to somebody else."""
    if not order.recipient_is_buyer:
        raise errors.RecipientOnly


def require_code_alive(code: DownloadCode | None, now: datetime) -> DownloadCode:
    """Raise `CodeEnded` unless the newest code may still be tried."""
    if code is None or code.used_at is not None or now >= code.expires_at or code.tries >= CODE_TRIES:
        raise errors.CodeEnded
    return code


def require_cooled(newest: DownloadCode | None, now: datetime) -> None:
    """Raise `CodeTooSoon` within a minute of the last code."""
    if newest is not None and now < newest.created_at + CODE_COOLDOWN:
        raise errors.CodeTooSoon


def code_expires_at(now: datetime) -> datetime:
    """When a code mailed at `now` ends."""
    return now + timedelta(minutes=settings.SMIME.download_code_minutes)


def require_reissuable(order: Order, now: datetime) -> None:
    """Raise `NotReissuable` unless the newest certificate is active, not expired, and its key was made by us.

    Who made the key himself has no password to lose, and gets another certificate for another key with another order.
    """
    newest = handed_over(order).order_by("-edition").first()
    is_alive = newest is not None and newest.status == CertificateStatus.ACTIVE and now <= newest.not_after
    if order.state != OrderState.ISSUED or not is_alive or order.key_origin == KeyOrigin.CSR:
        raise errors.NotReissuable
