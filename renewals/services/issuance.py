"""From the new keys to the installed certificates: requests, issuance, proof."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings

from cms import policy as register
from cms.actors import holder_at_client
from cms.errors import KeyConflict
from cms.fsm import refusing_illegal_moves
from cms.models import CaRequest, Certificate, Pair
from cms.services import certificates, codes, requests, stock
from cms.states import CertificateStatus, CertificateType, Flow, RequestState
from notifications.catalog import Message
from pki import challenge as texts
from pki import keys
from pki.csr import SigningRequest, read_request
from pki.errors import PkiError
from pki.gateway import Subject, Validity
from pki.x509 import read_certificate
from renewals import errors, policy, queries
from renewals.flows import POLICIES, terms_of
from renewals.models import Challenge, RenewalCase
from renewals.services import notices
from renewals.services.cases import PLAN_FIELDS, locked, plan, record
from renewals.services.enrolment import locked_for_step, require_step
from renewals.services.login import consume, host
from renewals.states import CaseState, Purpose
from runtime.transactions import use_case


def submit_requests(
    case_id: int, csrs: Mapping[str, bytes], binding: bytes, *, now: datetime
) -> tuple[RenewalCase, list[CaRequest]]:
    """Store the wish for one certificate per slot, then ask the CA at once; a worker takes over what does not settle.

    Repeated with the same keys it returns what is there; with others it refuses (`key-conflict`).
    """
    parsed = {slot: _parse(der) for slot, der in sorted(csrs.items())}
    case, asked = _request_once(case_id, parsed, binding, now=now)
    for request in asked:
        if request.is_open:
            requests.carry_out(request.pk, at=now)
    issues = queries.issue_requests(case)
    if any(request.state == RequestState.REFUSED for request in issues):
        raise errors.IssuanceRefused
    return case, issues


@use_case
def _request_once(
    case_id: int, parsed: Mapping[str, SigningRequest], binding: bytes, *, now: datetime
) -> tuple[RenewalCase, list[CaRequest]]:
    case = locked_for_step(case_id, now=now)
    if case.state != CaseState.AWAITING_INSTALLATION:
        raise errors.StepNotOpen
    if set(parsed) != set(case.types):
        raise errors.RequestInvalid("Occorre una richiesta per ciascun certificato della coppia.")
    asked = queries.issue_requests(case)
    if asked:
        _require_same_keys(asked, parsed)
        return case, asked
    _require_binding(case, parsed, binding)
    _require_fit_keys(parsed)
    asked = _store(case, parsed, now=now)
    record("case.requests-received", case, actor=holder_at_client(case.holder_id), at=now)
    return case, asked


def _parse(der: bytes) -> SigningRequest:
    try:
        return read_request(der)
    except PkiError as error:
        raise errors.RequestInvalid(code=error.code) from error


def _require_same_keys(asked: list[CaRequest], parsed: Mapping[str, SigningRequest]) -> None:
    if {row.type: row.spki_sha256 for row in asked} != {slot: csr.spki_sha256.hex() for slot, csr in parsed.items()}:
        raise KeyConflict


def _require_fit_keys(parsed: Mapping[str, SigningRequest]) -> None:
    if len({csr.spki_sha256 for csr in parsed.values()}) != len(parsed):
        raise KeyConflict
    for csr in parsed.values():
        try:
            keys.require_new_key(csr.spki_der)
        except PkiError as error:
            raise errors.KeyUnfit(code=error.code) from error


def _require_binding(case: RenewalCase, parsed: Mapping[str, SigningRequest], binding: bytes) -> None:
    """The old login key vouches for exactly these new keys: nobody swaps one after the login (ADR 20)."""
    old = policy.login_certificate(case.old_halves)
    text = texts.keys_text(
        host=host(),
        nonce=case.key_nonce,
        card=case.card.serial,
        case=case.code,
        keys={slot: csr.spki_der for slot, csr in parsed.items()},
    )
    try:
        texts.require_signature(read_certificate(bytes(old.body.der)).spki_der, text, binding)
    except PkiError as error:
        raise errors.BindingInvalid from error


def _store(case: RenewalCase, parsed: Mapping[str, SigningRequest], *, now: datetime) -> list[CaRequest]:
    pair = Pair.objects.create(
        card_id=case.card_id,
        holder_id=case.holder_id,
        agreement_id=case.agreement_id,
        centre_id=case.centre_id,
        service_id=case.issuing_service_id,
        predecessor_id=case.old_pair_id,
        created_at=now,
    )
    case.new_pair = pair
    case.save(update_fields=["new_pair"])
    old = {half.type: half for half in case.old_halves}
    return [
        certificates.request_issue(
            pair=pair,
            type_=slot,
            request=csr,
            subject=subject(case, old[slot]),
            validity=validity(case, old[slot], now=now),
            case_code=case.code,
            at=now,
        )
        for slot, csr in parsed.items()
    ]


def validity(case: RenewalCase, old: Certificate, *, now: datetime) -> Validity:
    """From now to the old expiry of this very half plus the term: no day is lost, none is won."""
    new_not_after = POLICIES[case.flow].new_not_after(old.not_after, terms_of(case))
    return Validity(not_before=now.replace(microsecond=0), not_after=new_not_after)


def subject(case: RenewalCase, old: Certificate) -> Subject:
    """The subject from the register alone. CNS: `<codice fiscale>/<card>.<hash>` as the old certificate has it."""
    holder = case.holder
    if old.type == CertificateType.AUTHENTICATION:
        facts = read_certificate(bytes(old.body.der))
        if facts.subject_cn.split("/", 1)[0] != holder.tax_code:
            raise errors.CardUnfit
        return Subject(common_name=facts.subject_cn, organizational_unit=case.centre.name[:64])
    return Subject(
        common_name=holder.full_name[:64],
        given_name=holder.given_name,
        surname=holder.surname,
        serial_number=f"TINIT-{holder.tax_code}",
        dn_qualifier=f"SG{holder.pk:010d}",
    )


@use_case
def begin_installation(case_id: int, *, now: datetime) -> Challenge:
    """Store the text that each new key signs once its certificate lies on the card."""
    case = locked(case_id, related=("card", "issuing_service", "new_pair"))
    issued = _issued(case)
    nonce = secrets.token_hex(32)
    expires_at = now.replace(microsecond=0) + timedelta(seconds=settings.RENEWALS.challenge_seconds)
    return Challenge.objects.create(
        purpose=Purpose.INSTALLATION,
        pair=case.old_pair,
        case=case,
        nonce=nonce,
        text=texts.installation_text(
            host=host(),
            nonce=nonce,
            card=case.card.serial,
            case=case.code,
            certificates={half.type: bytes(half.body.der) for half in issued},
        ),
        expires_at=expires_at,
    )


@use_case
def complete_renewal(case_id: int, challenge_id: str, proofs: Mapping[str, bytes], *, now: datetime) -> RenewalCase:
    """Each new key proves itself: certificates active, reservation debited, new *codice utente*. Twice is once."""
    case = locked(case_id)
    if case.state == CaseState.COMPLETED:
        return case
    require_step(case, now=now)
    issued = _issued(case)
    challenge = Challenge.objects.filter(pk=challenge_id, purpose=Purpose.INSTALLATION, case=case).first()
    if challenge is None or challenge.used_at is not None:
        raise errors.ChallengeInvalid
    _require_proofs(issued, challenge, proofs)
    consume(challenge, now=now)
    for half in issued:
        half.activate(at=now)
        half.save(update_fields=["status", "proven_at"])
    with refusing_illegal_moves():
        case.complete(at=now)
    plan(case)
    case.save(update_fields=["state", "completed_at", *PLAN_FIELDS])
    notices.withdraw_warnings(case)
    _open_next_window(case, issued)
    _tell_completed(case, issued, now=now)
    stock.debit(
        centre_id=case.centre_id,
        service_id=case.issuing_service_id,
        types=case.types,
        case_code=case.code,
        actor=holder_at_client(case.holder_id),
        at=now,
    )
    return case


def _issued(case: RenewalCase) -> list[Certificate]:
    if case.new_pair is None or case.state not in {CaseState.AWAITING_INSTALLATION, CaseState.COMPLETED}:
        raise errors.StepNotOpen
    rows = case.new_pair.certificates.select_for_update(of=("self",), no_key=True).select_related("body").order_by("pk")
    issued = list(rows)
    standing = {half.type for half in issued if half.status != CertificateStatus.REVOKED}
    if standing != set(case.types):
        raise errors.StepNotOpen
    return issued


def _require_proofs(issued: list[Certificate], challenge: Challenge, proofs: Mapping[str, bytes]) -> None:
    if set(proofs) != {half.type for half in issued}:
        raise errors.ProofInvalid
    for half in issued:
        try:
            texts.require_signature(read_certificate(bytes(half.body.der)).spki_der, challenge.text, proofs[half.type])
        except PkiError as error:
            raise errors.ProofInvalid from error


def _open_next_window(case: RenewalCase, issued: list[Certificate]) -> None:
    """The new pair will have its own renewal; the sweep finds it by this instant."""
    opens_at = register.window_opens_at(case.issuing_service, policy.old_not_after(issued))
    Pair.objects.filter(born_in=case).update(window_opens_at=opens_at)


def _tell_completed(case: RenewalCase, issued: list[Certificate], *, now: datetime) -> None:
    new_not_after = min(half.not_after for half in issued)
    actor = holder_at_client(case.holder_id)
    record("case.completed", case, actor=actor, at=now, new_not_after=new_not_after)
    if case.flow == Flow.EXTEND and not case.holder.email:
        # Nobody could tell the holder of a new code, so the one that he may have stays good (rules.md R29).
        return
    user_code = {"user_code": codes.renew_user_code(case.holder, at=now)}
    if case.waits_for_approval:
        notices.tell(
            case,
            Message.RENEWAL_DONE_TO_AUTHORISE,
            at=now,
            secrets=user_code,
            new_not_after=new_not_after.isoformat(),
            authorise_by=case.old_not_after.isoformat(),
            recoverable_days=settings.CMS.hold_days,
        )
    else:
        notices.tell(case, Message.RENEWAL_DONE, at=now, secrets=user_code, new_not_after=new_not_after.isoformat())
