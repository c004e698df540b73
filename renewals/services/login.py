"""Proof of possession of the old key, and the short session it opens."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings

from cms.actors import holder_at_client
from cms.models import Certificate, Pair
from pki import challenge as texts
from pki.errors import PkiError
from pki.x509 import read_certificate
from renewals import errors, policy, queries
from renewals.flows import Terms
from renewals.models import Challenge, EnrolmentSession, RenewalCase
from renewals.services import cases, eligibility
from renewals.states import CaseState, Purpose
from runtime.transactions import use_case


def host() -> str:
    """The name that clients reach us by; stands in every signed text, so that an answer is worth nothing elsewhere."""
    return urlsplit(settings.BASE_URL).netloc


def begin_login(*, card_serial: str, fingerprint: str, now: datetime) -> Challenge:
    """Store a challenge for the login key of a renewable pair; valid for five minutes, once."""
    certificate = find_certificate(fingerprint)
    admitted = require_login(certificate, card_serial=card_serial, now=now)
    case = admitted.case
    nonce = texts.new_nonce()
    expires_at = _whole(now) + timedelta(seconds=settings.RENEWALS.challenge_seconds)
    return Challenge.objects.create(
        purpose=Purpose.LOGIN,
        pair=admitted.pair,
        case=case,
        spki_sha256=certificate.spki_sha256,
        nonce=nonce,
        text=texts.login_text(
            host=host(), nonce=nonce, card=card_serial, case=case.code if case else None, expires_at=expires_at
        ),
        expires_at=expires_at,
    )


def find_certificate(fingerprint: str) -> Certificate:
    """The registered certificate of that fingerprint; the same refusal whatever is wrong with it."""
    rows = Certificate.objects.select_related("pair__card__family", "pair__service__successor", "body")
    certificate = rows.filter(fingerprint=fingerprint).first()
    if certificate is None:
        raise errors.CertificateUnknown
    return certificate


@dataclass(frozen=True, slots=True)
class Admission:
    """A pair that may log in: under which terms, and its open case, if there is one."""

    pair: Pair
    terms: Terms
    case: RenewalCase | None


def require_login(certificate: Certificate, *, card_serial: str, now: datetime) -> Admission:
    """Refuse anything that may not log in now: asked when the challenge is made and again when it is answered."""
    pair = certificate.pair
    policy.require_on_card(pair)
    if pair.card is None or pair.card.serial != card_serial:
        raise errors.CardMismatch
    halves, past = policy.in_renewal(pair, queries.halves(pair)), queries.cases_of(pair)
    terms, case = eligibility.require_renewable(pair, halves, past=past, now=now)
    if policy.login_certificate(halves).pk != certificate.pk:
        raise errors.NotLoginCertificate
    if past and past[0].state == CaseState.CANCELLED:
        raise errors.PairClosed
    policy.require_sound_old_key(
        read_certificate(bytes(certificate.body.der)).spki_der, pair.card.family.smallest_old_rsa
    )
    return Admission(pair, terms, case)


def open_session(challenge_id: str, signature: bytes, *, now: datetime) -> tuple[str, EnrolmentSession]:
    """Answer a login challenge: opens or resumes the case and returns the bearer token, told once."""
    challenge = Challenge.objects.filter(pk=challenge_id, purpose=Purpose.LOGIN).first()
    if challenge is None or challenge.used_at is not None:
        raise errors.ChallengeInvalid
    certificate = Certificate.objects.select_related("pair__card__family", "pair__service__successor", "body").get(
        pair_id=challenge.pair_id, spki_sha256=challenge.spki_sha256
    )
    require_answer(bytes(certificate.body.der), challenge, signature)
    return _enter(challenge, certificate, now=now)


@use_case
def _enter(challenge: Challenge, certificate: Certificate, *, now: datetime) -> tuple[str, EnrolmentSession]:
    consume(challenge, now=now)
    admitted = require_login(certificate, card_serial=_serial(certificate), now=now)
    pair, case = admitted.pair, admitted.case
    if case is None:
        case = cases.open_or_resume(pair, admitted.terms, actor=holder_at_client(pair.holder_id), at=now)
    case.old_pair = pair  # already read
    if pair.card is not None:
        case.card = pair.card
    return _new_session(case, challenge, now=now)


def require_answer(certificate_der: bytes, challenge: Challenge, signature: bytes) -> None:
    """The signature must be the certificate's key over exactly the stored text."""
    try:
        texts.require_signature(read_certificate(certificate_der).spki_der, challenge.text, signature)
    except PkiError as error:
        raise errors.SignatureInvalid from error


def consume(challenge: Challenge, *, now: datetime) -> None:
    """Use a challenge up: of any number of parallel answers one wins (decided by the database)."""
    if now >= challenge.expires_at:
        raise errors.ChallengeExpired
    if not Challenge.objects.filter(pk=challenge.pk, used_at__isnull=True).update(used_at=now):
        raise errors.ChallengeInvalid


def session_of(token: str, *, now: datetime) -> EnrolmentSession:
    """The living session of a token, or `Unauthenticated`."""
    session = EnrolmentSession.objects.filter(token_sha256=_digest(token), expires_at__gt=now).first()
    if session is None:
        raise errors.Unauthenticated
    return session


def _new_session(case: RenewalCase, challenge: Challenge, *, now: datetime) -> tuple[str, EnrolmentSession]:
    token = secrets.token_urlsafe(32)
    session = EnrolmentSession.objects.create(
        token_sha256=_digest(token),
        case=case,
        created_at=now,
        expires_at=now + timedelta(seconds=settings.RENEWALS.session_seconds),
    )
    # The nonce of this login goes into the statement that vouches for the new keys (ADR 20).
    RenewalCase.objects.filter(pk=case.pk).update(key_nonce=challenge.nonce)
    case.key_nonce = challenge.nonce
    return token, session


def _serial(certificate: Certificate) -> str:
    return certificate.pair.card.serial if certificate.pair.card else ""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _whole(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)
