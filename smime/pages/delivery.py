"""Getting the .p12: by the buyer after a fresh login and a second element, or by the recipient's mailed link."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cms.errors import DomainError
from cms.models import User
from smime import queries
from smime.models import KeyBundle, Order
from smime.pages import frame, mailed, presence
from smime.pages.forms import said
from smime.policy_bundles import name_of_file
from smime.services import bundles, links
from smime.services.bundles import File
from smime.states import LinkPurpose

COOKIE = "smime_ritiro"
_COOKIE_DAYS = 30


class CodeForm(forms.Form):
    """Six digits out of a mail."""

    codice = forms.CharField(
        label=gettext_lazy("Codice ricevuto per e-mail"),
        max_length=12,
        error_messages={"required": gettext_lazy("Scriva le sei cifre ricevute per e-mail.")},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


@sensitive_post_parameters("codice")
@require_http_methods(["GET", "POST"])
@frame.for_customers
def download(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponseBase:
    """Show what there is to download and what is still needed for it; POST sends a code or hands the file out."""
    order = queries.order_of(uid, buyer)
    form = CodeForm(request.POST if request.POST.get("azione") == "scarica-con-codice" else None)
    try:
        answer = _acted(request, order, form, buyer, now)
    except DomainError as refusal:
        if form.is_bound:
            form.add_error(None, said(refusal))
        else:
            messages.error(request, _(refusal.text))
        answer = None
    return answer or _shown(request, order, form, now)


@require_POST
@frame.for_customers
def keep(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponse:
    """Note that the customer keeps a copy."""
    bundles.keep_saved(uid, buyer=buyer, now=now)
    messages.success(request, _("Abbiamo annotato che ha salvato il file."))
    return redirect("smime:download", uid=uid)


@require_http_methods(["GET", "POST"])
@frame.for_customers
def destroy(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponse:
    """*Elimina ora*: GET asks, POST destroys the file."""
    order = queries.order_of(uid, buyer)
    if request.method == "POST":
        bundles.destroy_now(uid, buyer=buyer, now=now)
        messages.success(request, _("Il file è stato eliminato."))
        return redirect("smime:order", uid=uid)
    return frame.show(request, "destroy.html", order=order, section="orders")


@require_POST
@frame.for_customers
def mail_again(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponse:
    """Mail the recipient, who is not the buyer, another link for his download."""
    bundles.send_link_again(uid, buyer=buyer, now=now)
    messages.success(request, _("Abbiamo inviato al destinatario un nuovo collegamento."))
    return redirect("smime:order", uid=uid)


@mailed.of_link(LinkPurpose.DOWNLOAD)
@sensitive_variables("token")
def collect(request: HttpRequest, *, token: str, now: datetime) -> HttpResponse:
    """The recipient's page: GET shows and gives the browser its mark, POST hands the file to that browser."""
    if request.method == "POST":
        mailed.require_click(request, mailed.YES)
        mark = request.COOKIES.get(COOKIE, "")
        return _sent(bundles.deliver_by_link(token, mark, address=frame.address_of(request), now=now))
    link = links.open_link(token, LinkPurpose.DOWNLOAD, now=now)
    bundle = newest_bundle(link.order)
    answer = mailed.show_page(request, "download.html", order=link.order, link=link, bundle=bundle, now=now)
    if not request.COOKIES.get(COOKIE) and request.method == "GET":
        answer.set_cookie(
            COOKIE,
            secrets.token_urlsafe(32),
            max_age=_COOKIE_DAYS * 86_400,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return answer


@require_GET
@frame.for_customers
def guides(request: HttpRequest, *, buyer: User, now: datetime) -> HttpResponse:
    """How to install the file in each mail program."""
    del buyer, now
    return frame.show(request, "guides.html", section="orders")


def newest_bundle(order: Order) -> KeyBundle | None:
    """The file of the order's newest certificate, destroyed or not."""
    return KeyBundle.objects.filter(certificate__order=order).order_by("-certificate__edition").first()


def _acted(request: HttpRequest, order: Order, form: CodeForm, buyer: User, now: datetime) -> HttpResponse | None:
    """Do what the button says, or nothing; the file only on a second element that is fresh."""
    act, address = request.POST.get("azione"), frame.address_of(request)
    if request.method != "POST" or not presence.is_fresh(request):
        return None
    if act == "codice" and not presence.has_factor(request):
        bundles.send_code(order.uid, buyer=buyer, now=now)
        messages.success(request, _("Abbiamo inviato un codice di sei cifre alla Sua casella."))
        return redirect("smime:download", uid=order.uid)
    if act == "scarica-con-codice" and not presence.has_factor(request) and form.is_valid():
        code = form.cleaned_data["codice"]
        return _sent(bundles.deliver_by_code(order.uid, code, buyer=buyer, address=address, now=now))
    factor = presence.fresh_factor(request)
    if act == "scarica" and factor:
        return _sent(bundles.deliver(order.uid, buyer=buyer, proof=factor, address=address, now=now))
    return None


def _shown(request: HttpRequest, order: Order, form: CodeForm, now: datetime) -> HttpResponse:
    bundle = newest_bundle(order)
    is_there = bundle is not None and bundle.sealed is not None and now < bundle.expires_at
    return frame.show(
        request,
        "download.html",
        status=422 if form.is_bound and form.errors else 200,
        section="orders",
        order=order,
        bundle=bundle,
        name=name_of_file(order),
        is_there=is_there,
        left=bundle.most_downloads - bundle.downloads if bundle else 0,
        form=form,
        has_factor=presence.has_factor(request),
        factor=presence.fresh_factor(request),
        is_fresh=presence.is_fresh(request),
        confirm=presence.page_to_confirm(request),
        has_code=_has_code(order, now),
        now=now,
    )


def _has_code(order: Order, now: datetime) -> bool:
    return order.download_codes.filter(used_at__isnull=True, expires_at__gt=now).exists()


def _sent(file: File) -> HttpResponse:
    """Send the file as a download that nobody stores on the way."""
    answer = HttpResponse(file.content, content_type="application/x-pkcs12")
    answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return frame.kept_nowhere(answer)
