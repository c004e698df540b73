"""Trusted lists over HTTP: from the list of lists to the countries', signed by whom each names, and no more than needed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.cache import cache

from config.demo import trust_scheme
from smime.models import TrustedList
from smime.services import trusted_lists
from smime.services.list_downloads import PIVOT
from tests.smime.signature import lists, web, world

pytestmark = pytest.mark.usefixtures("committed")
NOW = world.NOW  # 9 o'clock: not the hour at which lists in force are looked for
TURN = NOW.replace(hour=12)
DAY = timedelta(days=1)
EUROPE = "http://lists.example.org/lotl.xml"
ITALY = "http://lists.example.org/IT.xml"
FRANCE = "http://elsewhere.example.org/FR.xml"


@pytest.fixture
def net():
    with web.net() as made:
        yield made


@pytest.fixture(autouse=True)
def signers(settings, tmp_path):
    """No folder; the pinned signer is the made-up scheme's. Gives the file that pins."""
    cache.clear()
    file = tmp_path / "signers.pem"
    pin(file, world.scheme().operator)
    here = {"trusted_lists_folder": "", "trusted_lists_url": EUROPE, "trusted_lists_signers": str(file)}
    settings.SMIME = settings.SMIME.model_copy(update=here)
    return file


def pin(file, *who):
    file.write_bytes(b"".join(each.certificate.public_bytes(Encoding.PEM) for each in who))


def published(net, *, sequence=1, **how):
    """Lay the usual lists out: Italy's, and France's by a signer of its own."""
    supervisor = world.scheme().supervisor
    pointers = (lists.pointer("IT", ITALY, supervisor), lists.pointer("FR", FRANCE, supervisor, other_signer()))
    net.stamped(EUROPE, lists.list_of_lists(*pointers, sequence=sequence, **how), f'"{sequence}"')
    net.stamped(ITALY, lists.country(lists.service(), sequence=sequence), f'"it-{sequence}"')
    net.stamped(FRANCE, lists.country(territory="FR", sequence=sequence, by=other_signer()), f'"fr-{sequence}"')


def other_signer():
    return world.scheme().authority


def refresh(net, at=NOW):
    before = len(net.asked)
    stored = trusted_lists.refresh(at=at, web=net.web())
    return stored, net.addresses()[before:]


def numbers():
    return sorted(TrustedList.objects.values_list("territory", "sequence"))


def test_the_list_of_lists_leads_to_the_countries_italy_first(net):
    published(net)

    assert refresh(net) == (3, [EUROPE, ITALY, FRANCE])
    found = trusted_lists.in_force(NOW)
    assert (found.is_complete, found.uncertain) == (True, frozenset())
    assert {row.source for row in found.rows} == {EUROPE, ITALY, FRANCE}


def test_lists_in_force_are_looked_for_every_six_hours_and_sent_again_only_when_new(net):
    published(net)
    refresh(net)

    assert refresh(net) == (0, [EUROPE])
    assert refresh(net, TURN) == (0, [EUROPE, ITALY, FRANCE])
    assert [each.headers.get("if-none-match") for each in net.asked[-3:]] == ['"1"', '"it-1"', '"fr-1"']

    published(net, sequence=2)
    assert refresh(net, TURN) == (3, [EUROPE, ITALY, FRANCE])


def test_on_its_last_day_a_list_is_looked_for_every_hour(net):
    published(net)
    net.put(ITALY, lists.country(until=NOW + DAY))
    refresh(net)

    assert refresh(net)[1] == [EUROPE, ITALY]


def test_dates_serve_where_a_server_knows_no_tags(net):
    published(net)
    net.put(ITALY, lists.country(), Last_Modified="Mon, 02 Mar 2026 08:00:00 GMT")
    refresh(net)
    refresh(net, TURN)

    asked = next(each for each in reversed(net.asked) if each.address == ITALY)
    assert asked.headers["if-modified-since"] == "Mon, 02 Mar 2026 08:00:00 GMT"


@pytest.mark.parametrize("lost", ["cache", "rows"])
def test_what_was_lost_is_fetched_whole_again(net, lost):
    published(net)
    if lost == "rows":
        trusted_lists.refresh(at=NOW - 4 * DAY, web=net.web())  # not yet issued then: fetched and refused
        assert not TrustedList.objects.exists()
    else:
        refresh(net)
        cache.clear()

    refresh(net)
    assert "if-none-match" not in net.asked[-1].headers
    assert len(numbers()) == 3


def test_a_country_that_is_away_keeps_its_last_list_until_the_next_update(net):
    published(net)
    net.put(ITALY, lists.country(lists.service(), until=NOW + 2 * DAY))
    refresh(net)
    net.pages[ITALY] = lambda _: web.Reply(status=503)

    assert refresh(net, TURN)[0] == 0
    assert trusted_lists.in_force(NOW + DAY).uncertain == frozenset()
    assert trusted_lists.in_force(NOW + 2 * DAY).uncertain == {"IT"}


BAD = {
    "signed by somebody else": lambda: lists.country(sequence=2, by=world.scheme().operator),
    "signed by a stranger": lambda: lists.country(sequence=2, by=trust_scheme.found(NOW).supervisor),
    "signed by another country's": lambda: lists.country(sequence=2, by=other_signer()),
    "an older one": lambda: lists.country(sequence=0),
    "another of the same number": lambda: lists.country(until=NOW + 50 * DAY),
    "outdated": lambda: lists.country(sequence=2, until=NOW),
    "of a version to come": lambda: lists.country(sequence=2, version="7"),
    "of an unknown country": lambda: lists.country(sequence=2, territory="ZZ"),
    "changed on the way": lambda: lists.country(sequence=2).replace(b"Prestatore", b"Prestat0re"),
    "cut short": lambda: lists.country(sequence=2)[:-200],
    "with two signatures": lambda: _signed_twice(lists.country(sequence=2)),
    "a page": lambda: b"<html/>",
}


def _signed_twice(xml: bytes) -> bytes:
    start, end = xml.index(b"<ds:Signature "), xml.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    return xml[:end] + xml[start:end] + xml[end:]


@pytest.mark.parametrize("made", BAD.values(), ids=BAD)
def test_a_bad_list_changes_nothing_and_stops_no_other(net, made):
    published(net)
    refresh(net)
    net.put(ITALY, made())
    net.put(FRANCE, lists.country(territory="FR", sequence=2, by=other_signer()))

    assert refresh(net, TURN)[0] == 1
    assert numbers() == [("EU", 1), ("FR", 1), ("FR", 2), ("IT", 1)]


def test_each_signer_that_a_pointer_names_may_sign(net):
    published(net)
    net.put(FRANCE, lists.country(territory="FR", by=world.scheme().supervisor))

    assert refresh(net)[0] == 3


def lapsed(*, ago: timedelta):
    """A signer whose certificate has ended so long ago."""
    return trust_scheme.found(NOW - ago - timedelta(days=3650 - 365)).supervisor


def test_a_list_outlives_its_signers_certificate_and_none_is_signed_with_a_lapsed_one(net):
    yesterday, long_ago = lapsed(ago=DAY), lapsed(ago=5 * DAY)
    pointers = (lists.pointer("IT", ITALY, yesterday), lists.pointer("FR", FRANCE, long_ago))
    net.put(EUROPE, lists.list_of_lists(*pointers))
    net.put(ITALY, lists.country(at=NOW - 2 * DAY, by=yesterday))
    net.put(FRANCE, lists.country(territory="FR", at=NOW - 2 * DAY, by=long_ago))

    assert refresh(net)[0] == 2
    assert numbers() == [("EU", 1), ("IT", 1)]


def test_pointers_to_other_things_than_lists_are_passed_over(net):
    supervisor = world.scheme().supervisor
    pdf = lists.pointer("IT", "http://lists.example.org/IT.pdf", supervisor, mime="application/pdf")
    net.put(EUROPE, lists.list_of_lists(pdf, lists.pointer("IT", ITALY, supervisor)))
    net.put(ITALY, lists.country())

    assert refresh(net) == (2, [EUROPE, ITALY])


# The list of lists changes its signers: pivots.

FIRST = "http://lists.example.org/lotl-pivot-3.xml"
SECOND = "http://lists.example.org/lotl-pivot-5.xml"


def handed_over(net, *, first=None, second=None, by=None):
    """The operator's successors sign: after the first pivot the supervisor, after the second the authority."""
    scheme = world.scheme()
    own = lambda *who: lists.pointer("EU", EUROPE, *who)  # noqa: E731
    net.put(FIRST, first or lists.list_of_lists(own(scheme.supervisor), sequence=3, until=NOW - DAY))
    net.put(
        SECOND, second or lists.list_of_lists(own(scheme.authority), pivots=[FIRST], sequence=5, by=scheme.supervisor)
    )
    italy = lists.pointer("IT", ITALY, scheme.supervisor)
    net.put(EUROPE, lists.list_of_lists(italy, pivots=[SECOND, FIRST], sequence=7, by=by or scheme.authority))
    net.put(ITALY, lists.country(lists.service()))


def test_new_signers_are_believed_for_the_sake_of_those_before_them(net):
    handed_over(net)

    assert refresh(net) == (2, [EUROPE, FIRST, SECOND, ITALY])
    assert numbers() == [("EU", 7), (PIVOT, 3), (PIVOT, 5), ("IT", 1)]
    found = trusted_lists.in_force(NOW)
    assert [row.territory for row in found.rows] == ["EU", "IT"]
    assert list(found.services.known_certificate_authorities)


def test_a_pivot_is_fetched_once_and_is_itself_never_in_force(net):
    handed_over(net)
    refresh(net)
    italy = lists.pointer("IT", ITALY, world.scheme().supervisor)
    net.put(EUROPE, lists.list_of_lists(italy, pivots=[SECOND, FIRST], sequence=8, by=world.scheme().authority))

    assert refresh(net) == (1, [EUROPE])
    assert trusted_lists.outdated(NOW) == []


def test_who_was_replaced_signs_no_more(net):
    handed_over(net)
    refresh(net)
    italy = lists.pointer("IT", ITALY, world.scheme().supervisor)
    net.put(EUROPE, lists.list_of_lists(italy, pivots=[SECOND, FIRST], sequence=8, by=world.scheme().operator))

    assert refresh(net)[0] == 0
    assert trusted_lists.in_force(NOW).rows[0].sequence == 7


BROKEN = {
    "the first is missing": {"first": b"<html/>"},
    "the first is signed by a stranger": {
        "first": lambda: lists.list_of_lists(
            lists.pointer("EU", EUROPE, world.scheme().supervisor), sequence=3, by=trust_scheme.found(NOW).operator
        )
    },
    "the second is signed by those before the first": {
        "second": lambda: lists.list_of_lists(
            lists.pointer("EU", EUROPE, world.scheme().authority), sequence=5, by=world.scheme().operator
        )
    },
    "the second is a country's": {"second": lambda: lists.country(sequence=5)},
    "the list itself is signed by a stranger": {"by": trust_scheme.found(NOW).operator},
}


@pytest.mark.parametrize("how", BROKEN.values(), ids=BROKEN)
def test_a_broken_chain_of_pivots_hands_over_nothing(net, how):
    handed_over(net, **{name: made() if callable(made) else made for name, made in how.items()})

    assert refresh(net)[0] == 0
    assert not trusted_lists.in_force(NOW).rows


def test_pivots_on_other_servers_are_not_gone_to(net):
    handed_over(net)
    italy = lists.pointer("IT", ITALY, world.scheme().supervisor)
    away = "http://altro.example.org/lotl-pivot-3.xml"
    net.put(EUROPE, lists.list_of_lists(italy, pivots=[away], sequence=7, by=world.scheme().authority))

    assert refresh(net) == (0, [EUROPE])


def test_pinned_signers_from_after_a_pivot_need_none(net, signers):
    handed_over(net)
    pin(signers, world.scheme().authority)

    assert refresh(net) == (2, [EUROPE, ITALY])


@pytest.mark.soak
def test_a_list_of_twenty_megabytes_is_read_like_any_other(net):
    other = lists.service(kind="http://uri.etsi.org/TrstSvc/Svctype/unspecified")
    published(net)
    net.put(ITALY, big := lists.country(lists.service(), *[other] * (20 * 1024 * 1024 // len(other))))

    assert len(big) >= 20 * 1024 * 1024
    assert refresh(net)[0] == 3
    assert len(list(trusted_lists.in_force(NOW).services.known_certificate_authorities)) == 1


def test_what_is_larger_than_any_list_is_not_taken(net):
    published(net)
    net.pages[ITALY] = lambda _: web.Reply(b"<" * 1024, length=-1)
    net.put(ITALY, b"<" * (32 * 1024 * 1024 + 1))

    assert refresh(net)[0] == 2
