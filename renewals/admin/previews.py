"""Messaggi › Anteprime: every message of the catalogue with example data, as its reader gets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from cms.admin.site import PanelPage
from notifications import rendering, samples
from notifications.calendar import calendar_file, file_name
from notifications.catalog import CATALOG, Message
from renewals.admin.letters import title_of
from renewals.admin.listing import Chip

# A mail is styled inline. In its frame it may style itself and do nothing else: no script, no form, no outside file.
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)
LANGUAGES = MappingProxyType({"it": _("Italiano"), "en": _("Inglese")})
WIDTHS = MappingProxyType({"600": _("Computer, 600 px"), "360": _("Telefono, 360 px")})

_OF_OPERATORS = (
    Message.DAILY_DIGEST,
    Message.LOW_STOCK,
    Message.STOCK_EMPTY,
    Message.DATA_REPORTED,
    Message.SUPPORT_OPENED,
)
_OF_USERS = (Message.INVITATION, Message.PASSWORD_LINK, Message.ACCOUNT_CHANGED)
_OF_ADMINISTRATORS = (Message.ALARM,)
AUDIENCES: Mapping[Any, tuple[Message, ...]] = MappingProxyType(
    {
        _("Ai titolari"): tuple(each for each in Message if "holder_name" in CATALOG[each].shapes),
        _("Agli operatori del CDRL"): _OF_OPERATORS,
        _("A chi ha un accesso al pannello"): _OF_USERS,
        _("A chi attiva un certificato S/MIME"): tuple(each for each in Message if each.startswith("smime-")),
        _("Agli amministratori"): _OF_ADMINISTRATORS,
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the list."""

    kind: Message
    title: str
    subject: str


class Previews:
    """The pages below Messaggi; they show nobody's data, so they are the same for everybody at the panel."""

    def __init__(self, page: PanelPage) -> None:
        """Belong to the page of the sidebar."""
        self.page = page

    def pages(self) -> Sequence[URLPattern]:
        """The list, one message, and the bare mail that its frame shows."""
        at_desk = self.page.at_desk
        return [
            path("anteprime/", at_desk(require_safe(self.show_list)), name="previews"),
            path("anteprime/<slug:kind>/", at_desk(require_safe(self.show)), name="preview"),
            path("anteprime/<slug:kind>/messaggio/", at_desk(require_safe(show_mail)), name="preview_mail"),
        ]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show all kinds of messages by who gets them."""
        audiences = [(words, [_line(message) for message in kinds]) for words, kinds in AUDIENCES.items()]
        return self._answer(request, "previews", title=_("Anteprime dei messaggi"), audiences=audiences)

    def show(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Show one message: subject, HTML in its frame, text, what is attached."""
        message, language = _message(kind), _chosen(request, "lingua", LANGUAGES)
        width = _chosen(request, "larghezza", WIDTHS)
        row = samples.example(message, language=language)
        calendar = calendar_file(row)
        return self._answer(
            request,
            "preview",
            title=title_of(message),
            subject_language=language,
            width=width,
            mail=rendering.render(row),
            frame=f"{reverse('admin:preview_mail', args=[message])}?lingua={language}",
            languages=_chips("lingua", LANGUAGES, language, larghezza=width),
            widths=_chips("larghezza", WIDTHS, width, lingua=language),
            calendar=calendar.decode() if calendar else "",
            calendar_name=file_name(row),
            takes_attachments=CATALOG[message].takes_attachments,
            has_secret=bool(CATALOG[message].secrets),
        )

    def _answer(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        frame = self.page.admin_site.each_context(request)
        return render(request, f"admin/renewals/{template}.html", {**frame, **context})


def show_mail(request: HttpRequest, kind: str) -> HttpResponse:
    """Answer with the bare HTML of a message, for the frame of its page and for nothing else."""
    row = samples.example(_message(kind), language=_chosen(request, "lingua", LANGUAGES))
    headers = {"Content-Security-Policy": FRAME_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return HttpResponse(rendering.render(row).html, headers=headers)


def _line(message: Message) -> Line:
    return Line(message, title_of(message), rendering.render(samples.example(message)).subject)


def _message(kind: str) -> Message:
    try:
        return Message(kind)
    except ValueError as error:
        raise Http404 from error


def _chosen(request: HttpRequest, name: str, choices: Mapping[str, Any]) -> str:
    """Return what the address asks for; the first choice for anything else."""
    asked = request.GET.get(name, "")
    return asked if asked in choices else next(iter(choices))


def _chips(name: str, choices: Mapping[str, Any], chosen: str, **kept: str) -> list[Chip]:
    """A switch: one of the choices is always on, so none can be taken off."""
    query = QueryDict(mutable=True)
    query.update(kept)
    return [
        Chip(str(word), f"?{name}={value}&{query.urlencode()}", is_chosen=value == chosen, is_all=True)
        for value, word in choices.items()
    ]
