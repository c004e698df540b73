"""Storing what the CA answered: certificate, stock, bundle, and the mail with its password, all or nothing."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

import structlog
from cryptography import x509 as library
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from cms import ca, events
from cms.actors import SYSTEM
from cms.services import stock
from cms.states import Outcome
from pki import lint, pkcs12, x509
from pki.csr import read_request
from pki.errors import PkiError
from pki.gateway import IssuedCertificate, Profile
from runtime import claims, sealing
from runtime.transactions import use_case
from smime import policy_issuance, policy_slots
from smime.models import CaOrder, KeyBundle, Order, SmimeCertificate
from smime.services import bundles, letters, revocation, vault
from smime.services.checks import scope
from smime.states import CaOrderState, KeyOrigin, OrderState, RevocationGround

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Packed:
    """A bundle and its password, before either is stored."""

    content: bytes = field(repr=False)
    password: str = field(repr=False)


@sensitive_variables()
def settle(row: CaOrder, fence: int, answer: IssuedCertificate, *, at: datetime) -> None:
    """Make the bundle, which takes a second, and then store everything in one short transaction."""
    key = vault.key_of(row.order_id, row.edition)
    packed = None if key is None else _packed(row.order, key, answer)
    _store(row, fence, answer, packed, at=at)


@use_case
def refuse(row: CaOrder, fence: int, failure: PkiError, *, at: datetime) -> None:
    """The CA, its linter or the key gate said no for good: the event says what and why.

    A first certificate's order goes back to its checks, where data can be corrected, and the order rejected or given
    up; a reissue leaves the certificate that is there.
    """
    order = Order.objects.select_for_update(no_key=True).get(pk=row.order_id)
    if not claims.settle(CaOrder, row.pk, fence):
        return
    _lead_back(order, at)
    vault.empty(row.order_id, row.edition)
    CaOrder.objects.filter(pk=row.pk).update(state=CaOrderState.REFUSED, settled_at=at, last_error=failure.code)
    log.warning("smime.issuance-refused", request=str(row.uid), code=failure.code, finding=str(failure)[:500])
    _record("smime.issuance-refused", row.order, at, outcome=Outcome.FAILED, reason=failure.code)


@sensitive_variables()
@use_case
def _store(row: CaOrder, fence: int, answer: IssuedCertificate, packed: Packed | None, *, at: datetime) -> None:
    order = Order.objects.select_for_update(no_key=True).select_related("slot").get(pk=row.order_id)
    if not claims.settle(CaOrder, row.pk, fence):
        return
    certificate, is_as_asked = _certificate_of(row, order, answer, at)
    certificate.save(force_insert=True)
    error = "" if is_as_asked else "ca-answer-differs"
    if is_as_asked and packed is None and order.key_origin == KeyOrigin.SERVER:
        error = "key-gone"  # nobody holds the key that was certified
    state = CaOrderState.REFUSED if error else CaOrderState.DONE
    CaOrder.objects.filter(pk=row.pk).update(state=state, settled_at=at, certificate=certificate, last_error=error)
    if not error and order.state == OrderState.APPROVED:
        _hand_over(order, certificate, packed, at)
    else:
        _lead_back(order, at)
        _revoke_at_once(certificate, at)
    vault.empty(order.pk, row.edition)
    if row.edition == 1:
        _debit(order, at)


def _lead_back(order: Order, at: datetime) -> None:
    """Where the locked order still waits for the CA, lead it back: to its older certificate, or to its checks."""
    if order.state != OrderState.APPROVED:
        return
    if policy_issuance.handed_over(order).exists():
        order.issue(at=order.issued_at or at)
    else:
        order.send_back()
    order.save()


def _hand_over(order: Order, certificate: SmimeCertificate, packed: Packed | None, at: datetime) -> None:
    if packed is not None:
        _bundle(order, certificate, packed, at).save(force_insert=True)
    order.issue(at=at)
    order.reminder_at = policy_issuance.reminder_after(certificate.not_after, at)
    order.save()
    facts = {"edition": certificate.edition, "serial": certificate.serial}
    _record("smime.issued", order, at, new_not_after=certificate.not_after, facts=facts)
    letters.post_issued(order, packed.password if packed else "", certificate, at=at)
    if packed is not None and not order.recipient_is_buyer:
        bundles.mail_link(order, at=at)
    for older in order.certificates.exclude(pk=certificate.pk):
        revocation.plan(older, ground=RevocationGround.SUPERSEDED, actor=SYSTEM, at=at)


def _revoke_at_once(certificate: SmimeCertificate, at: datetime) -> None:
    """Not what was asked for, or of an order that an officer has rejected meanwhile: nobody gets it."""
    _record("smime.issued-in-vain", certificate.order, at, outcome=Outcome.FAILED, reason=certificate.serial)
    revocation.plan(certificate, ground=RevocationGround.MISISSUANCE, actor=SYSTEM, at=at)


@sensitive_variables()
def _packed(order: Order, key: bytes, answer: IssuedCertificate) -> Packed:
    password = pkcs12.new_password()
    above = (*answer.chain, *ca.gateway().trust_anchors())
    iterations = settings.SMIME.bundle_iterations
    content = pkcs12.bundle(key, answer.certificate, above, password, format=order.bundle_format, iterations=iterations)
    return Packed(content, password)


def _bundle(order: Order, certificate: SmimeCertificate, packed: Packed, at: datetime) -> KeyBundle:
    bundle = KeyBundle(
        certificate=certificate,
        format=order.bundle_format,
        created_at=at,
        expires_at=at + timedelta(days=settings.SMIME.bundle_days),
        most_downloads=settings.SMIME.bundle_downloads,
    )
    bundle.sealed = sealing.seal(packed.content, context=bundle.sealing_context)
    return bundle


def _certificate_of(
    row: CaOrder, order: Order, answer: IssuedCertificate, at: datetime
) -> tuple[SmimeCertificate, bool]:
    """Read the certificate, lint it once more, and say whether it is the one that was asked for."""
    facts = x509.read_certificate(answer.certificate)
    found = lint.findings_in_certificate(answer.certificate, Profile(f"smime-{order.validation}-{order.generation}"))
    asked_key = read_request(bytes(row.csr or b"")).spki_sha256.hex()
    is_as_asked = not found and policy_issuance.is_as_asked(row, facts, asked_key)
    certificate = SmimeCertificate(
        order=order,
        edition=row.edition,
        serial=f"{answer.ref.serial:x}",
        issuer_key_id=answer.ref.issuer_key_id.hex(),
        fingerprint=hashlib.sha256(answer.certificate).hexdigest(),
        spki_sha256=facts.spki_sha256.hex(),
        der=answer.certificate,
        chain=[base64.b64encode(each).decode() for each in answer.chain],
        lint=_linted(answer.certificate, found),
        not_before=facts.not_before,
        not_after=facts.not_after,
        issued_at=at,
    )
    return certificate, is_as_asked


def _linted(certificate: bytes, found: list[Any]) -> dict[str, Any]:
    tbs = library.load_der_x509_certificate(certificate).tbs_certificate_bytes
    return {
        "linter": f"pkilint {version('pkilint')}",
        "findings": [each.code for each in found],
        "tbs_sha256": hashlib.sha256(tbs).hexdigest(),
    }


def _debit(order: Order, at: datetime) -> None:
    """The slot's unit is consumed with the order's first certificate, whatever becomes of that; reissues are free."""
    slot = order.slot
    stock.debit(
        centre_id=slot.centre_id,
        service_id=slot.service_id,
        types=[policy_slots.stock_type(slot.validation)],
        case_code=slot.code,
        actor=SYSTEM,
        at=at,
    )


def _record(verb: str, order: Order, at: datetime, **more: Any) -> None:
    events.record(verb, actor=SYSTEM, at=at, **scope(order), **more)
