"""What stops the program: exit statuses, and messages word for word."""

from __future__ import annotations

import httpx
import pytest

from cardclient import cli, messages
from cardclient.errors import ClientError
from cardclient.exits import Exit
from cardclient.office import HttpOffice
from tests.cardclient.cli.conftest import ALL
from tests.cardclient.fake_office import problem


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
