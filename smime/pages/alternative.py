"""The alternative with a qualified signature, behind its mailed link: data, form, signed file, what came of it.

The steps and their words are the public guide's. GET shows and changes nothing; everything works without scripts, and
nothing asks for a camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from cms.errors import DomainError, TaxCodeInvalid
from smime import policy_signature
from smime.errors.signature import RecipientNamesDiffer, SignatureFormMissing
from smime.models import Check, Order
from smime.pages import forms, frame
from smime.pages.alternative_forms import RecipientDataForm, SignedFormForm
from smime.pages.mailed import ACT, YES, of_link
from smime.services import links, signature
from smime.states import CheckState, LinkPurpose, Verdict

_AWAITED = frozenset({CheckState.WAITING_CUSTOMER, CheckState.WAITING_THIRD_PARTY})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a signed form proves nothing: the guide's ground or the officer's words, and what was found."""

    said: str
    found: str
    code: str
    by_officer: bool = False


@sensitive_post_parameters("tax_code")
@of_link(LinkPurpose.ALTERNATIVE)
@sensitive_variables("token")
def data(request: HttpRequest, *, token: str, now: datetime) -> HttpResponseBase:
    """GET asks for the recipient's data; POST makes the form of them and leads to the check."""
    order, check = _opened(token, now)
    if check.state not in _AWAITED:
        return redirect("smime:alternative_outcome", token=token)
    form = RecipientDataForm(request.POST if request.method == "POST" else None, initial=_known(order, check))
    if request.method == "POST" and form.is_valid():
        try:
            signature.make_form(token, form.recipient, address=frame.address_of(request), now=now)
        except (TaxCodeInvalid, RecipientNamesDiffer) as wrong:
            form.add_error("tax_code" if isinstance(wrong, TaxCodeInvalid) else None, forms.said(wrong))
        else:
            return redirect("smime:alternative_check", token=token)
    said = {"form": form, "refusal": _refusal(order, check)}
    return _show(request, "data.html", order, token, **said, status=422 if form.errors else 200)


@of_link(LinkPurpose.ALTERNATIVE)
@sensitive_variables("token", "tax_code")
def check(request: HttpRequest, *, token: str, now: datetime) -> HttpResponseBase:
    """GET shows the data as they stand on the form; POST hands the form out."""
    if request.method == "POST":
        made, pdf = signature.hand_out(token, address=frame.address_of(request), now=now)
        return _download(pdf, made.order)
    order, identity = _opened(token, now)
    form = signature.form_in_force(order, identity)
    if form is None:
        return redirect("smime:alternative_link", token=token)
    tax_code = signature.tax_code_of(form)
    return _show(request, "check.html", order, token, form_made=form, tax_code=tax_code)


@of_link(LinkPurpose.ALTERNATIVE)
@sensitive_variables("token")
def upload(request: HttpRequest, *, token: str, now: datetime) -> HttpResponseBase:
    """GET asks for the signed form; POST takes it."""
    order, identity = _opened(token, now)
    if identity.state not in _AWAITED:
        return redirect("smime:alternative_outcome", token=token)
    if signature.form_in_force(order, identity) is None:
        return redirect("smime:alternative_link", token=token)
    form = SignedFormForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if getattr(request, "sent_too_much", False):
        form.errors.pop("file", None)
        form.add_error("file", _("Il file è troppo grande: carichi soltanto il modulo firmato."))
    if request.method == "POST" and form.is_valid():
        try:
            signature.receive_by_link(token, **form.sent, now=now)
        except SignatureFormMissing:
            return redirect("smime:alternative_link", token=token)
        except DomainError as refusal:
            if not refusal.reason_code.startswith("file"):
                raise
            form.add_error("file", forms.said(refusal))
        else:
            return redirect("smime:alternative_outcome", token=token)
    said = {"form": form, "refusal": _refusal(order, identity)}
    return _show(request, "upload.html", order, token, **said, status=422 if form.errors else 200)


@of_link(LinkPurpose.ALTERNATIVE)
@sensitive_variables("token")
def outcome(request: HttpRequest, *, token: str, now: datetime) -> HttpResponseBase:
    """Say what became of the file: being verified, with an officer, valid, or refused with its grounds."""
    order, identity = _opened(token, now)
    report = signature.newest_report(order, identity)
    if report is None and identity.state in _AWAITED:
        return redirect("smime:alternative_link", token=token)
    context: dict[str, Any] = {
        "report": report,
        "check": identity,
        "refusal": _refusal(order, identity),
        "expected": _expected(report.file.uploaded_at) if report is not None else None,
        "has_form": signature.form_in_force(order, identity) is not None,
    }
    return _show(request, "outcome.html", order, token, **context)


def _refusal(order: Order, identity: Check) -> Refusal | None:
    """Why the last file of this round was refused, while another is awaited: by the validation, or by an officer."""
    report = signature.newest_report(order, identity)
    if report is None or identity.state not in _AWAITED:
        return None
    if report.verdict == Verdict.REFUSED:
        ground = policy_signature.ground_of(report.code)
        return Refusal(_(ground.said), _(ground.found), report.code)
    if report.verdict == Verdict.PENDING or not identity.reason:
        return None
    doubt = policy_signature.doubt_of(report.code)
    found = f"{_(doubt.said)} {_(doubt.found)}" if doubt else _("La firma è valida: il motivo è quello dell'operatore.")
    return Refusal(identity.reason, found, report.code, by_officer=True)


@sensitive_variables("token")
def _opened(token: str, now: datetime) -> tuple[Order, Check]:
    """Open the link and the way that it leads; raises why either is closed."""
    order = links.open_link(token, LinkPurpose.ALTERNATIVE, now=now).order
    identity = signature.identity_of(order)
    policy_signature.require_alternative(order, identity)
    return order, identity


def _known(order: Order, check: Check) -> dict[str, str]:
    """Fill in what is known, so that `Torna indietro` finds what was typed."""
    form = signature.form_in_force(order, check)
    tax_code = signature.tax_code_of(form) if form is not None else ""
    return {"given_name": order.given_name, "surname": order.surname, "tax_code": tax_code}


def _expected(sent_at: datetime) -> list[str]:
    """Write the days between which the certificate is expected; Italian writes weekdays and months small."""
    days = [date_format(day, "l j F Y") for day in policy_signature.answer_expected(sent_at)]
    return [day.lower() for day in days] if (get_language() or "it").startswith("it") else days


def _download(pdf: bytes, order: Order) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="modulo-{order.code}.pdf"'}
    return frame.kept_nowhere(HttpResponse(pdf, content_type="application/pdf", headers=headers))


@sensitive_variables("token")
def _show(
    request: HttpRequest, template: str, order: Order, token: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    megabytes = settings.SMIME.upload_most_bytes // (1024 * 1024)
    context |= {"order": order, "token": token, "act": ACT, "yes": YES, "most_megabytes": megabytes}
    return frame.show(request, f"alternative/{template}", status=status, without_account=True, **context)
