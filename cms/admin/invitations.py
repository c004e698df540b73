"""The way in for somebody who was invited: the mailed link, a password or one's account, then the second factor."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from cms.admin import entrance
from cms.errors import DomainError, InvitationForeign, InvitationUnknown
from cms.models import Invitation, User
from cms.policy import require_meant_for
from cms.services import invitations
from runtime import clock

SESSION_KEY = "invitation"


class FirstPasswordForm(forms.Form):
    """The password of a new account, twice; the use case asks the policy."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=128,
        strip=False,
        help_text=gettext_lazy("Almeno 12 caratteri, non solo cifre, diversa dai suoi dati personali."),
        widget=forms.PasswordInput({"autocomplete": "new-password", "autofocus": True}),
    )
    repeated = forms.CharField(
        label=gettext_lazy("Ripeta la password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for the same password twice."""
        typed = super().clean() or {}
        if typed.get("password") != typed.get("repeated"):
            self.add_error("repeated", _("Le due password non coincidono."))
        return typed


@never_cache
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address: neither history nor a referrer keeps it. Opening accepts nothing."""
    request.session[SESSION_KEY] = invitations.digest_of(token)
    return redirect("accept_invitation")


@never_cache
@sensitive_post_parameters("password", "repeated")
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest) -> HttpResponse:
    """GET shows who invites where and asks; POST makes the account, or lets the account of this session in."""
    now = clock.now()
    try:
        invitation = invitations.invitation_behind(request.session.get(SESSION_KEY, ""), now=now)
        if isinstance(request.user, User):
            return _joined(request, request.user, invitation)
        if User.objects.filter(email=invitation.email).exists():
            return _page(request, invitation, way="login")
        return _registered(request, invitation)
    except DomainError as refusal:
        return _refused(request, refusal)


def _registered(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Make the account and log it in; the password just set counts as shown, so that a factor can be set up at once."""
    form = FirstPasswordForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, invitation, way="password", form=form)
    password = form.cleaned_data["password"]
    try:
        user = invitations.accept_with_new_account(request.session[SESSION_KEY], password=password, now=clock.now())
    except DomainError as refusal:
        if refusal.code != "password-weak":
            raise
        form.add_error("password", _(refusal.text))
        return _page(request, invitation, way="password", form=form)
    del request.session[SESSION_KEY]
    record_authentication(request, user, method="password", email=user.email, reauthenticated=True)
    answer: HttpResponse = perform_login(request, Login(user=user, redirect_url=reverse("mfa_index")))
    return answer


def _joined(request: HttpRequest, user: User, invitation: Invitation) -> HttpResponse:
    """Let an account in that has shown its second factor; who has none yet sets one up first."""
    require_meant_for(invitation, user)
    if not entrance.used_second_factor(request):
        return entrance.ask_second_factor(request)
    if request.method != "POST":
        return _page(request, invitation, way="account")
    invitations.accept_with_account(request.session[SESSION_KEY], user=user, now=clock.now())
    del request.session[SESSION_KEY]
    messages.success(request, _("Invito accettato: ora ha accesso. Scelga il servizio con cui lavorare."))
    return redirect("admin:choose_service")


def _page(request: HttpRequest, invitation: Invitation, *, way: str, form: forms.Form | None = None) -> HttpResponse:
    context = {
        "invitation": invitation,
        "inviter": invitation.invited_by and User.objects.filter(pk=invitation.invited_by).first(),
        "place": invitation.centre.name if invitation.centre else _(invitations.PROVIDER),
        "role": _(invitation.get_role_display() or invitations.ADMINISTRATOR),
        "way": way,
        "form": form,
    }
    return render(request, "admin/cms/invitation.html", context)


def _refused(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """Say what was not done, why, and whom to ask. A wrong account keeps the link for the right one."""
    is_foreign = isinstance(refusal, InvitationForeign)
    if not is_foreign:
        request.session.pop(SESSION_KEY, None)
    context = {"refusal": refusal, "is_foreign": is_foreign}
    status = 404 if isinstance(refusal, InvitationUnknown) else 403 if is_foreign else 409
    return render(request, "admin/cms/invitation_refused.html", context, status=status)
