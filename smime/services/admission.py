"""What must hold in the second before a signature: the domain's owner lets us, and the key is nobody's yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from django.conf import settings

from cms.models import Certificate
from pki import caa
from pki.caa_resolver import resolver_at
from pki.csr import SigningRequest
from pki.errors import WeakKey
from pki.smime_profiles import require_mail_key
from smime.models import CaOrder, IssuanceLook, Order, SmimeCertificate
from smime.states import CaOrderState

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
        CaOrder.objects.filter(order=order, state=CaOrderState.PLANNED).update(last_error=seen.code)
    return seen.allowed


def require_new_key(request: SigningRequest) -> None:
    """Refuse a key that mail cannot use, and one that a certificate of ours has had already: `WeakKey` (key-known)."""
    require_mail_key(request.spki_der)
    digest = request.spki_sha256.hex()
    known = SmimeCertificate.objects.filter(spki_sha256=digest), Certificate.objects.filter(spki_sha256=digest)
    if any(rows.exists() for rows in known):
        raise WeakKey("a key that has a certificate already", code="key-known")


def _resolver() -> caa.Resolver:
    return _installed[-1] if _installed else resolver_at(settings.SMIME.resolver)
