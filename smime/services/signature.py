"""The alternative to the biometric way: a form is made, signed elsewhere, sent back and judged.

Judging parses what strangers made and takes up to seconds, so a worker does it; the recipient reads the outcome on the
page of his link. One form is in force per order: other data make a new one and void it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime
from uuid import UUID, uuid4

from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from cms import events
from cms.actors import recipient
from cms.models import User
from runtime import nudge, sealing
from runtime.transactions import use_case
from smime import document, policy_links, policy_signature, states
from smime.errors.signature import SignatureFormMissing
from smime.models import Check, EvidenceFile, Order, SignatureForm, SignatureReport
from smime.policy_signature import RecipientData
from smime.services import checks, evidence, letters, links
from smime.services.orders import locked_order
from smime.states import CheckKind, FileKind, LinkPurpose, Validation, Verdict

VALIDATE = "smime.tasks.validate_signature"
_NONCE_LETTERS = "ABCDEFGHJKMNPQRSTVWXY23456789"
_NONCE_GROUPS = 6


def open_alternative(order: Order, check: Check, *, at: datetime) -> None:
    """Mail the recipient the link to the alternative; beyond the day's number he asks for it himself later."""
    if links.is_day_full(order, LinkPurpose.ALTERNATIVE, at):
        check.ask_customer(at=at)
        check.save()
        return
    _mail(order, check, at)


@use_case
def resend(order_uid: UUID, *, buyer: User, now: datetime) -> None:
    """The customer has the link mailed to the recipient again; links sent before stay good."""
    _resend(locked_order(order_uid, buyer), now)


@use_case
@sensitive_variables("token")
def resend_by_link(token: str, *, now: datetime) -> None:
    """The reader of the mailbox, whose link has ended, asks for another one, to the same mailbox."""
    link = links.link_of_now(token, LinkPurpose.ALTERNATIVE)
    _resend(Order.objects.select_for_update().get(pk=link.order_id), now)


@use_case
@sensitive_variables("token", "data")
def make_form(token: str, data: RecipientData, *, address: str | None, now: datetime) -> SignatureForm:
    """Make the form of these data, or return the one in force if it was made of the same."""
    order = links.use_link(token, LinkPurpose.ALTERNATIVE, address=address, now=now).order
    check = identity_of(order)
    policy_signature.require_alternative(order, check)
    policy_signature.require_awaited(check)
    return render_form(order, data=policy_signature.require_data(data, order), at=now)


@sensitive_variables("data")
def render_form(order: Order, *, data: RecipientData, at: datetime) -> SignatureForm:
    """Render and seal a form with a fresh nonce, and void the one before it. The order is locked by the caller."""
    check, digest = identity_of(order), _digest(order, data)
    present = form_in_force(order, check)
    if present is not None and present.data_sha256 == digest:
        return present
    SignatureForm.objects.filter(order=order, voided_at__isnull=True).update(voided_at=at)
    uid, nonce = uuid4(), _new_nonce()
    pdf = document.render_form(_content(order, data, str(uid), nonce, digest), rendered_at=at)
    form = SignatureForm.objects.create(
        uid=uid,
        order=order,
        round=check.round,
        nonce=nonce,
        data_sha256=digest,
        pdf_sha256=hashlib.sha256(pdf).hexdigest(),
        sealed_pdf=sealing.seal(pdf, context=f"smime.form:{uid}"),
        tax_code_sealed=sealing.seal(data.tax_code.encode(), context=f"smime.form-code:{uid}"),
        created_at=at,
    )
    _record("smime.form-made", order, at, {"form": str(uid)})
    return form


@use_case
@sensitive_variables("token")
def hand_out(token: str, *, address: str | None, now: datetime) -> tuple[SignatureForm, bytes]:
    """Give the form in force to be signed, always the same bytes, and note that it was taken."""
    order = links.use_link(token, LinkPurpose.ALTERNATIVE, address=address, now=now).order
    form = form_in_force(order, identity_of(order))
    if form is None:
        raise SignatureFormMissing
    if form.downloaded_at is None:
        form.downloaded_at = now
        form.save(update_fields=["downloaded_at"])
    return form, pdf_of(form)


@sensitive_variables("token")
def receive_by_link(token: str, *, name: str, content: bytes, sent_as: str, now: datetime) -> SignatureReport:
    """Take the signed form from the page of the link; `receive_signed` says what happens to it."""
    link = links.open_link(token, LinkPurpose.ALTERNATIVE, now=now)
    return receive_signed(link.order, name=name, content=content, sent_as=sent_as, at=now)


def receive_signed(
    order: Order, *, name: str, content: bytes, at: datetime, sent_as: str = "", by: int | None = None
) -> SignatureReport:
    """Store a signed form and have it judged; an earlier file that nobody has judged yet is set aside.

    Examines the file before the transaction. Raises the refusals of files, `SignatureFormMissing`,
    `SignedFormNotAwaited`, `AlternativeNotOpen`, `OrderClosed`.
    """
    examined = evidence.examine(FileKind.SIGNED_FORM, name=name, content=content, sent_as=sent_as)
    return _receive(order, examined, by=by, at=at)


def close_alternative(order: Order, *, at: datetime) -> None:
    """Void form and unjudged files: the locked order's recipient is identified by the other way after all."""
    SignatureForm.objects.filter(order=order, voided_at__isnull=True).update(voided_at=at)
    waiting = SignatureReport.objects.filter(form__order=order, verdict=Verdict.PENDING)
    ended = {"validated_at": at, "next_attempt_at": None, "claimed_until": None, "fence": F("fence") + 1}
    waiting.update(verdict=Verdict.REFUSED, code="form-void", **ended)


def form_in_force(order: Order, check: Check) -> SignatureForm | None:
    """The form that may be signed now, if there is one."""
    form = SignatureForm.objects.filter(order=order, voided_at__isnull=True).first()
    if form is None or not policy_signature.is_in_force(form, check, data_now(form, order)):
        return None
    return form


def data_now(form: SignatureForm, order: Order) -> str:
    """Digest of what the form would say if it were made now; empty where its codice fiscale was forgotten."""
    if not form.tax_code_sealed:
        return ""
    return _digest(order, RecipientData(order.given_name, order.surname, tax_code_of(form)))


def newest_report(order: Order, check: Check) -> SignatureReport | None:
    """What is said of the last file that the recipient sent in this round."""
    rows = SignatureReport.objects.filter(form__order=order, form__round=check.round)
    return rows.select_related("file", "form").order_by("-pk").first()


def pdf_of(form: SignatureForm) -> bytes:
    """The form's bytes as they were handed out."""
    return sealing.unseal(form.sealed_pdf, context=f"smime.form:{form.uid}")


def tax_code_of(form: SignatureForm) -> str:
    """The codice fiscale that the form was made of."""
    return sealing.unseal(form.tax_code_sealed, context=f"smime.form-code:{form.uid}").decode()


def identity_of(order: Order) -> Check:
    """The order's identity check as it stands."""
    return Check.objects.select_related("order").get(order=order, kind=CheckKind.IDENTITY)


def forget_tax_codes(*, now: datetime) -> int:
    """Empty the tax codes of orders that are over: nothing will be matched with them any more."""
    del now
    over = SignatureForm.objects.exclude(order__state__in=states.OPEN_STATES).exclude(tax_code_sealed=b"")
    return over.update(tax_code_sealed=b"")


@use_case
def _receive(order: Order, examined: evidence.Examined, *, by: int | None, at: datetime) -> SignatureReport:
    locked = Order.objects.select_for_update().get(pk=order.pk)
    check = identity_of(locked)
    policy_signature.require_alternative(locked, check)
    policy_signature.require_awaited(check)
    form = form_in_force(locked, check)
    if form is None:
        raise SignatureFormMissing
    file = evidence.keep(locked, FileKind.SIGNED_FORM, examined, by=by, at=at)
    _set_aside(locked, at)
    report = SignatureReport.objects.create(file=file, form=form, next_attempt_at=at)
    check.ask_third_party(at=at)
    check.reason = ""
    check.save()
    _record("smime.form-received", locked, at, {"file": str(file.pk)})
    letters.post_form_received(locked, at=at)
    nudge.after_commit(VALIDATE, report.pk)
    return report


def _set_aside(order: Order, at: datetime) -> None:
    waiting = SignatureReport.objects.filter(form__order=order, verdict=Verdict.PENDING)
    waiting.update(verdict=Verdict.REFUSED, code="file-replaced", validated_at=at, next_attempt_at=None)


def _resend(order: Order, now: datetime) -> None:
    check = identity_of(order)
    policy_signature.require_alternative(order, check)
    policy_signature.require_awaited(check)
    links.require_may_mail(order, LinkPurpose.ALTERNATIVE, now=now)
    _mail(order, check, now)


def _mail(order: Order, check: Check, at: datetime) -> None:
    token = links.issue_link(order, LinkPurpose.ALTERNATIVE, at=at)
    letters.post_alternative(order, links.address_of(LinkPurpose.ALTERNATIVE, token), at=at)
    check.ask_customer(at=at, due_at=policy_links.link_expires_at(LinkPurpose.ALTERNATIVE, at))
    check.save()


def _content(order: Order, data: RecipientData, uid: str, nonce: str, digest: str) -> document.FormContent:
    with translation.override(order.language):
        kind = gettext(str(Validation(order.validation).label))
    return document.FormContent(
        number=uid,
        nonce=nonce,
        data_sha256=digest,
        order_code=order.code,
        certificate=kind,
        given_name=data.given_name,
        surname=data.surname,
        tax_code=data.tax_code,
        mailbox=order.mailbox,
        language=order.language,
    )


@sensitive_variables("data")
def _digest(order: Order, data: RecipientData) -> str:
    facts = {
        "order": order.code,
        "validation": order.validation,
        "mailbox": order.mailbox,
        "given_name": data.given_name,
        "surname": data.surname,
        "tax_code": data.tax_code,
        "language": order.language,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _new_nonce() -> str:
    """Give 29^24, some 116 random bits, in groups that can be read out."""
    letters_ = [secrets.choice(_NONCE_LETTERS) for _ in range(_NONCE_GROUPS * 4)]
    return "-".join("".join(letters_[start : start + 4]) for start in range(0, len(letters_), 4))


def _record(verb: str, order: Order, at: datetime, facts: dict[str, str]) -> None:
    events.record(verb, actor=recipient(order), at=at, facts=facts, **checks.scope(order))


def go_on_with(file: EvidenceFile, *, at: datetime) -> None:
    """The scanner has spoken about a signed form: what waited for it is judged at once."""
    if SignatureReport.objects.filter(file=file, verdict=Verdict.PENDING).update(next_attempt_at=at):
        nudge.after_commit(VALIDATE, file.signature_report.pk)
