"""The wizard: one address per step, each of which can be left and resumed on another device.

The order's row says which step comes next. After submission the same pages correct data, and the checks that these
touch begin anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cms.errors import DomainError
from cms.models import User
from smime import queries
from smime.models import Order
from smime.pages import forms as wizard_forms
from smime.pages import frame, steps
from smime.policy_steps import Step
from smime.services import descriptions, orders
from smime.states import BundleFormat, KeyKind, KeyOrigin

Save = Callable[[Any], Order]


@require_POST
@frame.for_customers
def start(request: HttpRequest, *, code: str, buyer: User, now: datetime) -> HttpResponse:
    """`Attiva ora`: begin an order with the slot, or go on with the one it has."""
    del request
    order = orders.start_order(code, buyer=buyer, now=now, language=get_language() or "it")
    return redirect("smime:order", uid=order.uid)


@frame.for_customers
def recipient(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponseBase:
    """Step 2: who will use the certificate, and its mailbox."""
    order = queries.order_of(uid, buyer)
    own = queries.own_mailboxes_of(buyer)
    form = wizard_forms.RecipientForm(
        request.POST if request.method == "POST" else None, initial=_recipient_of(order), own=own
    )

    def save(form: wizard_forms.RecipientForm) -> Order:
        return descriptions.describe_recipient(uid, form.person, is_buyer=form.is_buyer, buyer=buyer, now=now)

    return _step(request, order, Step.RECIPIENT, form, save)


@frame.for_customers
def confirmation(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponseBase:
    """Step 2, second half: the data are looked at once more before anything is mailed to them."""
    order = queries.order_of(uid, buyer)

    def save(_form: forms.Form) -> Order:
        return descriptions.confirm_recipient(uid, buyer=buyer, now=now)

    return _step(
        request, order, Step.CONFIRMATION, forms.Form(request.POST if request.method == "POST" else None), save
    )


@frame.for_customers
def technical_contact(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponseBase:
    """Step 3: prefilled with the recipient."""
    order = queries.order_of(uid, buyer)
    form = wizard_forms.TechnicalContactForm(
        request.POST if request.method == "POST" else None, initial=_technical_of(order)
    )

    def save(form: wizard_forms.TechnicalContactForm) -> Order:
        return descriptions.describe_technical_contact(uid, form.person, buyer=buyer, now=now)

    return _step(request, order, Step.TECHNICAL, form, save)


@frame.for_customers
def organisation_contact(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponseBase:
    """Step 4 (OV, SV): who answers for the organisation."""
    order = queries.order_of(uid, buyer)
    form = wizard_forms.OrganisationContactForm(
        request.POST if request.method == "POST" else None, initial=_contact_of(order)
    )

    def save(form: wizard_forms.OrganisationContactForm) -> Order:
        ground = form.cleaned_data["ground"]
        return descriptions.describe_organisation_contact(uid, form.person, ground=ground, buyer=buyer, now=now)

    return _step(request, order, Step.CONTACT, form, save)


@frame.for_customers
def organisation(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponseBase:
    """Step 5 (OV, SV): the organisation's numbers and country."""
    order = queries.order_of(uid, buyer)
    fields = ("vat_number", "register_number", "rea_number", "duns")
    initial = {name: getattr(order, name) for name in fields} | {"country": order.country or "IT"}
    form = wizard_forms.OrganisationForm(request.POST if request.method == "POST" else None, initial=initial)

    def save(form: wizard_forms.OrganisationForm) -> Order:
        return descriptions.describe_organisation(uid, form.organisation, buyer=buyer, now=now)

    return _step(request, order, Step.ORGANISATION, form, save)


@frame.for_customers
def key(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponseBase:
    """Advanced: who makes the key, and of which kind. Reached from the summary, never on the usual way."""
    order = queries.order_of(uid, buyer)
    steps.require_key_open(order)
    is_sent = request.method == "POST"
    form = wizard_forms.KeyForm(
        request.POST if is_sent else None, request.FILES if is_sent else None, initial=key_of(order)
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        kind, bundle_format = KeyKind(data["kind"]), BundleFormat(data["bundle_format"])
        try:
            chosen = descriptions.choose_key(
                uid, kind=kind, bundle_format=bundle_format, csr=form.request, buyer=buyer, now=now
            )
        except DomainError as refusal:
            form.add_error("csr" if form.request is not None else None, wizard_forms.said(refusal))
        else:
            messages.success(request, _("La scelta della chiave è stata salvata."))
            return redirect(steps.way_after(chosen, Step.SUMMARY))
    return frame.show(request, "key.html", order=order, form=form, section="orders", status=_status_of(form))


def key_of(order: Order) -> dict[str, Any]:
    """The choice of key as the form shows it."""
    return {
        "origin": order.key_origin or KeyOrigin.SERVER,
        "kind": order.key_kind,
        "bundle_format": order.bundle_format,
    }


def _step(request: HttpRequest, order: Order, step: Step, form: forms.Form, save: Save) -> HttpResponseBase:
    """Show a step, or store it and go on; a step whose predecessors are empty leads to the first of them."""
    elsewhere = steps.way_before(order, step)
    if elsewhere is not None:
        return redirect(elsewhere)
    if request.method == "POST" and form.is_valid():
        try:
            stored = save(form)
        except DomainError as refusal:
            form.add_error(_field_of(refusal, form), wizard_forms.said(refusal))
        else:
            if stored.changed_at != order.changed_at:
                messages.success(request, _("I dati sono stati aggiornati. Le verifiche interessate sono ripartite."))
            return redirect(steps.way_after(stored, step))
    context = {"order": order, "form": form, "section": "orders", **steps.stepper(order, step)}
    return frame.show(request, f"steps/{step.value}.html", status=_status_of(form), **context)


def _status_of(form: forms.Form) -> int:
    return 422 if form.is_bound and form.errors else 200


def _field_of(refusal: DomainError, form: forms.Form) -> str | None:
    """At which field a refusal of the use case is shown; the rest stands above the form."""
    fields = {"contacts-equal": "ground", "recipient-fixed": "who", "mailbox-not-own": "email"}
    field = fields.get(refusal.reason_code)
    return field if field in form.fields else None


def _recipient_of(order: Order) -> dict[str, Any]:
    names = {"given_name": order.given_name, "surname": order.surname}
    if not order.mailbox:
        return names
    who = wizard_forms.RecipientForm.who_of(is_buyer=order.recipient_is_buyer)
    return names | {"who": who, "email": order.mailbox}


def _technical_of(order: Order) -> dict[str, Any]:
    if order.technical_email:
        return {
            "given_name": order.technical_given_name,
            "surname": order.technical_surname,
            "email": order.technical_email,
            "phone": order.technical_phone,
        }
    return {"given_name": order.given_name, "surname": order.surname, "email": order.mailbox}


def _contact_of(order: Order) -> dict[str, Any]:
    return {
        "given_name": order.contact_given_name,
        "surname": order.contact_surname,
        "email": order.contact_email,
        "ground": order.same_contact_ground,
    }
