"""How long a login lasts: minutes without a click, hours in all; the strictest of the operator's centres decides.

The limits lie in the session itself and are read anew, with the mark of the last click, once a minute at most: between
two marks a request costs nothing here. What ends a session at once (a new password, access that was taken away) needs
no clock: the account's generation in the session does not fit any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth import logout
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from cms.models import Centre, Membership
from runtime import clock

SESSION_KEY = "sitting"
MARK_SECONDS = 60
LOOKING_AGAIN = "X-Looking-Again"
"""Header of a page that looks again by itself (`panel/live.js`): that is no click and keeps nobody logged in."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """When somebody logged in and last clicked (seconds since 1970), and his limits in seconds."""

    began: float
    seen: float
    idle: int
    longest: int

    @property
    def ends(self) -> float:
        """The instant at which the session is over unless its owner clicks; never later than its longest life."""
        return min(self.seen + self.idle, self.began + self.longest)

    def is_over(self, now: float) -> bool:
        """Whether the limit that comes first has been reached. A clock that was set back ends nothing."""
        return now >= self.ends


class SessionLimits:
    """Ends what has lasted too long, and tells the page how long it still may."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand behind authentication and messages."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Refuse an overdue session with an explanation; mark the click of any other."""
        if not request.user.is_authenticated:
            return self.get_response(request)
        at = clock.now()
        sitting = _of(request)
        if sitting is not None and sitting.is_over(at.timestamp()):
            return _dismissed(request, sitting, at.timestamp())
        if sitting is not None and request.headers.get(LOOKING_AGAIN):
            request.now, request.session_seconds = at, int(sitting.ends - at.timestamp())  # type: ignore[attr-defined] # as below
            return self.get_response(request)
        request.now = at  # type: ignore[attr-defined] # the desk's clock: read once for the whole request
        request.session_seconds = int(_marked(request, sitting, at).ends - at.timestamp())  # type: ignore[attr-defined] # shown by the frame
        return self.get_response(request)


@never_cache
@require_POST
def stay(request: HttpRequest) -> HttpResponse:
    """Answer the page's button `Resto collegato`: seconds left, or 401 where the session is over already."""
    if not request.user.is_authenticated:
        return JsonResponse({"seconds": 0}, status=401)
    at = clock.now()
    sitting = _of(request) or _begun(request.user, at)
    return JsonResponse({"seconds": int(_stored(request, sitting, at).ends - at.timestamp())})


def limits_of(user: Any) -> tuple[int, int]:
    """Idle and longest seconds: the strictest of his active centres, a centre's defaults for who has none."""
    found = Membership.objects.filter(user=user, centre__active=True).aggregate(
        idle=Min("centre__session_idle_minutes"), longest=Min("centre__session_hours")
    )
    idle = found["idle"] or _default("session_idle_minutes")
    longest = found["longest"] or _default("session_hours")
    return idle * 60, longest * 3600


def _default(name: str) -> int:
    return int(Centre._meta.get_field(name).get_default())  # type: ignore[union-attr] # a plain field


def _of(request: HttpRequest) -> Sitting | None:
    stored = request.session.get(SESSION_KEY)
    return Sitting(**stored) if stored else None


def _begun(user: Any, at: datetime) -> Sitting:
    idle, longest = limits_of(user)
    return Sitting(at.timestamp(), at.timestamp(), idle, longest)


def _marked(request: HttpRequest, sitting: Sitting | None, at: datetime) -> Sitting:
    if sitting is not None and at.timestamp() - sitting.seen < MARK_SECONDS:
        return sitting
    return _stored(request, sitting or _begun(request.user, at), at)


def _stored(request: HttpRequest, sitting: Sitting, at: datetime) -> Sitting:
    """Write the mark with the limits as they stand now: a centre's stricter limit reaches open sessions."""
    idle, longest = limits_of(request.user)
    fresh = Sitting(sitting.began, max(sitting.seen, at.timestamp()), idle, longest)
    request.session[SESSION_KEY] = asdict(fresh)
    return fresh


def _dismissed(request: HttpRequest, sitting: Sitting, now: float) -> HttpResponse:
    """Log out, say why, and lead back to the page after the next login; what was posted is not carried out."""
    idle_over = now >= sitting.seen + sitting.idle
    logout(request)
    if idle_over:
        minutes = sitting.idle // 60
        said = _("Sessione chiusa dopo %(minutes)d minuti di inattività. Acceda di nuovo: tornerà alla stessa pagina.")
        messages.warning(request, said % {"minutes": minutes})
    else:
        said = _("Sessione chiusa dopo %(hours)d ore, la durata massima. Acceda di nuovo: tornerà alla stessa pagina.")
        messages.warning(request, said % {"hours": sitting.longest // 3600})
    if request.method == "POST":
        messages.warning(request, _("L'ultima operazione non è stata eseguita: la ripeta dopo l'accesso."))
    back = _way_back(request)
    return redirect(f"{resolve_url('account_login')}{'?' if back else ''}{urlencode({'next': back}) if back else ''}")


def _way_back(request: HttpRequest) -> str:
    """The page asked for; after a POST the page it came from."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    referrer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referrer, {request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(referrer)
    return f"{parts.path}{'?' if parts.query else ''}{parts.query}"
