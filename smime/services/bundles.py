"""Handing out a .p12, and its end. Each download is counted under lock, recorded, and told by mail.

Who downloads has just logged in and proven a second element (the page's affair, `proof` says which), or reads the
recipient's mailbox in the browser that used the link first.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q
from django.views.decorators.debug import sensitive_variables

from cms import events
from cms.actors import SYSTEM, Actor, customer, recipient
from cms.models import User
from runtime import sealing
from runtime.transactions import use_case
from smime import errors as order_errors
from smime import policy_bundles
from smime.errors import bundles as errors
from smime.models import BundleDownload, DownloadCode, KeyBundle, MailedLink, Order
from smime.services import letters, links
from smime.services.checks import scope
from smime.states import LinkPurpose

PROOFS = ("passkey", "totp", "code", "link")
_DIGITS = 6
_SWEEP = 200


@dataclass(frozen=True, slots=True)
class File:
    """A .p12 as it is sent, once."""

    name: str
    content: bytes = field(repr=False)


@use_case
def deliver(order_uid: UUID, *, buyer: User, proof: str, address: str | None, now: datetime) -> File:
    """Hand the file to the buyer, who is its recipient too, after the page has seen his second element (`proof`)."""
    order = _order_of(order_uid, buyer)
    return _handed_out(order, actor=customer(buyer), proof=proof, address=address, now=now)


@use_case
def send_code(order_uid: UUID, *, buyer: User, now: datetime) -> datetime:
    """Mail six digits to the buyer's own mailbox, at most once a minute; codes before are void. Returns their end."""
    order = _order_of(order_uid, buyer)
    policy_bundles.require_there(_bundle_of(order), now)
    mine = DownloadCode.objects.filter(order=order, user_id=buyer.pk)
    policy_bundles.require_cooled(mine.order_by("-id").first(), now)
    expires = policy_bundles.code_expires_at(now)
    mine.filter(used_at__isnull=True, expires_at__gt=now).update(expires_at=now)
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
    digest = _digest(order, code)
    DownloadCode.objects.create(order=order, user_id=buyer.pk, code_sha256=digest, created_at=now, expires_at=expires)
    letters.post_download_code(order, code, expires=expires, at=now)
    return expires


@sensitive_variables("code")
def deliver_by_code(order_uid: UUID, code: str, *, buyer: User, address: str | None, now: datetime) -> File:
    """Hand the file out for the mailed digits; a wrong one counts even though it is refused."""
    _prove_code(order_uid, code, buyer=buyer, now=now)
    return deliver(order_uid, buyer=buyer, proof="code", address=address, now=now)


@use_case
@sensitive_variables("token", "browser")
def deliver_by_link(token: str, browser: str, *, address: str | None, now: datetime) -> File:
    """Hand the file to the recipient who reads the mailbox; the first use binds the link to its browser.

    `browser`: the random value of a cookie that the page has set. Raises `OtherBrowser` for any other.
    """
    found = links.open_link(token, LinkPurpose.DOWNLOAD, now=now)
    order = Order.objects.select_for_update(no_key=True).get(pk=found.order_id)
    link = MailedLink.objects.select_for_update(no_key=True).get(pk=found.pk)
    mine = hashlib.sha256(browser.encode()).hexdigest()
    if not browser or link.browser_sha256 not in {"", mine}:
        raise errors.OtherBrowser
    if not link.browser_sha256:
        link.browser_sha256, link.used_at, link.used_from = mine, now, address
        link.save(update_fields=["browser_sha256", "used_at", "used_from"])
    return _handed_out(order, actor=recipient(order), proof="link", address=address, now=now)


@use_case
def send_link_again(order_uid: UUID, *, buyer: User, now: datetime) -> None:
    """Mail the recipient another download link, for a browser of its own. He downloads, never the buyer."""
    order = _locked(order_uid, buyer)
    policy_bundles.require_there(_bundle_of(order), now)
    links.require_may_mail(order, LinkPurpose.DOWNLOAD, now=now)
    mail_link(order, at=now)


def mail_link(order: Order, *, at: datetime) -> None:
    """Mail the recipient his download link, in the caller's transaction."""
    bundle = _bundle_of(order)
    token = links.issue_link(order, LinkPurpose.DOWNLOAD, at=at, expires_at=bundle.expires_at if bundle else None)
    letters.post_download_link(order, links.address_of(LinkPurpose.DOWNLOAD, token), at=at)


@use_case
def keep_saved(order_uid: UUID, *, buyer: User, now: datetime) -> None:
    """Note that the customer says he keeps a copy: after the file's end nothing can bring the key back."""
    bundle = _bundle_of(_order_of(order_uid, buyer))
    if bundle is not None and bundle.saved_at is None:
        KeyBundle.objects.filter(pk=bundle.pk).update(saved_at=now)


@use_case
def destroy_now(order_uid: UUID, *, buyer: User, now: datetime) -> None:
    """*Elimina ora*: the customer has his copy and wants no other to exist. Twice is once."""
    order = _order_of(order_uid, buyer)
    bundle = _bundle_of(order)
    if bundle is not None and bundle.destroyed_at is None:
        _destroy(bundle, "customer", actor=customer(buyer), at=now)


@use_case
def destroy_due(*, at: datetime) -> int:
    """Destroy what has outlived its days, and what belongs to revoked certificates; returns how many."""
    over = Q(expires_at__lte=at) | Q(certificate__status="revoked")
    rows = KeyBundle.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
    due = list(rows.select_related("certificate__order").filter(over, destroyed_at__isnull=True)[:_SWEEP])
    for bundle in due:
        because = "expired" if bundle.expires_at <= at else "revoked"
        _destroy(bundle, because, actor=SYSTEM, at=at)
    return len(due)


def _order_of(order_uid: UUID, buyer: User) -> Order:
    order = _locked(order_uid, buyer)
    policy_bundles.require_buyer_is_recipient(order)
    return order


def _locked(order_uid: UUID, buyer: User) -> Order:
    order = Order.objects.select_for_update(no_key=True).filter(uid=order_uid, buyer=buyer).first()
    if order is None:
        raise order_errors.OrderUnknown
    return order


def _bundle_of(order: Order) -> KeyBundle | None:
    rows = KeyBundle.objects.select_for_update(of=("self",), no_key=True).select_related("certificate__order")
    return rows.filter(certificate__order=order).order_by("-certificate__edition").first()


def _handed_out(order: Order, *, actor: Actor, proof: str, address: str | None, now: datetime) -> File:
    bundle = policy_bundles.require_there(_bundle_of(order), now)
    content = sealing.unseal(bytes(bundle.sealed or b""), context=bundle.sealing_context)
    KeyBundle.objects.filter(pk=bundle.pk).update(downloads=F("downloads") + 1)
    bundle.refresh_from_db()
    BundleDownload.objects.create(bundle=bundle, at=now, actor_id=actor.id, proof=proof, address=address)
    facts = {"proof": proof, "left": bundle.most_downloads - bundle.downloads}
    events.record("smime.downloaded", actor=actor, at=now, facts=facts, **scope(order))
    letters.post_downloaded(order, bundle, at=now)
    if bundle.downloads >= bundle.most_downloads:
        _destroy(bundle, "downloads", actor=SYSTEM, at=now)
    return File(policy_bundles.name_of_file(order), content)


def _destroy(bundle: KeyBundle, because: str, *, actor: Actor, at: datetime) -> None:
    KeyBundle.objects.filter(pk=bundle.pk).update(sealed=None, destroyed_at=at, destroyed_because=because)
    order = bundle.certificate.order
    events.record("smime.bundle-destroyed", actor=actor, at=at, reason=because, **scope(order))


@use_case
def _count_try(order_uid: UUID, code: str, *, buyer: User, now: datetime) -> bool:
    """Whether the digits are the newest code's. Committed either way: nobody tries more than five times."""
    order = _order_of(order_uid, buyer)
    rows = DownloadCode.objects.select_for_update().filter(order=order, user_id=buyer.pk)
    newest = policy_bundles.require_code_alive(rows.order_by("-id").first(), now)
    is_right = secrets.compare_digest(newest.code_sha256, _digest(order, "".join(code.split())))
    newest.tries += 1
    newest.used_at = now if is_right else None
    newest.save(update_fields=["tries", "used_at"])
    return is_right


def _prove_code(order_uid: UUID, code: str, *, buyer: User, now: datetime) -> None:
    if not _count_try(order_uid, code, buyer=buyer, now=now):
        raise errors.CodeWrong


def _digest(order: Order, code: str) -> str:
    """Six digits are guessed in no time from a bare hash; the order's own id at least makes tables useless."""
    return hashlib.sha256(f"{order.uid}:{code}".encode(errors="surrogatepass")).hexdigest()
