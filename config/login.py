"""Login: what Sigillo asks of allauth. Accounts by invitation, second factors sealed, the last of them kept."""

from __future__ import annotations

import base64
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm, ReauthenticateForm, ResetPasswordForm, ResetPasswordKeyForm
from allauth.account.views import LoginView
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ConfirmCodeForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import Field
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cms.models import User
from cms.services import accounts
from cms.services.accounts import Change
from runtime import clock, sealing

log = structlog.get_logger(__name__)

# allauth hands over the bare secret, without saying whose it is: the seal binds it to its purpose, not to its row.
SEAL_CONTEXT = "second-factor"
LINK_MAIL = "account/email/password_reset_key"
# What allauth's own pages change, by the name of the notification that it would send.
CHANGES = {
    "account/email/password_changed": Change.PASSWORD,
    "account/email/password_reset": Change.PASSWORD,
    "account/email/password_set": Change.PASSWORD,
    "mfa/email/totp_activated": Change.APP_ADDED,
    "mfa/email/totp_deactivated": Change.APP_REMOVED,
    "mfa/email/webauthn_added": Change.PASSKEY_ADDED,
    "mfa/email/webauthn_removed": Change.PASSKEY_REMOVED,
    "mfa/email/recovery_codes_generated": Change.RECOVERY_CODES,
}


class AccountAdapter(DefaultAccountAdapter):
    """Nobody makes an account for himself; a mail server that is away breaks no login page."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("Questo account non è attivo: si rivolga al responsabile del suo CDRL."),
        "email_password_mismatch": _("L'e-mail o la password non è corretta. Controlli e riprovi."),
        "incorrect_code": _("Il codice non è corretto."),
        "incorrect_password": _("La password non è corretta."),
        "enter_current_password": _("Scriva la password attuale."),
        "too_many_login_attempts": _("Troppi tentativi non riusciti: per sicurezza riprovi tra qualche minuto."),
        "rate_limited": _("Troppi tentativi: attenda qualche minuto e riprovi."),
    }

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Lead operators to the panel and customers to their area; allauth puts a page that was asked for first."""
        return home_of(request.user)

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        """Keep the language that the page spoke: what is mailed to this account comes in it."""
        accounts.remember_language(user, get_language() or settings.LANGUAGE_CODE)
        answer: HttpResponse = super().post_login(request, user, **more)
        return answer

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: operators are invited."""
        del request
        return False

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Post our own warning in place of allauth's mail: to the address that the account has, through the outbox."""
        if template_prefix in CHANGES:
            accounts.warn_of_change(user, CHANGES[template_prefix], now=clock.now())
            return
        super().send_notification_mail(template_prefix, user, context, email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Post the link to a new password; send allauth's other mail, whose failure is logged without the recipient."""
        if template_prefix == LINK_MAIL:
            accounts.post_password_link(context["user"], url=context["password_reset_url"], now=clock.now())
            return
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:
            log.warning("login.mail-not-sent", kind=template_prefix, error=type(error).__name__)


class MFAAdapter(DefaultMFAAdapter):
    """Second factors: sealed in the database, named after the product, never all removed."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": _(
            "È l'unico secondo fattore attivo e non può essere rimosso: prima ne aggiunga un altro."
        ),
        "incorrect_code": _("Il codice non è corretto, è scaduto o è già stato usato. Attenda il prossimo e riprovi."),
    }

    def encrypt(self, text: str) -> str:
        """Seal a TOTP secret or the seed of recovery codes."""
        return base64.b64encode(sealing.seal(text.encode(), context=SEAL_CONTEXT)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open what `encrypt` sealed; raises `runtime.sealing.SealBroken`."""
        return sealing.unseal(base64.b64decode(encrypted_text), context=SEAL_CONTEXT).decode()

    def get_totp_issuer(self) -> str:
        """Name the product as authenticator apps show it."""
        return "Sigillo"

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Whether another app or key remains; recovery codes alone are no second factor."""
        others = Authenticator.objects.filter(user_id=authenticator.user_id).exclude(pk=authenticator.pk)
        return bool(others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists())


class EntranceForm(LoginForm):
    """E-mail and password; the page itself links to a new password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the fields as every page does."""
        super().__init__(*args, **kwargs)
        _named(self.fields["login"], _("E-mail"), focus=True)
        _named(self.fields["password"], _("Password"))


class ConfirmPasswordForm(ReauthenticateForm):
    """The password again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the field."""
        super().__init__(*args, **kwargs)
        _named(self.fields["password"], _("Password"), focus=True)


class AskForLinkForm(ResetPasswordForm):
    """The address of an account whose password is forgotten. The answer is the same for every address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the field."""
        super().__init__(*args, **kwargs)
        _named(self.fields["email"], _("E-mail"), focus=True)


class NewPasswordForm(ResetPasswordKeyForm):
    """The new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the fields."""
        super().__init__(*args, **kwargs)
        _named(self.fields["password1"], _("Nuova password"), focus=True)
        _named(self.fields["password2"], _("Ripeta la nuova password"))


class CodeOnce:
    """Mix-in of the forms that take a code: an authenticator app's code opens once, also while the cache is away."""

    def clean_code(self) -> str:
        """Check the code as allauth does, then remember its time step beside the secret; refuse it the second time."""
        code: str = super().clean_code()  # type: ignore[misc] # the form's
        authenticator: Authenticator = self.authenticator  # type: ignore[attr-defined] # set by the form's check
        if authenticator.type == Authenticator.Type.TOTP and not _used_first(authenticator, code):
            raise MFAAdapter().validation_error("incorrect_code")
        return code


def _used_first(authenticator: Authenticator, code: str) -> bool:
    """Remember the step; False when it, or a later one, has been used already (RFC 6238 §5.2)."""
    secret = MFAAdapter().decrypt(authenticator.data["secret"])
    shown = {step: format_hotp_value(hotp_value(secret, step)) for step in yield_hotp_counters_from_time()}
    step = max((step for step, value in shown.items() if compare_user_code(actual=code, expected=value)), default=0)
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        if row.data.get("last_step", 0) >= step:
            return False
        row.data["last_step"] = step
        row.save(update_fields=["data"])
    return True


class SecondFactorForm(CodeOnce, AuthenticateForm):
    """The code after the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the field."""
        super().__init__(*args, **kwargs)
        _named(self.fields["code"], _("Codice"), focus=True)


class ConfirmSecondFactorForm(CodeOnce, ConfirmCodeForm):
    """The code again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the field."""
        super().__init__(*args, **kwargs)
        _named(self.fields["code"], _("Codice"), focus=True)


class FirstCodeForm(ActivateTOTPForm):
    """The first code of a new authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the field."""
        super().__init__(*args, **kwargs)
        _named(self.fields["code"], _("Codice"), focus=True)


def _named(field: Field, label: Any, *, focus: bool = False) -> None:
    """Give a label; a placeholder would only repeat it, and less legibly."""
    field.label, field.help_text = label, ""
    field.widget.attrs.pop("placeholder", None)
    if focus:
        field.widget.attrs["autofocus"] = True


class RemovePasskey(RemoveWebAuthnView):
    """allauth asks `can_delete_authenticator` for an app but not for a key; here both are asked (its version 65)."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Remove the key unless it is the last factor; the account is locked, so that two requests remove no two."""
        with transaction.atomic():
            User.objects.select_for_update().get(pk=self.request.user.pk)
            adapter = MFAAdapter()
            if adapter.can_delete_authenticator(self.get_object()):
                answer: HttpResponse = super().form_valid(form)
                return answer
        refusal: ValidationError = adapter.validation_error("cannot_delete_authenticator")
        messages.error(self.request, refusal.message)
        return redirect("mfa_list_webauthn")


def home_of(user: User | Any) -> str:
    """Where an account belongs: the customer area for who has no access to the panel."""
    is_customer = user.is_authenticated and not user.is_staff
    return reverse("smime:dashboard" if is_customer else "admin:index")


def home(request: HttpRequest) -> HttpResponse:
    """Lead from the bare address to where the account belongs; strangers to the panel's login."""
    return redirect(home_of(request.user))


class Entrance(LoginView):
    """The login page: it greets customers where it leads to their area."""

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        """Tell the page whom it greets."""
        context: dict[str, Any] = super().get_context_data(**named)
        wanted = str(context.get("redirect_field_value") or "")
        return context | {"for_customers": wanted.startswith(settings.CUSTOMER_PATH)}


def not_offered(request: HttpRequest, **_: Any) -> HttpResponse:
    """Hide what allauth would offer and Sigillo does not: making an account for oneself, changing one's address."""
    raise Http404(request.path)
