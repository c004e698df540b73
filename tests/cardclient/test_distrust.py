"""A server that errs or lies: the client stops before a key is used, and says why."""

from __future__ import annotations

import httpx
import pytest

from cardclient.contract import Slot
from cardclient.errors import CardError, Distrusted
from tests.cardclient.fake_office import fingerprint


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
