"""The panel's own admin site: entrance, chosen service, sidebar. No page of the stock admin is reachable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from cms.admin import choice, entrance
from cms.admin.counting import bounded_counts
from cms.admin.desk import Desk, at, desk_of, widen_fence
from cms.admin.look import choose_look

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the sidebar."""

    title: str
    url_name: str
    icon: str
    is_current: bool
    counter: str
    counter_words: str


class PanelPage:
    """A page of the panel: a slug, a place in the sidebar, addresses. `pages` wraps each view with `at_desk`."""

    slug: str
    title: Any
    icon: str
    group: Any = ""
    url_name: str
    is_home: bool = False
    """Whether the day may begin here: the first such page that is open to a desk is where its login leads."""
    waiting_words: Any = gettext_lazy("in attesa")
    admin_site: AdminSite

    def pages(self) -> Sequence[URLPattern]:
        """Addresses of this page, below its slug; views are wrapped with `self.at_desk`."""
        raise NotImplementedError

    def at_desk(self, view: View) -> View:
        """Let a view be reached only by an admitted operator with a chosen service."""
        site = self.admin_site
        if not isinstance(site, PanelSite):
            message = "panel pages belong to the panel's site"
            raise TypeError(message)
        return site.at_desk(across_services(view) if self.group is ADMINISTRATION else view)

    def is_open_to(self, desk: Desk) -> bool:
        """Whether the sidebar shows it to this operator; its views ask again."""
        del desk
        return True

    def waiting(self, desk: Desk) -> QuerySet[Any] | None:
        """Rows that wait for a person, read from an index; the sidebar counts all pages' rows in one statement."""
        del desk
        return None

    def count_waiting(self, desk: Desk) -> int | None:
        """The same as a number, for what is no plain set of rows; None shows no counter."""
        del desk
        return None


class PanelAdmin(PanelPage, ModelAdmin[Any]):
    """A page about rows of a model. It calls use cases; it adds, changes and deletes nothing by itself."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rights hang on memberships; who came this far may see what lies in his scope."""
        del obj
        return entrance.is_admitted(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The same for the sidebar."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: rows are made by use cases."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: rows are changed by use cases."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the register forgets nothing."""
        del request, obj
        return False

    def get_urls(self) -> list[URLPattern]:
        """Only our own pages, none of the stock ones."""
        return list(self.pages())


class PanelSite(AdminSite):
    """Sigillo's panel."""

    site_title = site_header = index_title = "Sigillo"
    site_url = None
    enable_nav_sidebar = False
    final_catch_all_view = False

    def __init__(self, name: str = "admin") -> None:
        """Start without pages; `config.panel` puts them in, in the order of the sidebar."""
        super().__init__(name)
        self._sidebar_pages: list[PanelPage] = []

    def show(self, page: type[PanelPage], model: type[Model] | None = None) -> None:
        """Put a page in: with its model if it is about one."""
        if model is not None:
            self.register(model, page)  # type: ignore[arg-type] # a PanelAdmin
            self._sidebar_pages.append(self._registry[model])  # type: ignore[arg-type] # the same
            return
        plain = page()
        plain.admin_site = self
        self._sidebar_pages.append(plain)

    def has_permission(self, request: HttpRequest) -> bool:
        """An operator whose second factor was used in this session."""
        return entrance.is_admitted(request)

    def admin_view(self, view: View, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature, views stay callables
        """Wrap a view that needs login and second factor, but no service."""

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_permission(request):
                return entrance.turn_away(request)
            return view(request, *args, **kwargs)

        protected = csrf_protect(inner)
        return update_wrapper(protected if cacheable else never_cache(protected), view)

    def at_desk(self, view: View) -> View:
        """Wrap a view that also needs a chosen service: the request then carries its `desk`."""

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            desk = desk_of(request)
            if desk is None:
                return choice.send_to_choice(request)
            request.desk = desk  # type: ignore[attr-defined] # read by `desk.at` and the frame
            return view(request, *args, **kwargs)

        wrapped: View = self.admin_view(update_wrapper(inner, view))
        return wrapped

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Index, choice of the service, and the pages that are registered."""
        own: list[URLPattern | URLResolver] = [
            path("", self.admin_view(self.index), name="index"),
            path("servizio/", self.admin_view(choice.choose_service), name="choose_service"),
            path("aspetto/", self.admin_view(require_POST(choose_look)), name="choose_look"),
        ]
        return own + [path(f"{page.slug}/", include(list(page.pages()))) for page in self._sidebar_pages]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Open the page with which the day begins at the chosen service; without one, the first, which asks for it."""
        del extra_context
        desk, first = desk_of(request), self._sidebar_pages[0]
        homes = [page for page in self._sidebar_pages if page.is_home and page.is_open_to(desk)] if desk else []
        return redirect(f"admin:{next(iter(homes), first).url_name}")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the frame shows on every page."""
        desk: Desk | None = getattr(request, "desk", None)
        return {
            "desk": desk,
            "sidebar": self._sidebar(request, desk) if desk else [],
            "has_permission": self.has_permission(request),
            "site_header": self.site_header,
        }

    def _sidebar(self, request: HttpRequest, desk: Desk) -> list[tuple[Any, list[Entry]]]:
        pages = [page for page in self._sidebar_pages if page.is_open_to(desk)]
        sets = {page.slug: rows for page in pages if (rows := page.waiting(desk)) is not None}
        counts: dict[str, int | None] = {**bounded_counts(sets, most=MOST_SHOWN + 1)}
        groups: dict[Any, list[Entry]] = {}
        for page in pages:
            count = counts[page.slug] if page.slug in counts else page.count_waiting(desk)
            groups.setdefault(page.group, []).append(_entry(page, request, count or 0))
        return list(groups.items())


def across_services(view: View) -> View:
    """Let a page of administration work on all services; what it may show and do, it asks as ever."""

    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        widen_fence(at(request))
        return view(request, *args, **kwargs)

    return update_wrapper(inner, view)


def _entry(page: PanelPage, request: HttpRequest, count: int) -> Entry:
    match = request.resolver_match
    return Entry(
        title=page.title,
        url_name=f"admin:{page.url_name}",
        icon=page.icon,
        is_current=match is not None and match.route.partition("/")[2].startswith(f"{page.slug}/"),
        counter=f"{MOST_SHOWN}+" if count > MOST_SHOWN else str(count or ""),
        counter_words=page.waiting_words,
    )


MOST_SHOWN = 99
SERVICES = gettext_lazy("Gestione Servizi")
OFFICE = gettext_lazy("Ufficio")
ADMINISTRATION = gettext_lazy("Amministrazione")
site = PanelSite(name="admin")
