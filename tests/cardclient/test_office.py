"""The HTTP client: what it repeats, what it never repeats, what it believes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest

from cardclient import __version__
from cardclient.contract import Contacts, Step, SupportRequest
from cardclient.errors import ClientError, ClientOutdated, Distrusted, OfficeRefusal, OfficeUnreachable, StillPending
from cardclient.office import HttpOffice
from cardclient.wire import LARGEST_ANSWER
from tests.cardclient.fake_office import problem


class Wire:
    """A transport that plays a list of answers and counts what was sent."""

    def __init__(self, *answers):
        self.answers, self.sent, self.slept = list(answers), [], []

    def __call__(self, request):
        self.sent.append((request.method, request.url.path, request.content))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def office(self, address="https://ra.example.org"):
        return HttpOffice(address, transport=httpx.MockTransport(self), sleep=self.slept.append)


@pytest.fixture
def view(office):
    office.host = "ra.example.org"
    return office.view()


def ok(body, status=200, **headers):
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_a_lost_answer_of_an_idempotent_call_is_asked_for_again(view):
    wire = Wire(httpx.ReadTimeout(""), ok(view))
    assert wire.office().case().next_step is Step.DIAGNOSIS
    assert len(wire.sent) == 2


@pytest.mark.parametrize(
    "call",
    [
        lambda office: office.challenge("1", "aa"),
        lambda office: office.open_session("1", b"x"),
        lambda office: office.confirm_contact("123456"),
        lambda office: office.installation_challenge(),
        lambda office: office.report_failure("scan", "card-access", ""),
    ],
)
def test_a_lost_answer_of_any_other_call_is_not(call):
    wire = Wire(httpx.ReadTimeout(""))
    with pytest.raises(OfficeUnreachable):
        call(wire.office())
    assert len(wire.sent) == 1


def test_a_call_that_was_never_sent_is_repeated_whatever_its_kind():
    wire = Wire(httpx.ConnectError(""), ok({"id": "1", "text": "t", "expires_at": "2026-01-15T09:35:00Z"}, 201))
    wire.office().challenge("1", "aa")
    assert len(wire.sent) == 2


def test_no_connection_at_all_ends_after_a_few_tries():
    wire = Wire(httpx.ConnectError(""))
    with pytest.raises(OfficeUnreachable):
        wire.office().case()
    assert len(wire.sent) == 4
    assert wire.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(view, status):
    wire = Wire(ok({}, status, retry_after="7"), ok(view))
    wire.office().case()
    assert wire.slept == [7.0]


def test_a_pause_longer_than_a_person_waits_is_the_next_runs_business():
    busy = problem(503, "service-unavailable", "retry-later")
    busy.headers["retry-after"] = "3600"
    with pytest.raises(OfficeRefusal, match="service-unavailable"):
        Wire(busy).office().case()


@pytest.mark.parametrize("value", ["-1", "Wed, 21 Oct 2026 07:28:00 GMT", "nan", "1e9", "999999999"])
def test_a_strange_retry_after_counts_as_none(view, value):
    wire = Wire(ok({}, 503, retry_after=value), ok(view))
    wire.office().case()
    assert wire.slept == [0.5]


def test_certificates_are_polled_and_given_up_after_five_minutes():
    wire = Wire(ok({"certificates": []}, 202, retry_after="20"))
    with pytest.raises(StillPending):
        wire.office().certificates()
    assert sum(wire.slept) == 300


def test_a_refusal_keeps_code_detail_action_and_label():
    wire = Wire(problem(409, "stock-empty", "contact-centre", "Errore generazione nuovo certificato"))
    with pytest.raises(OfficeRefusal) as refusal:
        wire.office().case()
    assert (refusal.value.code, refusal.value.action, refusal.value.status) == ("stock-empty", "contact-centre", 409)
    assert refusal.value.message == "Errore generazione nuovo certificato"
    assert refusal.value.detail == "Dettaglio stock-empty."


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="<html>bad gateway</html>"),
        httpx.Response(404, text="not found"),
        httpx.Response(302, headers={"location": "https://evil.example.org/"}),
        httpx.Response(400, json=[1]),
    ],
)
def test_an_error_that_is_no_problem_document_is_no_server_of_ours(answer):
    with pytest.raises(OfficeUnreachable):
        Wire(answer).office().case()


def test_redirects_are_not_followed(view):
    wire = Wire(httpx.Response(307, headers={"location": "https://evil.example.org/"}))
    with pytest.raises(OfficeUnreachable):
        wire.office().case()
    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.pop("nonce"),
        lambda body: body.update(slots="all"),
        lambda body: body["slots"][0]["key"].update(bits="2048"),
        lambda body: body["slots"][0].update(issued=1),
        lambda body: body.update(holder=None),
        lambda body: body.update(slots=body["slots"] * 9),
    ],
)
def test_a_case_of_the_wrong_shape_is_not_believed(view, spoil):
    body = json.loads(json.dumps(view))
    spoil(body)
    with pytest.raises(Distrusted, match="answer-malformed"):
        Wire(ok(body)).office().case()


@pytest.mark.parametrize(
    "change", [lambda body: body.update(next_step="pay"), lambda body: body["slots"][0].update(type="encryption")]
)
def test_a_word_this_version_does_not_know_means_that_the_office_is_newer(view, change):
    body = json.loads(json.dumps(view))
    change(body)
    with pytest.raises(ClientOutdated, match="client-outdated"):
        Wire(ok(body)).office().case()


def test_members_that_later_versions_add_are_ignored(view):
    assert Wire(ok(view | {"news": {"a": 1}})).office().case().code == view["code"]


def test_an_answer_without_end_is_cut_off():
    with pytest.raises(Distrusted):
        Wire(httpx.Response(200, content=b" " * (LARGEST_ANSWER + 1))).office().case()


def test_a_form_that_is_no_pdf_is_not_shown():
    with pytest.raises(Distrusted):
        Wire(httpx.Response(200, text="%PDF-", headers={"content-type": "text/plain"})).office().form_pdf()


@pytest.mark.parametrize("address", ["http://ra.example.org", "http://10.0.0.1:8000"])
def test_an_open_connection_is_refused_unless_it_stays_on_this_machine(address):
    with pytest.raises(ClientError, match="address-insecure"):
        HttpOffice(address)


@pytest.mark.parametrize(
    "address",
    ["ra.example.org", "ftp://ra.example.org", "https://", "https://a:b@ra.example.org", "https://ra.example.org/path"],
)
def test_a_strange_address_is_wrong_use(address):
    with pytest.raises(ClientError, match="usage"):
        HttpOffice(address)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://RA.example.org", "ra.example.org"),
        ("http://localhost:8000", "localhost:8000"),
        ("https://ra.example.org:8443/", "ra.example.org:8443"),
    ],
)
def test_the_host_is_what_the_user_gave(address, host):
    assert HttpOffice(address).host == host


def test_the_token_travels_in_its_header_and_shows_nowhere(view):
    wire = Wire(ok({"token": "s3cr3t-token", "expires_at": "", "case": view}, 201), ok(view))
    seen = []
    office = HttpOffice(
        "https://ra.example.org",
        transport=httpx.MockTransport(lambda r: (seen.append(r.headers.get("authorization")), wire(r))[1]),
    )
    office.open_session("1", b"x")
    office.case()
    assert seen == [None, "Bearer s3cr3t-token"]
    assert "s3cr3t" not in repr(vars(office)) + repr(vars(office._wire))


def test_contacts_are_sent_as_the_api_names_them(view, office):
    wire = Wire(ok(view))
    from cardclient.contract import Address

    wire.office().put_contacts(Contacts("a@example.org", "+39", Address("Via 1", "56010", "Pisa", "PI")))
    assert json.loads(wire.sent[0][2]) == {
        "email": "a@example.org",
        "mobile": "+39",
        "address": {"street": "Via 1", "postcode": "56010", "town": "Pisa", "province": "PI"},
    }


HELP = SupportRequest(
    "6f1c1b5e-0000-4000-8000-000000000001", "card-memory", "requests", "x" * 3000, "", "it", "0.1.0", "Linux",
    {"serial": "7430000000000001", "family": None, "reader": "L" * 200, "driver": ""}, "a" * 300_000 + "end",
)  # fmt: skip


def test_a_request_for_help_is_cut_to_what_the_office_takes_and_keeps_the_end_of_the_log():
    wire = Wire(ok({"number": "RS-0001", "answer_to": None}, 201))
    assert wire.office().open_support_request(HELP).number == "RS-0001"
    body = json.loads(wire.sent[0][2])
    assert body["card"] == {"serial": "7430000000000001", "reader": "L" * 120}
    assert (len(body["message"]), len(body["log"]), body["log"][-3:]) == (2000, 200_000, "end")
    assert "email" not in body


def test_a_request_for_help_whose_answer_was_lost_is_sent_again_under_the_same_number():
    wire = Wire(httpx.ReadTimeout(""), ok({"number": "RS-0001", "answer_to": "m***@example.org"}, 201))
    assert wire.office().open_support_request(HELP).answer_to == "m***@example.org"
    assert wire.sent[0] == wire.sent[1]


def test_an_office_without_capabilities_and_texts_is_an_older_one():
    wire = Wire(httpx.Response(404, text="<h1>Not Found</h1>", headers={"content-type": "text/html"}))
    assert wire.office().capabilities() is None
    assert wire.office().public_texts("enroll") == ()


@pytest.mark.parametrize("page", [{"status_code": 200}, {"status_code": 302, "location": "https://login.example.org/"}])
def test_a_page_in_the_servers_place_is_told_as_such(page):
    headers = {"content-type": "text/html; charset=utf-8"} | {k: v for k, v in page.items() if k == "location"}
    answer = httpx.Response(page["status_code"], text="<html>Accedi alla rete</html>", headers=headers)
    for call in (HttpOffice.capabilities, HttpOffice.case, HttpOffice.form_pdf):
        with pytest.raises(OfficeUnreachable, match="portal-answered"):
            call(Wire(answer).office())


def test_the_clocks_are_compared_at_every_answer(view):
    wire = Wire(ok(view, date="Thu, 15 Jan 2026 09:30:00 GMT"), ok(view, date="nonsense"))
    office = HttpOffice(
        "https://ra.example.org",
        transport=httpx.MockTransport(wire),
        clock=lambda: datetime(2026, 1, 15, 9, 35, tzinfo=UTC),
    )
    assert office.clock_difference is None
    office.case()
    office.case()
    assert office.clock_difference == 300.0


def test_every_request_tells_which_client_it_is(view):
    seen = []
    wire = httpx.MockTransport(lambda request: (seen.append(request.headers["sigillo-client"]), ok(view))[1])
    HttpOffice("https://ra.example.org", transport=wire).case()
    assert seen == [__version__]


def test_a_reason_of_several_lines_travels_as_one(view):
    wire = Wire(ok(view))
    wire.office().cancel("holder-data-wrong", "Il cognome\r\nè sbagliato\t\x00" + "x" * 400)
    note = json.loads(wire.sent[0][2])["note"]
    assert note.startswith("Il cognome è sbagliato ")
    assert len(note) == 300
    assert note.isprintable()


def test_a_failure_is_reported_once_and_briefly_so_that_its_page_is_not_late():
    seen, paused = [], []

    def silent(request):
        seen.append(request.extensions["timeout"])
        raise httpx.ConnectTimeout("no answer")

    office = HttpOffice("https://ra.example.org", transport=httpx.MockTransport(silent), sleep=paused.append)
    with pytest.raises(OfficeUnreachable):
        office.report_failure("requests", "card-update", "")
    assert (len(seen), paused) == (1, [])
    assert seen[0]["connect"] + seen[0]["read"] <= 2.0
