"""What a customer does with his certificate: have it revoked, or issued again with a new key."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from cms.actors import customer
from cms.models import User
from smime import policy_revocation, queries
from smime.errors.revocation import CertificateUnknown
from smime.models import Order, SmimeCertificate
from smime.pages import frame, presence
from smime.services import issuance, revocation
from smime.states import RevocationGround

WORD = "REVOCA"


class RevocationForm(forms.Form):
    """Why, and the word that nobody types by accident."""

    ground = forms.ChoiceField(
        label=gettext_lazy("Motivo"),
        choices=[(each.value, gettext_lazy(str(each.label))) for each in policy_revocation.BY_CUSTOMER],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Scelga il motivo.")},
    )
    word = forms.CharField(
        label=gettext_lazy("Per confermare scriva REVOCA"),
        max_length=20,
        error_messages={"required": gettext_lazy("Scriva REVOCA per confermare.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )

    def clean_word(self) -> str:
        """Refuse anything but the word, in capitals or not."""
        typed: str = self.cleaned_data["word"]
        if typed.strip().upper() != WORD:
            raise forms.ValidationError(_("Scriva REVOCA per confermare."))
        return WORD


@require_http_methods(["GET", "POST"])
@frame.for_customers
def revoke(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponseBase:
    """GET asks why; POST has the newest certificate revoked for good."""
    order = queries.order_of(uid, buyer)
    certificate = _newest(order)
    if not presence.is_fresh(request):
        return redirect(presence.page_to_confirm(request))
    form = RevocationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        ground = RevocationGround(form.cleaned_data["ground"])
        revocation.request_revocation(certificate.pk, ground=ground, actor=customer(buyer), now=now)
        messages.success(request, _("La revoca è stata chiesta: di solito ha effetto entro pochi minuti."))
        return redirect("smime:order", uid=uid)
    status = 422 if form.is_bound else 200
    context = {"order": order, "certificate": certificate, "form": form, "section": "orders"}
    return frame.show(request, "revoke.html", status=status, **context)


@require_http_methods(["GET", "POST"])
@frame.for_customers
def reissue(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponseBase:
    """GET says what a new issuance means; POST asks for it."""
    order = queries.order_of(uid, buyer)
    _newest(order)
    if not presence.is_fresh(request):
        return redirect(presence.page_to_confirm(request))
    if request.method == "POST":
        issuance.reissue(uid, actor=customer(buyer), now=now)
        messages.success(request, _("La nuova emissione è stata chiesta."))
        return redirect("smime:order", uid=uid)
    return frame.show(request, "reissue.html", order=order, section="orders")


def _newest(order: Order) -> SmimeCertificate:
    certificate = next(iter(order.certificates.all()), None)
    if certificate is None:
        raise CertificateUnknown
    return certificate
