"""The renewal form: rendered here, shown and signed at the card, assembled and verified here (rules.md R17)."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from django.conf import settings

from cms import ca
from cms.actors import holder_at_client
from cms.errors import StockEmpty
from cms.fsm import refusing_illegal_moves
from cms.services.registration import pinned_issuers
from cms.states import ApprovalMode
from notifications.catalog import Attachment, Message
from pki import pades
from pki.errors import PkiError
from renewals import document, errors, policy, texts
from renewals.models import RenewalCase, RenewalForm
from renewals.services import acceptance, enrolment, notices
from renewals.services.cases import plan, record
from renewals.services.enrolment import locked_for_step
from renewals.states import CaseState
from runtime.transactions import use_case


@use_case
def prepare_form(case_id: int, *, now: datetime) -> RenewalForm:
    """Render the form of the present data, or return the one already rendered for the same data."""
    case = locked_for_step(case_id, now=now)
    if case.state != CaseState.NOTIFIED:
        return _existing(case)
    if case.contacts_confirmed_at is None or not acceptance.texts_accepted(case):
        raise errors.StepNotOpen
    content = _content(case)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    form = RenewalForm.objects.filter(case=case, content_sha256=digest).first()
    return form or _render(case, content, digest, now=now)


def sign_renewal(case_id: int, signature: bytes, *, now: datetime) -> RenewalCase:
    """Take the card's signature of the form: the case waits for installation, the pair is reserved, all or none."""
    signed_pdf = _assemble(case_id, signature, now=now)
    try:
        return _sign(case_id, signed_pdf, now=now)
    except StockEmpty:
        enrolment.tell_stock_empty(case_id, now=now)
        raise


def _assemble(case_id: int, signature: bytes, *, now: datetime) -> bytes:
    """Build and verify the signed document outside of any lock: it is the slow part."""
    form = RenewalForm.objects.select_related("case__old_pair").filter(case_id=case_id).first()
    if form is None:
        raise errors.FormMissing
    if form.signed_pdf is not None:
        return bytes(form.signed_pdf)
    half = policy.signing_certificate(form.case.old_halves)
    if half is None:
        raise errors.StepNotOpen
    signer = bytes(half.body.der)
    prepared = pades.PreparedSignature(
        pdf=bytes(form.prepared_pdf),
        document_sha256=bytes.fromhex(form.document_sha256),
        signed_attributes=bytes(form.signed_attributes),
        state=form.signing_state,
    )
    try:
        signed_pdf = pades.finish(prepared, signature)
        pades.verify(
            signed_pdf, signer=signer, issuers=pinned_issuers(), trust_anchors=ca.gateway().trust_anchors(), at=now
        )
    except PkiError as error:
        raise errors.FormSignatureInvalid from error
    return signed_pdf


@use_case
def _sign(case_id: int, signed_pdf: bytes, *, now: datetime) -> RenewalCase:
    case = locked_for_step(case_id, now=now)
    if case.state != CaseState.NOTIFIED:
        return case
    form = RenewalForm.objects.select_for_update().get(case=case)
    if form.content_sha256 != hashlib.sha256(json.dumps(_content(case), sort_keys=True).encode()).hexdigest():
        raise errors.FormMissing
    form.signed_pdf = signed_pdf
    form.save(update_fields=["signed_pdf"])
    _move(case, now=now)
    record("case.signed", case, actor=holder_at_client(case.holder_id), at=now, facts={"form": form.document_sha256})
    pdf = Attachment(name=f"modulo-rinnovo-{case.code}.pdf", media_type="application/pdf", content=signed_pdf)
    notices.tell(case, Message.SIGNED_FORM, at=now, attachments=[pdf])
    acceptance.reserve(case, now=now)
    return case


def _move(case: RenewalCase, *, now: datetime) -> None:
    agreement = case.agreement
    with refusing_illegal_moves():
        case.sign(
            at=now,
            mode=ApprovalMode(agreement.approval),
            refusal_suspends_at_once=agreement.refusal_suspends_at_once,
        )
        if agreement.approval == ApprovalMode.AUTHORISATION:
            case.ask_authorisation()
        else:
            case.skip_authorisation()
    plan(case)
    case.save(update_fields=acceptance.SIGNED_FIELDS)


def _existing(case: RenewalCase) -> RenewalForm:
    form = RenewalForm.objects.filter(case=case).first()
    if form is None:
        raise errors.FormMissing
    return form


def _render(case: RenewalCase, content: dict[str, object], digest: str, *, now: datetime) -> RenewalForm:
    half = policy.signing_certificate(case.old_halves)
    if half is None:
        raise errors.StepNotOpen
    pdf = document.render_form(content, rendered_at=now)
    prepared = pades.prepare(
        pdf,
        bytes(half.body.der),
        pinned_issuers(),
        signing_time=now.replace(microsecond=0),
        reason="Richiesta di rinnovo",
    )
    form, _ = RenewalForm.objects.update_or_create(
        case=case,
        defaults={
            "content_sha256": digest,
            "document_sha256": prepared.document_sha256.hex(),
            "prepared_pdf": prepared.pdf,
            "signed_attributes": prepared.signed_attributes,
            "signing_state": prepared.state,
            "rendered_at": now,
        },
    )
    record("case.form-rendered", case, actor=holder_at_client(case.holder_id), at=now)
    return form


def _content(case: RenewalCase) -> dict[str, object]:
    """Everything that the form says; a changed contact or text is another form."""
    holder, centre = case.holder, case.centre
    return {
        "case": case.code,
        "service": case.issuing_service.name,
        "centre": {"name": centre.name, "email": centre.email, "phone": centre.phone},
        "holder": {
            "name": holder.full_name,
            "tax_code": holder.tax_code,
            "email": holder.email,
            "mobile": holder.mobile,
            "address": [holder.street, holder.postcode, holder.town, holder.province],
        },
        "card": case.card.serial,
        "old_not_after": case.old_not_after.isoformat(),
        "certificates": [
            {"type": half.get_type_display(), "serial": half.serial, "not_after": half.not_after.isoformat()}
            for half in case.old_halves
        ],
        "texts": [[text.title, text.version, text.sha256] for text in texts.in_force(case.flow)],
        "issuer": settings.BASE_URL,
    }
