"""A server that errs or lies: the client stops before a key is used, and says why."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from cardclient.contract import Slot
from cardclient.errors import CardError, ClientError, Distrusted, OfficeUnreachable
from tests.cardclient import fake_form
from tests.cardclient.fake_office import encoded, fingerprint


def changing(change, *, only_after=0):
    """Let the office's JSON through `change` from the nth answer on."""
    seen = []

    def lie(_request, answer):
        seen.append(answer)
        if len(seen) <= only_after:
            return answer
        body = answer.json()
        change(body)
        return httpx.Response(
            answer.status_code, json=body, headers=dict(answer.headers.items() & {("retry-after", "1")})
        )

    return lie


def paths(office):
    return [path for _, path, _ in office.seen]


def test_a_form_for_another_certificate_is_not_signed(office, renew, card):
    """Even where its attributes are honest about that other certificate."""
    other = card.old[Slot.AUTHENTICATION]
    office.weather["/case/form"] = changing(lambda body: body.update(certificate=fingerprint(other)))
    with pytest.raises(Distrusted, match="form-refused"):
        renew()
    assert "/case/form-signature" not in paths(office)


def test_a_text_that_differs_from_its_hash_is_not_shown(office, renew, screen):
    office.weather["/case/texts"] = changing(lambda body: body["texts"][1].update(text="Altro."))
    with pytest.raises(Distrusted, match="text-hash"):
        renew(screen)
    assert screen.shown_texts == ["encryption-warning"]  # before the PIN, from the public texts


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["texts"].pop(),
        lambda body: body["texts"].append(body["texts"][0]),
        lambda body: body["texts"].clear(),
    ],
)
def test_all_four_texts_are_wanted_once(office, renew, change):
    office.weather["/case/texts"] = changing(change)
    with pytest.raises(Distrusted, match="texts"):
        renew()


@pytest.mark.parametrize("change", [{"host": "other.example.org"}, {"card_serial": "7430000000000009"}])
def test_a_session_for_another_host_or_card_ends_at_once(office, renew, change):
    office.weather["/sessions"] = changing(lambda body: body["case"].update(change))
    with pytest.raises(Distrusted):
        renew()
    assert paths(office)[-1] == "/sessions"


@pytest.mark.parametrize(
    "change", [{"host": "other.example.org"}, {"card_serial": "7430000000000009"}, {"code": "OTHER-1"}]
)
def test_a_case_that_changes_on_the_way_ends_the_run(office, renew, change):
    office.weather["/case/contacts"] = changing(lambda body: body.update(change))
    with pytest.raises(Distrusted):
        renew()
    assert paths(office)[-1] == "/case/contacts"


def test_the_signature_key_does_not_log_in_where_the_card_has_an_authentication_key(office, renew, card):
    signature = fingerprint(card.old[Slot.SIGNATURE])
    office.weather["/scan"] = changing(lambda body: body["offers"][0].update(login_with=signature))
    with pytest.raises(Distrusted, match="login-key"):
        renew()
    assert "/challenges" not in paths(office)


def test_a_certificate_that_is_not_on_the_card_cannot_be_asked_for(office, renew):
    office.weather["/scan"] = changing(lambda body: body["offers"][0].update(login_with="00" * 32))
    with pytest.raises(Distrusted):
        renew()


def test_an_office_that_never_advances_is_given_up(office, renew):
    office.weather["/case/diagnosis"] = changing(lambda body: body.update(next_step="diagnosis"))
    with pytest.raises(Distrusted, match="flow-stuck"):
        renew()
    assert paths(office).count("/case/diagnosis") == 3


def test_an_unknown_kind_of_key_is_not_made(office, renew):
    office.key = {"kind": "rsa", "bits": 512}
    with pytest.raises(Distrusted, match="key-kind"):
        renew()


def test_a_closed_case_is_told(office, renew):
    office.closed = True
    with pytest.raises(Exception, match="case-ended"):
        renew()


def test_a_missing_old_key_is_told_as_card_access(office, renew, card):
    from cardclient import simulated_state
    from cardclient.ports import ObjectKind

    state = simulated_state.load(card.path)
    state.objects = [each for each in state.objects if each.kind != ObjectKind.PRIVATE_KEY]
    simulated_state.save(card.path, state)
    with pytest.raises(CardError, match="key-missing"):
        renew()


PORTAL = httpx.Response(200, text="<html>Accedi alla rete</html>", headers={"content-type": "text/html"})
UNSIGNED = ["/capabilities", "/scan", "/texts", "/challenges"]


def signed(office):
    """What of the card's has reached the office: every body that carries a signature."""
    return [path for _, path, content in office.seen if b'"signature"' in content or b'"binding"' in content]


def lying_text(office, change):
    """Let the office's login text through `change`."""
    office.weather["/challenges"] = changing(lambda body: body.update(text=change(body["text"])))


@pytest.mark.parametrize(
    "change",
    [
        lambda _text: "31" * 32,  # a bare digest
        lambda _text: "Sigillo enrollment keys v1\nhost: ra.example.org\n",
        lambda text: text.replace("login v1", "login v2"),
        lambda text: text.replace("ra.example.org", "evil.example.org"),
        lambda text: text.replace("card: 7430000000000001", "card: 7430000000000002"),
        lambda text: text + "contract: 1\n",
        lambda text: text.removesuffix("\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("nonce: ", "nonce: \u202e"),
        lambda _text: "",
        lambda text: text * 10_000,
    ],
)
def test_a_login_text_that_is_none_is_not_signed(office, renew, change):
    lying_text(office, change)
    with pytest.raises(Distrusted, match="text-refused"):
        renew()
    assert signed(office) == []


@pytest.mark.parametrize(
    "path", ["/scan", "/challenges", "/sessions", "/case/diagnosis", "/case/form", "/case/form.pdf"]
)
@pytest.mark.parametrize(
    "answer",
    [
        PORTAL,
        httpx.Response(302, headers={"location": "https://evil.example.org/"}),
        httpx.Response(200, text="{}", headers={"content-type": "application/json"}),
        httpx.Response(200, json=[1, 2]),
        httpx.Response(200, content=b"\xff\xfe", headers={"content-type": "application/json"}),
    ],
    ids=["portal", "redirect", "empty", "list", "bytes"],
)
def test_whatever_else_stands_in_the_servers_place_gets_no_signature(office, renew, path, answer):
    office.weather[path] = lambda *_: answer
    with pytest.raises((Distrusted, OfficeUnreachable)):
        renew()
    allowed = [] if path in UNSIGNED else ["/sessions"]
    assert signed(office) == allowed
    assert office.hosts == {"ra.example.org"}


@pytest.mark.parametrize("path", ["/scan", "/sessions", "/case/form.pdf", "/case/certificates"])
def test_an_answer_without_end_is_not_read_to_its_end(office, renew, path):
    read = []

    def endless():
        while True:
            read.append(1)
            yield b" " * 2**20

    headers = {"content-type": "application/pdf" if path.endswith("pdf") else "application/json"}
    office.weather[path] = lambda *_: httpx.Response(200, stream=Endless(endless()), headers=headers)
    with pytest.raises(Distrusted):
        renew()
    assert len(read) < 16


class Endless(httpx.SyncByteStream):
    """A body that never ends."""

    def __init__(self, parts):
        self.parts = parts

    def __iter__(self):
        return self.parts


def test_a_form_that_is_not_the_one_whose_digest_was_told_is_not_signed(office, renew, screen):
    other = fake_form.prepared_pdf("Cessione del quinto")
    office.weather["/case/form.pdf"] = lambda *_: httpx.Response(
        200, content=other, headers={"content-type": "application/pdf"}
    )
    with pytest.raises(Distrusted, match="form-refused"):
        renew(screen)
    assert screen.shown_pdf == b""
    assert "/case/form-signature" not in paths(office)


def test_attributes_of_another_document_are_not_signed(office, renew, screen):
    other = fake_form.signed_attributes(fake_form.prepared_pdf("Cessione del quinto"), office.old[Slot.SIGNATURE])
    office.weather["/case/form"] = changing(lambda body: body.update(signed_attributes=encoded(other)))
    with pytest.raises(Distrusted, match="form-refused"):
        renew(screen)
    assert "/case/form-signature" not in paths(office)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(signed_attributes=encoded(b"\x31\x00")),
        lambda body: body.update(signed_attributes=encoded(hashlib.sha256(b"other").digest())),
        lambda body: body.update(document_sha256="00" * 32),
    ],
)
def test_a_bare_digest_in_the_attributes_place_is_not_signed(office, renew, change):
    office.weather["/case/form"] = changing(change)
    with pytest.raises(Distrusted, match="form-refused"):
        renew()
    assert "/case/form-signature" not in paths(office)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(text=body["text"].replace("installation v1", "login v1")),
        lambda body: body.update(text=body["text"].replace("R26-", "R27-")),
        lambda body: body.update(text=body["text"].replace("signature: ", "signature: 00")),
        lambda body: body.update(text="".join(body["text"].splitlines(keepends=True)[:-1])),
    ],
)
def test_a_proof_of_other_certificates_is_not_given(office, renew, change):
    office.weather["/case/installation-challenge"] = changing(change)
    with pytest.raises(Distrusted, match="text-refused"):
        renew()
    assert "/case/installation" not in paths(office)


def test_a_case_of_another_cards_certificates_ends_before_anything_is_done(office, renew):
    office.weather["/sessions"] = changing(lambda body: body["case"]["slots"][0].update(old_certificate="00" * 32))
    with pytest.raises(Distrusted, match="certificate-unknown-here"):
        renew()
    assert paths(office)[-1] == "/sessions"


def test_a_certificate_of_another_persons_is_not_installed(office, renew, authority, card):
    def exchange(slot, key):
        return issue(slot, key, tax_code="VRDLGI80A01H501X", surname="VERDI")

    issue, office.authority = authority.issue, Changeling(authority, exchange)
    with pytest.raises(ClientError, match="certificate-refused"):
        renew()
    assert {each.der for each in card.view().certificates} == set(card.old.values())


class Changeling:
    """An authority that issues something else."""

    def __init__(self, authority, issue):
        self.der, self.issue = authority.der, issue
