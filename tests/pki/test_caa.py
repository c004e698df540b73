"""CAA: the owner's word is found, obeyed, and never guessed; asked of a real resolver's protocol over UDP and TCP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pki.caa import Answer, Record, decide
from pki.caa_resolver import ValidatingResolver, resolver_at
from tests.pki.dns_server import Zones, serving

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ISSUERS = ("posta-ca.example.org", "ca.example.net")


class Told:
    """A resolver that says what it was told, one answer after the other for a name that has several."""

    def __init__(self, **names):
        self.names = {name.replace("_", "."): answers for name, answers in names.items()}
        self.asked = []

    def caa(self, domain):
        self.asked.append(domain)
        answers = self.names.get(domain, Answer(secure=True))
        return answers.pop(0) if isinstance(answers, list) else answers


def records(*texts, **facts):
    """Records written as `tag=value` or `!tag=value` for critical ones."""
    parts = [text.partition("=") for text in texts]
    found = tuple(Record(128 * tag.startswith("!"), tag.lstrip("!"), value) for tag, _, value in parts)
    return Answer(found, **{"secure": True, **facts})


def judged(*texts):
    decision = decide("example.org", ISSUERS, Told(example_org=records(*texts)), at=AT)
    return decision.allowed, decision.code


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["issuemail=posta-ca.example.org"], (True, "caa-issuer-named")),
        (["issuemail=CA.Example.NET"], (True, "caa-issuer-named")),
        (["IssueMail=ca.example.net"], (True, "caa-issuer-named")),
        (["issuemail= ca.example.net ;"], (True, "caa-issuer-named")),
        (["issuemail=ca.example.net; account=230123; policy=ev"], (True, "caa-issuer-named")),
        (["issuemail=;", "issuemail=ca.example.net"], (True, "caa-issuer-named")),
        (["issuemail=other.example.com", "issuemail=ca.example.net"], (True, "caa-issuer-named")),
        (["!issuemail=ca.example.net"], (True, "caa-issuer-named")),
        (["issuemail=;"], (False, "caa-issuer-foreign")),
        (["issuemail="], (False, "caa-issuer-foreign")),
        (["issuemail=other.example.com"], (False, "caa-issuer-foreign")),
        (["issuemail=sub.ca.example.net"], (False, "caa-issuer-foreign")),
        (["issuemail=example.net"], (False, "caa-issuer-foreign")),
        (["issuemail=ca.example.net; %%%%%"], (False, "caa-issuer-foreign")),
        (["issuemail=ca.example.net another"], (False, "caa-issuer-foreign")),
        (["issuemail=ca.example.net."], (False, "caa-issuer-foreign")),
        (["issue=other.example.com"], (True, "caa-not-for-mail")),
        (["issue=;", "issuewild=;"], (True, "caa-not-for-mail")),
        (["iodef=mailto:security@example.org"], (True, "caa-not-for-mail")),
        (["futureproof=anything"], (True, "caa-not-for-mail")),
        (["!iodef=mailto:security@example.org"], (True, "caa-not-for-mail")),
        (["!futureproof=anything"], (False, "caa-critical-unknown")),
        (["issuemail=ca.example.net", "!futureproof=anything"], (False, "caa-critical-unknown")),
        (["issuemail=ca.example.net", "futureproof=anything"], (True, "caa-issuer-named")),
        (["issuevmc=;"], (True, "caa-not-for-mail")),
    ],
    ids=lambda value: "|".join(map(str, value)),
)
def test_the_owners_word_is_obeyed(texts, expected):
    assert judged(*texts) == expected


def test_a_value_of_any_length_is_read_in_no_time():
    assert judged("issuemail=" + "a-" * 30_000) == (False, "caa-issuer-foreign")
    assert judged("issuemail=" + "a;" * 30_000 + "b=" + " " * 30_000) == (False, "caa-issuer-foreign")


def test_the_first_name_upwards_that_has_records_decides():
    resolver = Told(
        posta_ufficio_example_org=Answer(secure=True),
        ufficio_example_org=records("issue=;"),
        example_org=records("issuemail=;"),
    )
    decision = decide("Posta.Ufficio.Example.org", ISSUERS, resolver, at=AT)
    assert (decision.allowed, decision.found_at) == (True, "ufficio.example.org")
    assert resolver.asked == ["posta.ufficio.example.org", "ufficio.example.org"]


def test_without_records_up_to_the_top_the_domain_is_free_and_the_root_is_not_asked():
    resolver = Told()
    decision = decide("posta.example.org", ISSUERS, resolver, at=AT)
    assert (decision.allowed, decision.code, decision.found_at) == (True, "caa-none", "")
    assert resolver.asked == ["posta.example.org", "example.org", "org"]
    assert decision.secure


def test_a_top_level_domain_may_forbid_too():
    decision = decide("example.org", ISSUERS, Told(org=records("issuemail=;")), at=AT)
    assert (decision.allowed, decision.found_at) == (False, "org")


FAILED = Answer(failure="servfail")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (FAILED, "caa-lookup-failed"),
        (Answer(bogus=True, failure="bogus"), "caa-bogus"),
        (Answer(bogus=True), "caa-bogus"),
    ],
)
def test_a_look_up_that_fails_twice_refuses_at_every_height(answer, code):
    for name in ("posta_example_org", "example_org", "org"):
        resolver = Told(**{name: [answer, answer]})
        decision = decide("posta.example.org", ISSUERS, resolver, at=AT)
        assert (decision.allowed, decision.code) == (False, code)
        assert resolver.asked.count(name.replace("_", ".")) == 2
        assert not decision.secure


def test_a_look_up_is_repeated_once_and_then_counts():
    resolver = Told(example_org=[FAILED, records("issuemail=ca.example.net")])
    assert decide("example.org", ISSUERS, resolver, at=AT).code == "caa-issuer-named"


def test_a_decision_holds_for_eight_hours_or_for_the_records_own_life():
    for ttl, hours in ((300, 8), (8 * 3600, 8), (86_400, 24)):
        found = records("issuemail=ca.example.net", ttl=ttl)
        assert decide("example.org", ISSUERS, Told(example_org=found), at=AT).expires_at == AT + timedelta(hours=hours)
    assert decide("example.org", ISSUERS, Told(), at=AT).expires_at == AT + timedelta(hours=8)
    assert decide("example.org", ISSUERS, Told(example_org=records("issuemail=;")), at=AT).expires_at == AT


def test_one_unsigned_name_on_the_way_makes_the_decision_unsigned_and_does_not_forbid():
    decision = decide("example.org", ISSUERS, Told(example_org=Answer()), at=AT)
    assert (decision.allowed, decision.secure) == (True, False)


def test_the_records_that_decided_are_kept():
    decision = decide("example.org", ISSUERS, Told(example_org=records("issuemail=ca.example.net")), at=AT)
    assert decision.records == (Record(0, "issuemail", "ca.example.net"),)


# Over the wire


@pytest.fixture
def zones():
    return Zones()


@pytest.fixture
def resolver(zones):
    with serving(zones) as address:
        host, port = address.split(":")
        yield ValidatingResolver([(host, int(port))], timeout=0.3)


def code(resolver, domain="posta.example.org"):
    return decide(domain, ISSUERS, resolver, at=AT).code


def test_records_come_over_the_wire_as_they_stand(zones, resolver):
    zones.caa["example.org"] = ['0 issuemail "ca.example.net; account=7"', '128 iodef "mailto:a@example.org"']

    assert resolver.caa("example.org") == Answer(
        (Record(0, "issuemail", "ca.example.net; account=7"), Record(128, "iodef", "mailto:a@example.org")),
        secure=True,
        ttl=zones.ttl,
    )
    assert code(resolver) == "caa-issuer-named"
    assert zones.asked[-2:] == ["posta.example.org", "example.org"]


def test_an_alias_is_followed_and_what_its_target_says_counts(zones, resolver):
    zones.aliases["posta.example.org"] = "mail.example.com"
    assert code(resolver) == "caa-none"
    zones.caa["mail.example.com"] = ['0 issuemail ";"']
    assert code(resolver) == "caa-issuer-foreign"


def test_an_answer_too_long_for_udp_comes_over_tcp(zones, resolver):
    zones.caa["example.org"] = [f'0 issuemail "ca{number}.example.com"' for number in range(100)]
    zones.caa["example.org"].append('0 issuemail "ca.example.net"')
    assert len(resolver.caa("example.org").records) == 101
    assert code(resolver) == "caa-issuer-named"


def test_a_zone_whose_signatures_do_not_hold_refuses_whatever_its_records_say(zones, resolver):
    zones.caa["example.org"] = ['0 issuemail "ca.example.net"']
    zones.bogus.add("example.org")
    assert code(resolver) == "caa-bogus"


def test_a_server_that_fails_refuses(zones, resolver):
    zones.failing.add("example.org")
    assert resolver.caa("example.org").failure == "servfail"
    assert code(resolver) == "caa-lookup-failed"


def test_a_server_that_is_silent_refuses_after_two_tries(zones, resolver):
    zones.silent.add("posta.example.org")
    assert code(resolver) == "caa-lookup-failed"
    assert zones.asked.count("posta.example.org") == 2


def test_an_unsigned_zone_is_believed_from_a_resolver_that_validates(zones, resolver):
    zones.unsigned |= {"posta.example.org", "example.org"}
    zones.caa["example.org"] = ['0 issuemail "ca.example.net"']
    decision = decide("posta.example.org", ISSUERS, resolver, at=AT)
    assert (decision.code, decision.secure) == ("caa-issuer-named", False)


def test_a_resolver_that_does_not_validate_is_believed_nothing(zones, resolver):
    """Behind it each forged answer would look like one of an unsigned zone."""
    zones.validates = False
    zones.caa["example.org"] = ['0 issuemail "ca.example.net"']
    assert resolver.caa("example.org").failure == "resolver-not-validating"
    decision = decide("example.org", ISSUERS, resolver, at=AT)
    assert (decision.code, decision.detail) == ("caa-lookup-failed", "resolver-not-validating")


def test_the_next_server_is_asked_when_one_is_not_there(zones):
    with serving(zones) as address:
        port = int(address.split(":")[1])
        resolver = ValidatingResolver([("127.0.0.1", 1), ("127.0.0.1", port)], timeout=0.3)
        assert code(resolver) == "caa-none"


def test_without_any_server_nothing_is_issued():
    assert code(ValidatingResolver([])) == "caa-lookup-failed"
    assert code(ValidatingResolver([("127.0.0.1", 1)], timeout=0.3)) == "caa-lookup-failed"


def test_a_name_that_the_dns_cannot_hold_refuses():
    assert code(ValidatingResolver([("127.0.0.1", 1)]), "a" * 64 + ".example.org") == "caa-lookup-failed"


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("127.0.0.1", ("127.0.0.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("[::1]", ("::1", 53)),
        ("[::1]:5353", ("::1", 5353)),
    ],
)
def test_an_address_may_have_a_port(text, server):
    assert resolver_at(text).servers == (server,)


@pytest.mark.parametrize("text", ["resolver.example.org", "localhost:53", "127.0.0.1:port", ":53"])
def test_a_resolver_is_named_by_its_address_alone(text):
    with pytest.raises(ValueError):
        resolver_at(text)


def test_an_empty_address_means_the_systems_own():
    assert isinstance(resolver_at("").servers, tuple)
