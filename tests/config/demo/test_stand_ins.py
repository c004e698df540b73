"""The demonstration's scanner and resolver answer as the real ones do, as far as the product asks them."""

import dns.flags
import dns.message
import dns.query
import pytest

from config.demo.stand_ins.clamd import Clamd
from config.demo.stand_ins.resolver import Resolver
from smime.services import scanner

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def test_the_scanner_finds_the_test_file_and_lets_the_rest_pass():
    with Clamd() as clamd:
        adapter = scanner.Clamd(clamd.address)
        assert adapter.find(b"a letter" * 50_000) is None
        assert adapter.find(EICAR) == "Eicar-Signature"


@pytest.mark.parametrize("ask", [dns.query.udp, dns.query.tcp])
def test_the_resolver_tells_what_it_was_given_and_nothing_else(ask):
    with Resolver(records={"example.org.": ('0 issuemail ";"',)}) as resolver:
        host, _, port = resolver.address.partition(":")
        known, unknown = (
            ask(dns.message.make_query(name, "CAA"), host, port=int(port), timeout=5)
            for name in ("example.org.", "posta.example.org.")
        )

    assert known.flags & dns.flags.AD
    assert [str(record) for record in known.answer[0]] == ['0 issuemail ";"']
    assert not unknown.answer
    assert unknown.authority
