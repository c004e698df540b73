"""The program as its user sees it: exit statuses, messages word for word, JSON, and no code anywhere."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from cardclient import __version__, cli, messages
from cardclient.errors import ClientError
from cardclient.exits import Exit
from cardclient.network.legs import Network
from cardclient.office import HttpOffice
from cardclient.options import parse
from cardclient.preferences import Preferences, ProxyKind, Store
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from cardclient.support.status import HttpWeb
from cardclient.words import set_language
from tests.cardclient.conftest import PIN, PUK, personalise
from tests.cardclient.fake_office import FakeOffice, problem

NEW = "62951"
NETWORK = Network("https://ra.example.org", "none", verdict="legs-ok")
WEB = HttpWeb(httpx.MockTransport(lambda _request: httpx.Response(404)))


@pytest.fixture
def program(card, office, tmp_path, capsys, monkeypatch):
    """Run the program on the simulated card; returns (status, JSON, what people read)."""
    office.now = datetime.now(UTC) + timedelta(minutes=1)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    for name, code in (("pin", PIN), ("puk", PUK), ("new", NEW), ("wrong", "00000")):
        (tmp_path / name).write_text(code + "\n")

    def run(command, *arguments, simulated=(card.path,), **changes):
        words = [word for path in simulated for word in ("--simulated", str(path))]
        make = changes.get("make_office") or (
            lambda options: HttpOffice(options.server, transport=office.transport(), sleep=lambda _: None)
        )
        arguments = [each.replace("@", f"{tmp_path}/") if each.startswith("@") else each for each in arguments]
        line = [
            command,
            *words,
            "--server",
            "https://ra.example.org",
            "--json",
            "--settings",
            str(tmp_path / "settings"),
            "--log",
            str(tmp_path / "log"),
            *arguments,
        ]
        status = cli.main(line, make_office=make, try_network=lambda _probe: NETWORK, make_web=lambda _: WEB)
        out, err = capsys.readouterr()
        return status, json.loads(out), err

    return run


ALL = ("--pin-file", "@pin", "--accept-all")


def test_renew_without_questions_ends_done(program, office):
    status, told, _ = program("renew", *ALL)
    assert status == told["exit"] == Exit.DONE
    assert told["case"]["state_label"] == "Completato"
    assert told["removed_old_pairs"] == 2
    assert told["phases"][0] == "scan"
    assert told["phases"][-1] == "done"
    assert office.is_complete


def test_accept_all_shows_and_records_titles_and_versions(program):
    _, told, shown = program("renew", *ALL)
    assert {each["kind"] for each in told["accepted"]} == {"contract", "clauses", "privacy", "encryption-warning"}
    assert "encryption-warning (versione 2025-1)" in shown


def test_texts_are_not_accepted_by_silence(program):
    status, told, _ = program("renew", "--pin-file", "@pin")
    assert (status, told["code"]) == (Exit.DECLINED, "warning-declined")


def test_scan_says_what_the_office_says_and_asks_for_no_code(program, office):
    status, told, _ = program("scan")
    assert status == Exit.DONE
    assert told["cards"][0]["serial"] == office.serial
    assert told["cards"][0]["offers"][0]["flow"] == "enroll"


@pytest.mark.parametrize("command", ["scan", "renew"])
def test_no_card(program, card, command):
    card.eject()
    status, told, shown = program(command)
    assert (status, told["code"]) == (Exit.NO_CARD, "card-absent")
    assert "Nessuna smartcard rilevata. Prova ad inserirla di nuovo" in shown


@pytest.mark.parametrize(
    ("verdict", "message"),
    [
        ("expired", "Certificato non rinnovabile presente nella carta"),
        ("already-renewed", "Certificato già rinnovato per la carta"),
        ("not-renewable", "Nessun certificato rinnovabile presente nella carta"),
    ],
)
@pytest.mark.parametrize("command", ["scan", "renew"])
def test_not_renewable_in_the_guides_words(program, office, command, verdict, message):
    office.scan_answer = {
        "verdict": verdict,
        "code": None,
        "message": None,
        "advice": None,
        "family": None,
        "secrets": ["pin"],
        "certificates": [],
        "offers": [],
        "purchase_url": None,
    }
    status, told, shown = program(command)
    assert status == Exit.NOT_RENEWABLE
    assert told["message"] == message
    assert message in shown


def test_wrong_pin(program):
    status, told, shown = program("renew", "--pin-file", "@wrong", "--accept-all")
    assert (status, told["code"]) == (Exit.WRONG_PIN, "pin-wrong")
    assert "Inserisci il codice PIN corretto" in shown


def test_a_pin_from_a_file_is_used_once_however_often_it_is_asked_for(program, card):
    program("renew", "--pin-file", "@wrong", "--accept-all")
    assert SimulatedCard(card.path).view().pin == "tried"


def test_the_last_try_is_not_used_without_leave(program):
    for _ in range(2):
        program("renew", "--pin-file", "@wrong", "--accept-all")
    status, told, shown = program("renew", *ALL)
    assert (status, told["code"]) == (Exit.DECLINED, "pin-last-try")
    assert "un solo tentativo" in shown
    assert program("renew", *ALL, "--use-last-try")[0] == Exit.DONE


def test_a_locked_pin_and_its_way_out(program, card):
    for _ in range(3):
        with contextlib.suppress(ClientError):
            SimulatedCard(card.path).login(Secret("00000"))
    status, told, shown = program("renew", *ALL)
    assert (status, told["code"]) == (Exit.PIN_LOCKED, "pin-locked")
    assert "sblocca il PIN con il PUK" in shown
    status, told, _ = program("renew", *ALL, "--puk-file", "@puk", "--new-pin-file", "@new")
    assert (status, "pin-unblocked" in told["notices"]) == (Exit.DONE, True)


def test_card_access_and_card_update_in_the_guides_words(program, card):
    card.plan_fault("keys", "device-error")
    status, told, _ = program("renew", *ALL)
    assert (status, told["message"]) == (Exit.CARD_ACCESS, "Errore accesso carta")
    card.plan_fault("generate", "device-error")
    status, told, _ = program("renew", *ALL)
    assert (status, told["message"]) == (Exit.CARD_UPDATE, "Errore aggiornamento carta")
    assert "SUP-0001" in _ or "failure-reported" in told["notices"]


def test_a_removed_card(program, card):
    card.plan_fault("generate", "removed")
    assert program("renew", *ALL)[0] == Exit.CARD_REMOVED


def test_no_connection_in_the_guides_words(program):
    def make(options):
        def fail(_request):
            raise httpx.ConnectError("")

        return HttpOffice(options.server, transport=httpx.MockTransport(fail), sleep=lambda _: None)

    status, told, _ = program("renew", *ALL, make_office=make)
    assert (status, told["message"]) == (Exit.CONNECTION, "Errore di connessione al server. Riprova più tardi")


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("certificate-revoked", "Errore verifica certificato da rinnovare"),
        ("key-weak", "Errore generazione nuovo certificato"),
        ("stock-empty", "Errore generazione nuovo certificato"),
    ],
)
def test_refusals_of_the_office(program, office, code, label):
    office.weather["/case/diagnosis"] = lambda _request, _answer: problem(
        409, code, "contact-centre", label if code != "stock-empty" else None
    )
    status, told, _ = program("renew", *ALL)
    assert (status, told["code"], told["message"], told["action"]) == (Exit.REFUSED, code, label, "contact-centre")


def test_a_card_mismatch_is_told_as_another_card(program, office):
    office.serial = "other"
    assert program("renew", *ALL)[0] == Exit.CARD_CHANGED


def test_a_hostile_server_is_told_as_such(program, office):
    office.nonce = "short"
    assert program("renew", *ALL)[0] == Exit.DISTRUSTED


def test_a_mailed_code_is_asked_for_and_given_in_the_next_run(program, office):
    status, told, _ = program("renew", *ALL, "--email", "nuova@example.org")
    assert (status, told["code"]) == (Exit.INPUT_NEEDED, "confirmation-needed")
    assert program("renew", *ALL, "--confirmation-code", "123456")[0] == Exit.DONE


def test_a_mailbox_given_again_replaces_the_mistyped_one_and_another_code_is_mailed(program, office):
    program("renew", *ALL, "--email", "nuova@exmaple.example")
    told = program("renew", *ALL, "--email", "nuova@example.org")[1]
    assert (told["code"], office.codes_mailed, office.pending["email"]) == (
        "confirmation-needed", 2, "nuova@example.org",
    )  # fmt: skip
    repeated = program("renew", *ALL, "--email", "nuova@example.org", "--confirmation-code", "123456")
    assert (repeated[0], office.codes_mailed) == (Exit.DONE, 2)


def test_a_contact_of_another_person_stops_a_run_without_questions(program):
    status, told, _ = program("renew", *ALL, "--mobile", "+393330000000")
    assert (status, told["code"]) == (Exit.REFUSED, "contact-taken")


def test_two_renewable_cards_want_a_choice(program, card, office, authority, tmp_path):
    other = SimulatedCard.create(tmp_path / "other.json", serial="7430000000000002", pin=Secret(PIN), puk=Secret(PUK))
    other.login(Secret(PIN))
    second = FakeOffice("7430000000000002", personalise(other, authority), authority, now=office.now)

    def route(request):
        mine = b"7430000000000002" in request.content or request.headers.get("authorization", "")[7:] in second.tokens
        mine = mine or (
            request.url.path.endswith("/sessions") and json.loads(request.content)["challenge"] in second.challenges
        )
        return (second if mine else office).handle(request)

    def make(options):
        return HttpOffice(options.server, transport=httpx.MockTransport(route), sleep=lambda _: None)

    both = (card.path, other.path)
    status, told, _ = program("renew", *ALL, simulated=both, make_office=make)
    assert (status, told["code"]) == (Exit.INPUT_NEEDED, "choice-needed")
    status, told, _ = program("renew", *ALL, "--card", "7430000000000002", simulated=both, make_office=make)
    assert (status, told["card"]["serial"]) == (Exit.DONE, "7430000000000002")
    assert not office.is_complete


def test_the_form_can_be_kept(program, office, tmp_path):
    program("renew", *ALL, "--form-out", "@form.pdf")
    assert (tmp_path / "form.pdf").read_bytes() == office.pdf


def test_diagnose_reports_card_driver_and_network_without_a_code(program, card):
    status, told, _ = program("diagnose")
    report = told["report"]
    assert status == Exit.DONE
    assert report["cards"][0]["serial"] == "7430000000000001"
    assert report["cards"][0]["certificates"][0]["key"] == "ec-256"
    assert report["cards"][0]["token"]["can_generate"] is True
    assert report["network"]["verdict"] == "legs-ok"
    assert "legs-ok" in {each["code"] for each in report["findings"]}
    assert "RSSMRA85T10A562S" not in json.dumps(report)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["renew", "--module", "relative.so"],
        ["pin", "forget"],
        ["scan", "--pin-file", "x"],
        ["renew", "--simulated", "a", "--module", "/b"],
        ["renew", "--simulated", "a", "--pin", "1"],
    ],
)
def test_wrong_use_is_status_2(arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == Exit.USAGE


def test_an_unexpected_error_says_neither_its_text_nor_a_code(program, card, monkeypatch, tmp_path):
    def burst(self, pin):
        raise RuntimeError(f"secret {pin.reveal()}")

    monkeypatch.setattr(SimulatedCard, "login", burst)
    status, told, shown = program("renew", *ALL)
    assert (status, told["code"]) == (Exit.INTERNAL, "client-error")
    assert PIN not in shown + json.dumps(told) + (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    "fault", [None, ("login", "device-error"), ("generate", "memory"), ("verify_puk", "device-error")]
)
def test_no_code_is_ever_written_sent_or_shown(program, card, office, tmp_path, fault):
    office.secrets = ["pin", "puk"]
    if fault:
        card.plan_fault(*fault)
    _, told, shown = program("renew", *ALL, "--puk-file", "@puk")
    wire = b"".join(content for _, _, content in office.seen).decode()
    everything = shown + json.dumps(told) + wire + (tmp_path / "log").read_text() + card.path.read_text()
    assert PIN not in everything
    assert PUK not in everything
    log = (tmp_path / "log").read_text()
    assert "RSSMRA85T10A562S" not in log
    assert "ROSSI" not in log


def test_a_secret_hides_in_every_way_of_printing():
    secret = Secret("canary-4711")
    for text in (repr(secret), str(secret), f"{secret}", f"{[secret]}", f"{secret}", str(vars(type(secret)))):
        assert "canary" not in text


def test_the_pin_may_come_through_a_descriptor(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, PIN.encode())
    os.close(writing)
    from cardclient.options import answers

    given = answers(
        parse(
            [
                "renew",
                "--server",
                "https://ra.example.org",
                "--simulated",
                "x",
                "--pin-fd",
                str(reading),
                "--settings",
                str(tmp_path),
            ]
        )
    )
    assert given.secrets["pin"].reveal() == PIN


def test_it_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "cardclient", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip()


def test_every_error_has_words_and_something_to_do():
    from cardclient import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ClientError)]
    for code in {kind.code for kind in kinds} - {"answer-distrusted", "client-error"}:
        assert code in messages.codes(), code
        assert messages.message_for(code).advice, code


def test_every_exit_status_is_documented():
    from pathlib import Path

    readme = (Path(cli.__file__).parent / "README.md").read_text()
    for status in Exit:
        assert f"| {int(status)} |" in readme, status


def test_check_tries_every_key_and_changes_nothing(program, card):
    status, told, _ = program("check", "--pin-file", "@pin")
    assert (status, told["code"]) == (Exit.CARD_ACCESS, "check-failed")  # the old certificates ended in 2026
    assert [each["signature"] for each in told["checks"]] == ["ok", "ok"]
    assert {each["valid"] for each in told["checks"]} == {False}


def test_check_asks_for_the_pin_and_stops_without_one(program):
    assert program("check")[0] == Exit.INPUT_NEEDED
    status, told, _ = program("check", "--pin-file", "@wrong")
    assert (status, told["code"]) == (Exit.WRONG_PIN, "pin-wrong")


def test_the_pin_is_changed(program, card):
    status, told, _ = program("pin", "change", "--pin-file", "@pin", "--new-pin-file", "@new")
    assert (status, told["code"], told["card"]["pin"]) == (Exit.DONE, "pin-changed", "ok")
    SimulatedCard(card.path).login(Secret(NEW))


def test_a_locked_pin_is_unblocked_with_the_puk(program, card):
    for _ in range(3):
        program("pin", "change", "--pin-file", "@wrong", "--new-pin-file", "@new", "--use-last-try")
    status, told, _ = program("pin", "unblock", "--puk-file", "@puk", "--new-pin-file", "@new")
    assert (status, told["code"]) == (Exit.DONE, "pin-unblocked")
    SimulatedCard(card.path).login(Secret(NEW))


def test_a_new_pin_that_is_easily_guessed_is_refused_before_the_card_sees_it(program, card, tmp_path):
    (tmp_path / "weak").write_text("12345")
    status, told, _ = program("pin", "change", "--pin-file", "@pin", "--new-pin-file", "@weak")
    assert (status, told["code"]) == (Exit.WRONG_PIN, "pin-weak")
    SimulatedCard(card.path).login(Secret(PIN))


def test_the_last_try_of_the_pin_is_spared_unless_allowed(program):
    for _ in range(2):
        program("pin", "change", "--pin-file", "@wrong", "--new-pin-file", "@new")
    status, told, shown = program("pin", "change", "--pin-file", "@pin", "--new-pin-file", "@new")
    assert (status, told["code"]) == (Exit.DECLINED, "pin-last-try")
    assert "--use-last-try" in shown


def test_the_diagnosis_is_readable_by_default_with_its_verdicts_first(card, tmp_path, capsys):
    line = ["diagnose", "--simulator", str(card.path), "--settings", str(tmp_path / "settings")]
    assert cli.main(line, try_network=lambda _probe: NETWORK) == Exit.DONE
    shown = capsys.readouterr().out
    assert shown.startswith("Diagnostica di Sigillo")
    assert shown.index("[legs-ok]") < shown.index("RETE E OROLOGIO")
    assert "7430000000000001" in shown


def test_every_command_speaks_english(card, tmp_path, capsys):
    common = ["--simulator", str(card.path), "--settings", str(tmp_path / "settings"), "--language", "en"]
    try:
        cli.main(["diagnose", *common], try_network=lambda _probe: NETWORK)
        card.eject()
        cli.main(["check", *common])
    finally:
        set_language("it")
    out, err = capsys.readouterr()
    assert out.startswith("Sigillo diagnosis")
    assert "No smart card found. Try inserting it again" in err


def test_what_the_command_line_leaves_open_comes_from_the_preferences(tmp_path):
    Store(tmp_path).save(Preferences(server="https://ra.example.org", debug_log=True))
    options = parse(["scan", "--settings", str(tmp_path)])
    assert (options.server, options.preferences.debug_log) == ("https://ra.example.org", True)
    assert options.preferences.proxy.kind is ProxyKind.SYSTEM
    options = parse(["scan", "--settings", str(tmp_path), "--no-proxy", "--server", "https://other.example.org"])
    assert options.preferences.proxy.kind is ProxyKind.NONE
    assert options.server == "https://other.example.org"


def test_a_run_is_logged_among_the_last_ones(card, office, tmp_path):
    line = ["scan", "--simulator", str(card.path), "--settings", str(tmp_path), "--server", "https://ra.example.org"]
    make = lambda options: HttpOffice(options.server, transport=office.transport())  # noqa: E731 - as the fixture's
    assert cli.main(line, make_office=make) == Exit.DONE
    (log,) = (tmp_path / "logs").iterdir()
    assert log.read_text("utf-8").splitlines()[0].endswith(f"sigillo-card {__version__}: scan")
    assert "phase scan" in log.read_text("utf-8")


def test_a_log_that_cannot_be_written_stops_nothing(card, office, tmp_path):
    (tmp_path / "file").write_text("")
    line = [
        "scan",
        "--server",
        "https://ra.example.org",
        "--simulator",
        str(card.path),
        "--settings",
        str(tmp_path / "file"),
        "--log",
        "/nowhere/at/all",
    ]
    make = lambda options: HttpOffice("https://ra.example.org", transport=office.transport())  # noqa: E731
    assert cli.main(line, make_office=make) == Exit.DONE


def test_from_source_the_command_line_wants_a_server(tmp_path, card, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse(["scan", "--simulator", str(card.path), "--settings", str(tmp_path)])
    assert stopped.value.code == Exit.USAGE
    assert "--server" in capsys.readouterr().err
