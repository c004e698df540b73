"""From the summary on: the terms accepted, the checks shown one by one, mails sent again, the order given up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cms.errors import DomainError
from cms.models import User
from smime import errors, queries, terms
from smime.models import Order
from smime.pages import check_words, forms, frame, order_words, renewing, steps, wizard
from smime.policy_steps import Step
from smime.services import consent, identification, mailbox, orders, signature
from smime.states import LinkPurpose, OrderState

RESENDS: dict[LinkPurpose, Callable[..., None]] = {
    LinkPurpose.MAILBOX: mailbox.resend,
    LinkPurpose.CONSENT: consent.resend,
    LinkPurpose.IDENTIFICATION: identification.resend,
    LinkPurpose.ALTERNATIVE: signature.resend,
}


@frame.for_customers
def summary(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponseBase:
    """Step 7: all data once more, the terms, and `Avvia verifica`."""
    order = queries.order_of(uid, buyer)
    elsewhere = steps.way_before(order, Step.SUMMARY)
    if elsewhere is not None:
        return redirect(elsewhere)
    text = terms.in_force()
    form = forms.SubmitForm(
        request.POST if request.method == "POST" else None, initial={"version": text.version, "sha256": text.sha256}
    )
    if request.method == "POST" and form.is_valid():
        try:
            address = frame.address_of(request)
            orders.submit_order(uid, accepted=form.accepted, address=address, buyer=buyer, now=now)
        except errors.TermsOutdated as refusal:  # shown anew, so that the box is ticked beside the new ones
            messages.warning(request, _(refusal.text))
            return redirect("smime:riepilogo", uid=uid)
        else:
            return redirect("smime:order", uid=uid)
    key_form = forms.KeyForm(initial=wizard.key_of(order), auto_id="key_%s")
    context = {"order": order, "form": form, "text": text, "key_form": key_form, "section": "orders"}
    status = 422 if form.is_bound and form.errors else 200
    return frame.show(request, "steps/riepilogo.html", status=status, **context, **steps.stepper(order, Step.SUMMARY))


@require_GET
@frame.for_customers
def show(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponse:
    """One line per check, who must act and until when; an order that is not submitted goes on in the wizard."""
    order = queries.order_of(uid, buyer)
    step = orders.next_page(order)
    if step is not None:
        return redirect(steps.address_of(order, step))
    return frame.show(
        request,
        "order.html",
        section="orders",
        order=order,
        line=order_words.line_of(order, now),
        checks=check_words.lines_of(order, now),
        clocks=check_words.evidence_clocks(),
        corrections=_corrections(order),
        certificate=next(iter(order.certificates.all()), None),
        offer=renewing.offer_of(order, buyer, now),
        now=now,
    )


@require_POST
@frame.for_customers
def resend(request: HttpRequest, *, uid: UUID, kind: str, buyer: User, now: datetime) -> HttpResponse:
    """Have the mail of one check sent again; within the cooldown nothing is sent, and the page says when it may be."""
    check = next((row for row in queries.order_of(uid, buyer).checks.all() if row.kind == kind), None)
    purpose = check_words.purpose_of(check) if check else None
    if purpose is None:
        raise errors.OrderUnknown
    try:
        RESENDS[purpose](uid, buyer=buyer, now=now)
    except DomainError as refusal:
        messages.warning(request, _(refusal.text))
    else:
        messages.success(request, _("L'email è stata inviata di nuovo: controlli anche la posta indesiderata."))
    return redirect("smime:order", uid=uid)


@frame.for_customers
def cancel(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponse:
    """Ask before the order is given up; then give its activation back."""
    order = queries.order_of(uid, buyer)
    if request.method != "POST":
        if order.state not in orders.GIVEN_UP:
            raise errors.OrderClosed
        return frame.show(request, "cancel.html", section="orders", order=order)
    if orders.cancel_order(uid, buyer=buyer, now=now).state == OrderState.ISSUED:
        messages.success(request, _("La nuova emissione è stata annullata. Il certificato esistente resta valido."))
        return redirect("smime:order", uid=uid)
    messages.success(request, _("La pratica è stata annullata. L'attivazione è di nuovo disponibile."))
    return redirect("smime:dashboard")


def _corrections(order: Order) -> list[tuple[str, str]]:
    if order.state != OrderState.CHECKING:
        return []
    fixed = {Step.ATTESTATION, Step.RECIPIENT} if order.certificates.all() else {Step.ATTESTATION}
    from_here = [step for step in steps.sequence_of(order) if step in steps.AFTER_SUBMISSION - fixed]
    words = [(_(steps.WORDS[step]), steps.address_of(order, step)) for step in from_here]
    return [*words, (_("Chiave"), reverse("smime:key", kwargs={"uid": order.uid}))]
