"""The pages of W9: each asked of the whole product in this process, its SQL alone, and the stock admin's counterpart.

Imported once the settings stand. A page counts with everything: session, second factor, fence, desk, sidebar, rows, the
real template.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from benchmarks.panel_population import RARE_SURNAME
from benchmarks.peers import stock_admin
from cms.models import Event, Membership, Service, User
from cms.scope import Scope, scope_of
from cms.states import Role
from renewals import queries
from renewals.models import RenewalCase
from tests.panel.conftest import seated

BIG_CENTRE, CHOSEN_SERVICE = 1, 1
OPERATOR = "operatore@cdrl.example.org"


@dataclass(frozen=True)
class Page:
    """A page: how to ask for it, and the query string by which the stock admin shows about the same."""

    name: str
    ask: Callable[[Client], Any]
    peer: str | None = None
    is_search: bool = False


@dataclass
class Statements:
    """What a page asks of the database, so that it can be asked again without the page."""

    asked: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, execute: Any, statement: str, parameters: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's signature
        """Note the statement and carry it out."""
        self.asked.append((statement, parameters))
        return execute(statement, parameters, many, context)

    def repeat(self) -> None:
        """Carry out every read again and fetch it, in order."""
        with connection.cursor() as cursor:
            for statement, parameters in self.asked:
                if statement.lstrip().startswith(("SELECT", "WITH", "(SELECT")):
                    cursor.execute(statement, parameters)
                    cursor.fetchall()


@contextmanager
def database(name: str) -> Iterator[None]:
    """Let the product work on another database of the same server within the block."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def employ() -> None:
    """An operator of the biggest centre, and whoever works at the peer."""
    user = User.objects.create_user(OPERATOR, full_name="Operatore di prova", is_staff=True, is_superuser=True)
    Membership.objects.create(user=user, centre_id=BIG_CENTRE, role=Role.OPERATOR)


def seat() -> Client:
    """Return the operator's browser, admitted, with the old service chosen."""
    client: Client = seated(User.objects.get(email=OPERATOR), Service.objects.get(pk=CHOSEN_SERVICE))
    return client


def pages() -> list[Page]:
    """Pages of this database: deep ones begin in the middle of what the operator sees."""
    scope = scope_of(User.objects.get(email=OPERATOR), CHOSEN_SERVICE)
    cases = queries.in_scope(scope)
    middle = cases.filter(pk__lte=_middle(RenewalCase), state="completed").order_by("-pk").select_related("holder")[0]
    recent = cases.filter(authorisation="pending").order_by("-pk").select_related("holder")[0]
    tax_code = middle.holder.tax_code
    microseconds = int(middle.old_not_after.timestamp() * 1_000_000)
    deep_events = _deep_events(scope)
    found: list[Page] = [
        Page("list, first", _get("admin:cases"), ""),
        Page(
            "list, deep",
            _get("admin:cases", dopo=f"b-{microseconds}-{middle.pk}"),
            f"p={RenewalCase.objects.count() // 50}",
        ),
        Page(
            "list, to authorise", _get("admin:cases", autorizzazione="da-autorizzare"), "authorisation__exact=pending"
        ),
        Page("list, expired", _get("admin:cases", stato="scaduto"), "state__exact=expired"),
        Page("list, one person", _get("admin:cases", titolare=str(middle.holder_id))),
        Page("case", lambda client: client.get(reverse("admin:case", args=[recent.code])), None),
        Page("events, first", _get("admin:events")),
        Page("events, deep", _get("admin:events", **deep_events)),
        Page("events, one verb", _get("admin:events", evento="case.expired")),
        Page("overview", _get("admin:today")),
        Page("rehearsal", _get("admin:rehearsal")),
    ]
    searches = {
        "codice fiscale, whole": tax_code,
        "codice fiscale, prefix": tax_code[:9],
        "name, hit": RARE_SURNAME[:6],
        "name, frequent": "rossi",
        "name, two words": "rossi mario",
        "name, no hit": "qwxyz",
        "name, 2 letters": "ro",
        "card": middle.card.serial,
        "case code": middle.code,
    }
    return found + [
        Page(f"search: {name}", _post("admin:find_case", typed), urlencode({"q": typed}), is_search=True)
        for name, typed in searches.items()
    ]


def _middle(model: type[Any]) -> int:
    newest = model.objects.order_by("-pk").values_list("pk", flat=True)[0]
    return int(newest) // 2


def _deep_events(scope: Scope) -> dict[str, str]:
    """Where the list of events goes on after the middle one; read from the page's own link, one page earlier."""
    events = Event.objects.filter(centre_id__in=scope.centre_ids, service_id__in=scope.service_ids)
    middle = events.filter(pk__lte=_middle(Event)).order_by("-pk")[0]
    return {"dopo": f"{int(middle.at.timestamp() * 1_000_000)}-{middle.pk}"}


def _get(name: str, **query: str) -> Callable[[Client], Any]:
    address = f"{reverse(name)}?{urlencode(query)}" if query else reverse(name)
    return lambda client: client.get(address)


def _post(name: str, typed: str) -> Callable[[Client], Any]:
    """Type into the search and follow where it leads, as a browser does."""
    return lambda client: client.post(reverse(name), {"q": typed}, follow=True)


def milliseconds(page: Page, client: Client) -> float:
    """Ask once."""
    begun = time.perf_counter()
    answer = page.ask(client)
    took = (time.perf_counter() - begun) * 1000
    if answer.status_code != 200:
        message = f"{page.name}: {answer.status_code}"
        raise RuntimeError(message)
    return took


def statements_of(page: Page, client: Client) -> Statements:
    """Ask once and note what the database is asked."""
    noted = Statements()
    with connection.execute_wrapper(noted):
        milliseconds(page, client)
    return noted


def milliseconds_of_sql(noted: Statements) -> float:
    """The same statements without the product around them."""
    begun = time.perf_counter()
    noted.repeat()
    return (time.perf_counter() - begun) * 1000


def milliseconds_of_peer(pages: Sequence[Page]) -> dict[str, float]:
    """The stock admin's pages, each once."""
    took = {}
    with override_settings(**stock_admin.SETTINGS):
        client = Client()
        client.force_login(User.objects.get(email=OPERATOR))
        client.get("/stock/")  # imports and the frame of its templates are not what is measured
        for page in pages:
            if page.peer is None:
                continue
            begun = time.perf_counter()
            answer = client.get(f"{stock_admin.LIST}?{page.peer}")
            if answer.status_code != 200:
                message = f"stock admin, {page.name}: {answer.status_code}"
                raise RuntimeError(message)
            took[page.name] = (time.perf_counter() - begun) * 1000
    return took
