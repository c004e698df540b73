"""*I miei indirizzi*: the addresses that the customer has proven to read, others added by a mailed link."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from cms.errors import DomainError
from cms.models import User
from smime import policy_data, queries
from smime.errors.addresses import AddressesTooMany
from smime.pages import frame
from smime.pages.forms import Checked, said
from smime.services import addresses

LINKS_AN_HOUR, HOUR = 5, 3600


class AddressForm(forms.Form):
    """Another address of the customer's."""

    email = Checked(
        policy_data.mailbox,
        label=gettext_lazy("Indirizzo email"),
        asks=gettext_lazy("Scriva l'indirizzo email."),
        kind="email",
        attrs={"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"},
    )


@require_http_methods(["GET", "POST"])
@frame.for_customers
def mine(request: HttpRequest, *, buyer: User, now: datetime) -> HttpResponseBase:
    """GET lists the confirmed addresses; POST mails a link to another one."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            if not frame.hit(f"own-address:{buyer.pk}", limit=LINKS_AN_HOUR, seconds=HOUR):
                raise AddressesTooMany
            address = addresses.ask(form.cleaned_data["email"], buyer=buyer, now=now)
        except DomainError as refusal:
            form.add_error("email", said(refusal))
        else:
            sentence = _("Abbiamo inviato un collegamento a %(address)s: lo apra da questo browser per confermare.")
            messages.success(request, sentence % {"address": address})
            return redirect("smime:own_addresses")
    own = queries.own_mailboxes_of(buyer)
    status = 422 if form.is_bound else 200
    return frame.show(request, "addresses.html", status=status, section="addresses", own=own, form=form)


@require_POST
@frame.for_customers
def remove(request: HttpRequest, *, buyer: User, now: datetime) -> HttpResponse:
    """Take one of them off the account."""
    addresses.remove(request.POST.get("email", ""), buyer=buyer, now=now)
    messages.success(request, _("L'indirizzo è stato tolto."))
    return redirect("smime:own_addresses")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("token")
@frame.for_customers
def confirm(request: HttpRequest, *, token: str, buyer: User, now: datetime) -> HttpResponse:
    """GET asks whether the address is to be added; POST adds it."""
    if request.method == "POST":
        address = addresses.confirm(token, buyer=buyer, now=now)
        messages.success(request, _("L'indirizzo %(address)s è confermato.") % {"address": address})
        return redirect("smime:own_addresses")
    address = addresses.address_behind(token, buyer=buyer, now=now)
    return frame.show(request, "address.html", section="addresses", address=address)
