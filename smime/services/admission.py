"""What must hold in the second before a signature: the domain's owner lets us, and the key is nobody's yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from django.conf import settings
from django.db import connection

from cms.models import Certificate
from pki import caa
from pki.caa_resolver import resolver_at
from pki.csr import SigningRequest, read_request
from pki.errors import WeakKey
from pki.smime_profiles import require_mail_key
from smime.models import CaOrder, IssuanceLook, Order, SmimeCertificate
from smime.states import CaOrderKind, CaOrderState

_installed: list[caa.Resolver] = []


@contextmanager
def asking(other: caa.Resolver) -> Iterator[caa.Resolver]:
    """Let another resolver answer inside the block: fakes in tests."""
    _installed.append(other)
    try:
        yield other
    finally:
        _installed.remove(other)


def is_admitted(order: Order, *, at: datetime) -> bool:
    """Look at CAA right now and keep what was seen (SBR 4.2.2.1); what refuses is left on the order for its readers."""
    domain = order.mailbox.rpartition("@")[2]
    seen = caa.decide(domain, settings.SMIME.caa_issuers, _resolver(), at=at)
    IssuanceLook.objects.create(
        order=order,
        at=at,
        domain=seen.domain,
        found_at=seen.found_at,
        records=[asdict(record) for record in seen.records],
        secure=seen.secure,
        allowed=seen.allowed,
        code=seen.code,
        expires_at=seen.expires_at,
    )
    if not seen.allowed:
        open_ = [CaOrderState.PLANNED, CaOrderState.SENT]
        CaOrder.objects.filter(order=order, kind=CaOrderKind.ISSUE, state__in=open_).update(last_error=seen.code)
    return seen.allowed


def require_new_key(request: SigningRequest, row: CaOrder) -> None:
    """Refuse a key that mail cannot use, and one that has a certificate of ours or is about to: `WeakKey` (key-known).

    In the transaction that commits `row` as sent: two orders with one key wait for each other here.
    """
    require_mail_key(request.spki_der)
    digest = request.spki_sha256.hex()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"smime.key:{digest}"])
    known = SmimeCertificate.objects.filter(spki_sha256=digest), Certificate.objects.filter(spki_sha256=digest)
    if any(rows.exists() for rows in known) or digest in _asked_for(row):
        raise WeakKey("a key that has a certificate already", code="key-known")


def _asked_for(row: CaOrder) -> set[str]:
    """Digests of the keys that the CA is being asked for in other orders."""
    sent = CaOrder.objects.filter(kind=CaOrderKind.ISSUE, state=CaOrderState.SENT).exclude(order_id=row.order_id)
    return {read_request(bytes(csr)).spki_sha256.hex() for csr in sent.values_list("csr", flat=True) if csr}


def _resolver() -> caa.Resolver:
    return _installed[-1] if _installed else resolver_at(settings.SMIME.resolver)
