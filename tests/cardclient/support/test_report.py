"""The diagnosis: everything the support desk asks, nothing secret, and verdict lines that say what to do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cardclient.contract import Slot
from cardclient.errors import DriverError, NoCard, OfficeUnreachable
from cardclient.network.legs import Leg, Network
from cardclient.ports import CardCertificate, CodeState, ReaderState
from cardclient.readers.families import known
from cardclient.readers.modules import Module
from cardclient.secret import Secret
from cardclient.support.check import KeyCheck
from cardclient.support.findings import Tone
from cardclient.support.log import Logbook
from cardclient.support.readable import check_lines, readable, sections
from cardclient.support.report import Sources, gather
from cardclient.support.status import Chain, Standing, Status
from cardclient.words import set_language
from tests.cardclient.conftest import NOW, PIN, PUK
from tests.cardclient.fake_authority import OLD_END, TAX_CODE

AC_2014 = bytes.fromhex("3BDF18008131FE7D006B020C0182011101434E53103180FC")
DRIVER = next(each for each in known().drivers if each.key == "idprotect")
MODULE = Module("/usr/lib/x64-athena/libASEP11.so", DRIVER, "6.47.04")
GOOD = Network(
    "https://ra.example.org",
    "http",
    legs=(Leg("proxy", "proxy.example.org:3128", "ok", 3), Leg("through-proxy", "ra.example.org", "ok", 40)),
    hosts=(Leg("ca.example.org", "ca.example.org", "ok", 12),),
    verdict="legs-ok",
    clock_difference=1.4,
    minimum="0.1.0",
)


class Plugged:
    def __init__(self, *states):
        self.states = states

    def snapshot(self):
        return self.states

    def wait(self, seconds):
        return False


class Broken:
    def __init__(self, problem):
        self.problem = problem

    def scan(self):
        raise self.problem


@pytest.fixture
def english():
    set_language("en")
    yield
    set_language("it")


def sources(card=None, *states, network=GOOD, modules=(MODULE,), service="running", logbook=None):
    readers = Plugged(*(states or (ReaderState("Lettore 0", AC_2014),)))
    return Sources(card, readers, lambda: service, lambda: modules, lambda: network, logbook)


def report_of(*arguments, now=NOW, **options):
    return gather(sources(*arguments, **options), now=now)


def found(report):
    return {each.code: each for each in report.findings}


def test_everything_the_desk_asks_is_in_it(card, tmp_path):
    book = Logbook(tmp_path / "logs", now=NOW)
    try:
        facts = json.loads(report_of(card, logbook=book).as_json())
    finally:
        book.close()
    assert facts["at"] == "2026-01-15T09:30:00+00:00"
    assert {"platform", "python", "libraries"} <= facts["system"].keys()
    assert {"cryptography", "httpx", "python-pkcs11"} <= facts["system"]["libraries"].keys()
    assert facts["readers"] == {
        "service": "running",
        "readers": [
            {
                "name": "Lettore 0",
                "interface": "contact",
                "atr": AC_2014.hex().upper(),
                "family": "AC 2014 / AC 2018",
                "driver": "IDP 6.47.04",
            }
        ],
    }
    assert facts["modules"][0]["version"] == "6.47.04"
    (shown,) = facts["cards"]
    assert (shown["serial"], shown["pin"], shown["puk"]) == ("7430000000000001", "ok", "ok")
    assert shown["token"]["can_generate"] is True
    assert [each["slot"] for each in shown["certificates"]] == ["authentication", "signature"]
    assert shown["certificates"][0]["not_after"] == OLD_END.isoformat()
    assert shown["certificates"][0]["issuer"] == "Prova CA"
    assert [each["code"] for each in facts["network"]["legs"]] == ["ok", "ok"]
    assert facts["network"]["clock_difference_seconds"] == 1
    assert facts["log"] == {"debug": False, "on_disk": True, "runs": 0}


def test_a_person_is_named_only_if_he_agrees_and_never_by_his_tax_code(card):
    without, agreed = (gather(sources(card), now=NOW, with_holder=asked) for asked in (False, True))
    for text in (without.as_json(), readable(without)):
        assert "ROSSI" not in text
    for text in (agreed.as_json(), readable(agreed)):
        assert "MARIO ROSSI" in text
    for report in (without, agreed):
        assert TAX_CODE not in report.as_json() + readable(report)


def test_free_space_and_lengths_are_told_as_the_driver_tells_them(card, monkeypatch):
    told = replace(card.report(), facts={"free_memory": "32768", "shortest_pin": "5", "module": "/usr/lib/x.so"})
    monkeypatch.setattr(card, "report", lambda: told)
    report = report_of(card)
    assert report.facts["cards"][0]["token"]["free_memory"] == "32768"
    assert "Memoria libera (byte)   32768" in readable(report)


def test_nothing_secret_is_in_it(card):
    card.login(Secret(PIN))
    network = replace(GOOD, proxy="http://mario:Segreto1@proxy.example.org:3128", server="https://u:pw9@ra.example.org")
    report = report_of(card, network=network)
    told = report.as_json() + readable(report)
    assert not [each for each in (PIN, PUK, "Segreto1", "pw9", TAX_CODE) if each in told]
    assert "proxy.example.org" in told


def test_the_verdict_lines_come_first_and_say_what_to_do(card):
    network = replace(GOOD, verdict="legs-proxy-down", clock_difference=-400.0)
    report = report_of(card, network=network, modules=())
    tones = [each.tone for each in report.findings]
    assert tones == sorted(tones, key=list(Tone).index)
    assert all(each.advice for each in report.findings if each.tone is not Tone.OK)
    text = readable(report)
    assert text.index("Cosa fare:") < text.index("LETTORI")
    assert "L'orologio del computer differisce di 7 minuti" in text


@pytest.mark.parametrize("service", ["stopped", "refused", "missing"])
def test_a_card_service_that_does_not_serve_is_said_first(service):
    assert next(iter(found(report_of(service=service)))) == f"reader-service-{service}"


def test_no_reader_no_card_a_mute_card_and_an_unknown_one_are_told_apart():
    empty = gather(Sources(None, Plugged(), lambda: "running", tuple), now=NOW)
    assert "reader-absent" in found(empty)
    assert "card-absent" in found(report_of(None, ReaderState("A", None)))
    assert "card-silent" in found(report_of(None, ReaderState("A", b"")))
    assert "card-unrecognised" in found(report_of(None, ReaderState("A", b"\x3b\x00")))


def test_a_missing_driver_is_named_with_its_address():
    told = found(report_of(modules=()))["driver-needed"]
    assert "AC 2014 / AC 2018" in told.text
    assert "IDP 6.47.04" in told.text
    assert DRIVER.address in told.advice
    assert found(report_of())["card-known"].tone is Tone.OK


def test_no_driver_is_missing_for_a_card_that_was_read(card):
    (view,) = card.scan()
    told = found(report_of(card, ReaderState("Lettore 0", view.atr), modules=()))
    assert "card-known" in told
    assert "driver-needed" not in told


@pytest.mark.parametrize(
    ("problem", "code"),
    [(NoCard(), "card-absent"), (DriverError("driver-timeout"), "driver-timeout"), (DriverError(), "driver-failed")],
)
def test_a_driver_that_fails_is_told_and_stops_nothing(problem, code):
    report = report_of(Broken(problem))
    assert report.facts["cards"] == {"error": code}
    assert found(report)[code].tone is Tone.PROBLEM
    assert report.facts["network"]["verdict"] == "legs-ok"
    assert readable(report)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"final": "card-not-personalised"}, "card-not-personalised"),
        ({"final": "puk-locked", "puk": CodeState.LOCKED}, "puk-locked"),
        ({"final": "certificate-unreadable"}, "certificate-unreadable"),
        ({"pin": CodeState.LOCKED}, "pin-maybe-locked"),
        ({"pin": CodeState.LAST_TRY}, "pin-last-try"),
        ({"puk": CodeState.TRIED}, "puk-tried"),
        ({"certificates": ()}, "certificates-none"),
    ],
)
def test_what_the_card_tells_without_pin_becomes_a_verdict(card, monkeypatch, change, code):
    view = replace(card.scan()[0], **change)
    monkeypatch.setattr(card, "scan", lambda: (view,))
    report = report_of(card)
    assert code in found(report)
    assert found(report)[code].text in readable(report)


def test_a_broken_object_beside_good_certificates_is_told_as_skipped(card, monkeypatch):
    view = card.scan()[0]
    view = replace(view, certificates=(*view.certificates, CardCertificate(b"x", "OGGETTO", b"\x30\x00")))
    monkeypatch.setattr(card, "scan", lambda: (view,))
    report = report_of(card)
    assert found(report)["certificate-skipped"].tone is Tone.WARNING
    assert "certificate-unreadable" not in found(report)
    assert found(report)["certificate-skipped"].text in readable(report)


def test_certificates_are_judged_by_their_dates(card):
    assert {"certificate-ending"} <= found(report_of(card)).keys()
    assert {"certificate-over"} <= found(report_of(card, now=OLD_END.replace(year=2027))).keys()
    assert {"certificate-early"} <= found(report_of(card, now=OLD_END.replace(year=2020))).keys()
    assert {"certificate-valid"} <= found(report_of(card, now=OLD_END.replace(year=2025))).keys()


def test_a_network_that_cannot_be_tested_is_told():
    def dead():
        raise OfficeUnreachable

    report = gather(Sources(None, None, None, tuple, dead), now=NOW)
    assert report.facts["network"] == {"error": "server-unreachable"}
    assert "server-unreachable" in found(report)


def test_the_leg_that_fails_is_named_with_its_issuer():
    leg = Leg(
        "through-proxy", "ra.example.org", "tls-untrusted", None, {"issuer": "Proxy CA", "host": "ra.example.org"}
    )
    report = report_of(network=replace(GOOD, legs=(leg,), verdict="legs-proxy-blocks"))
    assert "«Proxy CA»" in found(report)["tls-untrusted"].text
    assert "«Proxy CA»" in readable(report)


def test_a_program_older_than_the_office_serves_is_told():
    assert "client-outdated" in found(report_of(network=replace(GOOD, minimum="9.10.0")))
    assert "client-outdated" not in found(report_of())


def test_a_log_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    book = Logbook(tmp_path / "file" / "logs", now=NOW)
    try:
        import logging

        logging.getLogger("cardclient.x").info("one line")
        assert "log-unwritable" in found(report_of(logbook=book))
    finally:
        book.close()


def test_progress_is_told_and_an_exception_of_the_listener_stops_the_rest():
    parts = []
    gather(sources(), now=NOW, told=parts.append)
    assert parts == ["system", "readers", "modules", "cards", "network", "log"]

    class Cancelled(Exception):
        pass

    def cancel(part):
        if part == "network":
            raise Cancelled

    with pytest.raises(Cancelled):
        gather(sources(), now=NOW, told=cancel)


def test_what_is_left_out_has_no_section():
    report = gather(Sources(modules=lambda: ()), now=NOW)
    assert [each.title for each in sections(report)] == ["Programma e computer"]
    assert report.findings == ()


def test_it_speaks_english(card, english):
    text = readable(report_of(card))
    assert "READERS" in text
    assert "What to do:" in text
    for italian in ("Cosa fare", "Lettori", "Orologio", "scade il", "secondi"):
        assert italian not in text


def test_the_cards_check_is_told_in_a_line_for_each_key(english):
    standing = Standing(Chain.COMPLETE, "Prova CA", Status.UNREACHABLE, "ocsp")
    checks = [
        KeyCheck("1a", Slot.AUTHENTICATION, "ok", 120, valid=True, standing=standing),
        KeyCheck("", None, "certificate-unreadable", None, valid=False, standing=None),
    ]
    first, second = check_lines(checks)
    assert first == (
        "Certificate 1a",
        "authentication; the key signs; chain complete; status: the authority cannot be reached",
    )
    assert second[1].startswith("The certificate cannot be read")
