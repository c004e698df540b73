"""Every page of the panel × every role × rows of another centre and of another service: refused, and nothing said."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from django.test import Client

from cms.admin import desk
from cms.models import Agreement, Centre, Membership, Service, User
from cms.scope import Scope
from cms.states import ApprovalMode
from tests.panel.conftest import confirmed, seated
from tests.panel.population import populated
from tests.panel.routes import known_of
from tests.security import walk
from tests.security.foreign import Abroad, abroad, set_apart

REFUSED = {302, 403, 404, 405}
ROLES = ("operator", "manager", "auditor", "administrator")
# What the pages read from the address, and what people type into searches.
QUERIES = [
    "al",
    "carta",
    "caso",
    "cdrl",
    "cosa",
    "dal",
    "dopo",
    "esito",
    "evento",
    "id",
    "kind",
    "messaggio",
    "operatore",
    "pagina",
    "pratica",
    "pratiche",
    "prima",
    "righe",
    "servizio",
    "stato",
    "tipo",
    "titolare",
    "uid",
]
# What forms ask, filled so that a use case would go through.
TYPED = {
    "reason": "dati-errati", "motivo": "altro", "text": "prova", "note": "prova", "confirm": "on", "confirmed": "on",
    "role": "operator", "quantity": "5", "order_reference": "ordine 999", "cause": "holder-request",
}  # fmt: skip


@pytest.fixture
def world(db, clock, superuser, settings):
    """A town as people work in it, and beside it another centre and another service."""
    from tests.panel.town import NOW

    clock.instant = NOW
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    town = populated()
    set_apart(superuser)
    siena = town.found("cdrl-siena", "Collegio dei Geometri di Esempio")
    for service in (town.service, town.eidas):
        Agreement.objects.create(centre=siena, service=service, approval=ApprovalMode.AUTHORISATION)
    town.centre_abroad = abroad(town, siena, town.service, "QXWZK")
    town.service_abroad = abroad(town, town.centre, town.other_service, "VJKYH")
    return town


def sitting(world, role) -> Client:
    client = confirmed(seated(getattr(world, role), world.service))
    client.raise_request_exception = False
    return client


def outside(world, role) -> list[Abroad]:
    """An administrator of the provider has every centre; another service is another one for him too."""
    return [world.service_abroad] if role == "administrator" else [world.centre_abroad, world.service_abroad]


def wide_open(monkeypatch):
    """Switch the pages' own filters off: a desk whose scope is everything, before a fence that is as it was."""

    class WideDesk(desk.Desk):
        def __init__(self, **said):
            everything = Scope(
                frozenset(Centre.objects.values_list("pk", flat=True)),
                frozenset(Service.objects.values_list("pk", flat=True)),
            )
            super().__init__(**said | {"scope": everything})

        def may_decide(self, centre_id):
            return True

    monkeypatch.setattr(desk, "Desk", WideDesk)


@pytest.mark.parametrize("role", ROLES)
def test_no_page_and_no_deed_reaches_a_foreign_row(world, role):
    client, faults = sitting(world, role), []
    for there in outside(world, role):
        for address, method in itertools.product(walk.filled(there.ids, known_of(world)), ["get", "post"]):
            with walk.undone():
                before = walk.written_to()
                answer, text = walk.asked(client, method, address, TYPED if method == "post" else None)
                changed = walk.changed_since(before)
            leaked = said_beyond(text, there.fenced | there.asked, address)
            if answer.status_code not in REFUSED or leaked or changed:
                faults.append((method, address, walk.outcome(answer), leaked, changed))
    assert not faults, told(faults)


@pytest.mark.parametrize("role", ["manager", "administrator"])
def test_row_policies_alone_keep_foreign_pages_shut(world, role, monkeypatch):
    wide_open(monkeypatch)
    client, faults = sitting(world, role), []
    for there in outside(world, role):
        for address in walk.filled(there.ids, known_of(world)):
            with walk.undone():
                _answer, text = walk.asked(client, "get", address)
            if leaked := said_beyond(text, there.fenced, address):
                faults.append((address, leaked))
    assert not faults, told(faults)


@pytest.mark.parametrize(
    ("role", "filters"), [*((role, "on") for role in ROLES), ("manager", "off"), ("administrator", "off")]
)
def test_no_list_and_no_export_holds_a_foreign_row(world, role, filters, monkeypatch):
    if filters == "off":
        wide_open(monkeypatch)
    client, faults = sitting(world, role), []
    there = outside(world, role)
    marks = set().union(*(each.fenced if filters == "off" else each.fenced | each.asked for each in there))
    for address, query in itertools.product(
        walk.plain(), [{}, *(query for each in there for query in queries_for(each))]
    ):
        with walk.undone():
            answer, text = walk.asked(client, "get", address, query)
        leaked = said_beyond(text, marks, str(query))
        if leaked or (filters == "on" and answer.status_code >= 500):
            faults.append((address, query, walk.outcome(answer), leaked))
    assert not faults, told(faults)


@pytest.mark.parametrize(("role", "filters"), [("operator", "on"), ("administrator", "on"), ("operator", "off")])
def test_no_search_finds_a_foreign_row(world, role, filters, monkeypatch):
    if filters == "off":
        wide_open(monkeypatch)
    client, faults = sitting(world, role), []
    searches = [address for address in walk.plain() if "cerca" in address]
    for there in outside(world, role):
        marks = there.fenced if filters == "off" else there.fenced | there.asked
        for address, typed in itertools.product(searches, searched(there)):
            with walk.undone():
                answer, text = walk.asked(client, "post", address, {"q": typed})
                if answer.status_code == 302:
                    answer, text = walk.asked(client, "get", answer["Location"])
            leaked = {mark for mark in walk.given_away(text, marks) if mark.lower() not in typed.lower()}
            if leaked or (filters == "on" and answer.status_code >= 500):
                faults.append((address, typed, walk.outcome(answer), leaked))
    assert not faults, told(faults)


def queries_for(there: Abroad) -> list[dict[str, object]]:
    """Filters as a hand would write them into the address."""
    holder, case, card, *_ = there.ids["int"]
    return [
        dict.fromkeys(QUERIES, there.case.code),
        {"carta": card},
        {"titolare": holder},
        {"caso": case, "pratica": there.case.code, "pratiche": case, "id": case},
        {"cdrl": there.centre.pk, "servizio": there.service.pk},
    ]


def searched(there: Abroad) -> list[str]:
    """What an operator types who knows the person next door."""
    holder, half = there.case.holder, there.case.new_pair.certificates.first()
    return [
        holder.tax_code,
        holder.tax_code[:8],
        holder.surname[:9],
        there.case.card.serial,
        half.serial,
        there.case.code,
    ]


def told(faults) -> str:
    """One line a fault: an assertion alone would cut the list."""
    return "\n".join(["", *map(str, faults[:60])])


def said_beyond(text: str, marks: set[str], asked: str) -> set[str]:
    """Marks in an answer that were not in the question."""
    return {mark for mark in walk.given_away(text, marks) if mark not in asked}


def test_with_its_filters_off_a_page_does_ask_for_everything(world, monkeypatch):
    """The double is worth something only while the fence is what holds: without the fence it lets all through."""
    from runtime import fence

    wide_open(monkeypatch)
    monkeypatch.setattr(fence, "stand_behind", lambda _fence: None)
    client = sitting(world, "operator")

    _answer, text = walk.asked(client, "get", "/pannello/rinnovi/")

    assert walk.given_away(text, world.centre_abroad.fenced)


def anonymous(world):
    return Client()


def without_second_factor(world):
    client = Client()
    client.force_login(world.manager)
    session = client.session
    session[desk.SESSION_KEY] = world.service.pk
    session.save()
    return client


def deactivated(world):
    client = sitting(world, "manager")
    User.objects.filter(pk=world.manager.pk).update(is_active=False)
    return client


def no_longer_member(world):
    client = sitting(world, "manager")
    Membership.objects.filter(user=world.manager).delete()
    return client


@pytest.mark.parametrize("visitor", [anonymous, without_second_factor, deactivated, no_longer_member])
def test_whoever_is_not_admitted_reads_and_changes_nothing(world, visitor):
    case = world.cases[0]
    marks = {case.code, case.holder.surname, case.holder.tax_code, case.card.serial}
    client, faults = visitor(world), []
    client.raise_request_exception = False
    ids = {
        "int": [case.new_pair.certificates.first().pk, case.pk, case.holder_id],
        "uuid": [case.new_pair.public_id, world.job.uid],
        "str": [case.code],
    }
    for address in [*walk.plain(), *walk.filled(ids)]:
        for method in ("get", "post"):
            with walk.undone():
                before = walk.written_to()
                answer, text = walk.asked(client, method, address, TYPED if method == "post" else None)
                changed = walk.changed_since(before)
            leaked = said_beyond(text, marks, address)
            allowed = REFUSED | ({200} if address == "/pannello/servizio/" else set())
            if answer.status_code not in allowed or leaked or changed:
                faults.append((method, address, walk.outcome(answer), leaked, changed))
    assert not faults, told(faults)


# What concerns the auditor's own session or screen, and an export, which is read and leaves its event.
HIS_OWN = {"/pannello/servizio/", "/pannello/aspetto/", "/pannello/eventi/esporta/"}


def test_an_auditor_changes_nothing_by_any_post(world):
    own = known_of(world)
    case = world.cases[0]
    ids = {
        "int": [case.holder_id, case.new_pair.certificates.first().pk, world.operator.pk, world.centre.pk],
        "uuid": [case.new_pair.public_id, world.job.uid, world.proposal.uid, world.purchase.uid],
        "str": [each.code for each in world.cases[:5]],
    }
    addresses = [*walk.plain(), *walk.filled(ids, own | {"person": world.operator.pk, "centre": world.centre.pk})]
    everything = TYPED | {
        "pratica": [str(each.pk) for each in world.cases],
        "case": [each.code for each in world.cases],
    }

    reached = {}
    for role in ("auditor", "manager"):
        client = sitting(world, role)
        reached[role] = set()
        for address in addresses:
            if address in HIS_OWN:
                continue
            with walk.undone():
                before = walk.written_to()
                client.post(address, everything)
                if walk.changed_since(before):
                    reached[role].add(address)

    assert reached["auditor"] == set()
    assert len(reached["manager"]) >= 5, "the same posts must mean something to whoever may"


def test_the_desk_of_the_double_is_the_desk():
    assert {field.name for field in dataclasses.fields(desk.Desk)} >= {"operator", "service", "scope", "now"}
