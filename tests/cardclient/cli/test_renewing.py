"""A renewal without questions: what it does, what it wants to be told, which card it takes."""

from __future__ import annotations

import json

import httpx

from cardclient.exits import Exit
from cardclient.office import HttpOffice
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from tests.cardclient.cli.conftest import ALL
from tests.cardclient.conftest import PIN, PUK, personalise
from tests.cardclient.fake_office import FakeOffice


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
