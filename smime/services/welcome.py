"""The way into an account that a purchase has made: a link that is good for days, and leads to a password of one's own.

Nothing is stored for it. It is signed, names account and end, and is void once the account has a password.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables

from cms.errors import LinkExpired, LinkUnknown, LinkUsed
from cms.models import User

_SALT = "smime.welcome"


def way_in(user: User, *, now: datetime) -> str:
    """The address to mail: for an account without password the link to one, for any other the area itself."""
    area = f"{settings.BASE_URL}{settings.CUSTOMER_PATH}"
    if user.has_usable_password():
        return area
    end = now + timedelta(days=settings.SMIME.link_days)
    said = {"account": user.pk, "state": _state_of(user), "end": int(end.timestamp())}
    token = signing.Signer(salt=_SALT).sign_object(said, compress=True)
    return f"{settings.BASE_URL}{reverse('smime:welcome', args=[token])}"


@sensitive_variables("token")
def account_behind(token: str, *, now: datetime) -> User:
    """The account of a link; raises `LinkUnknown`, `LinkExpired`, or `LinkUsed` where it has its password already."""
    try:
        said = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError) as forged:
        raise LinkUnknown from forged
    user = User.objects.filter(pk=said["account"], is_active=True).first()
    if user is None:
        raise LinkUnknown
    if _state_of(user) != said["state"]:
        raise LinkUsed
    if now >= datetime.fromtimestamp(said["end"], tz=UTC):
        raise LinkExpired
    return user


def password_address(user: User) -> str:
    """Where the account sets its password now, by the login's own single-use link, good for half an hour."""
    key = default_token_generator.make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})


def _state_of(user: User) -> str:
    """Changes with the password, whose unusable first value is random; says nothing about it."""
    return salted_hmac(_SALT, user.password, algorithm="sha256").hexdigest()[:32]
