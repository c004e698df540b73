"""The same renewal on a real PKCS#11 module (SoftHSM2), through the process of its own, read back with OpenSC's tool."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import subprocess

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from cardclient import flow
from cardclient.card_pkcs11 import Pkcs11Card
from cardclient.contract import Slot
from cardclient.errors import AnotherCard, CardError, DriverError, PinLength, WrongPin, WrongPuk
from cardclient.naming import ObjectName
from cardclient.ports import CodeState, KeyKind, ObjectKind, ObjectRef
from cardclient.secret import Secret
from tests.cardclient import softhsm
from tests.cardclient.conftest import NOW, http, personalise
from tests.cardclient.fake_office import CODE, FakeOffice
from tests.cardclient.recording_screen import RecordingScreen

LACK = softhsm.missing()
pytestmark = [pytest.mark.softhsm, pytest.mark.skipif(LACK is not None, reason=f"package missing: {LACK}")]
PIN, PUK = "48273", "91827364"


@pytest.fixture
def token(tmp_path, monkeypatch):
    made = softhsm.make_token(tmp_path, pin=PIN, puk=PUK)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def card(token):
    opened = Pkcs11Card(str(softhsm.module()))
    yield opened
    opened.close()


@pytest.fixture
def logged_in(card):
    card.scan()
    card.login(Secret(PIN))
    return card


def new_name(slot):
    return ObjectName(CODE, slot, True)


@pytest.mark.parametrize(
    "key", [{"kind": "rsa", "bits": 2048}, {"kind": "ec", "bits": 256}, {"kind": "ec", "bits": 384}]
)
def test_a_renewal_on_a_real_token_is_read_back_by_another_program(logged_in, token, authority, key, tmp_path):
    old = personalise(logged_in, authority, kind=KeyKind(key["kind"], key["bits"]))
    logged_in.close()
    office = FakeOffice(token.serial, old, authority, now=NOW)
    office.key = key
    fresh = Pkcs11Card(str(softhsm.module()))
    try:
        outcome = flow.renew(flow.Desk(fresh, RecordingScreen(pin=[PIN]), http(office), NOW))
    finally:
        fresh.close()

    assert outcome.case.state_label == "Completato"
    for slot in Slot:
        identifier = new_name(slot).id.hex()
        out = tmp_path / f"{slot}.der"
        token.tool("--read-object", "--type", "cert", "--id", identifier, "--output-file", str(out))
        assert out.read_bytes() == office.certificates[slot]
    listed = token.tool("--list-objects")
    for kind in ("Private Key Object", "Public Key Object", "Certificate Object"):
        assert listed.count(kind) == 2
    if key["kind"] == "rsa":
        require_signs(token, office.certificates[Slot.SIGNATURE], new_name(Slot.SIGNATURE).id.hex(), tmp_path)


def require_signs(token, certificate, identifier, folder):
    """The new key signs in another program and the new certificate verifies it."""
    from cryptography import x509

    (folder / "data").write_bytes(b"prova")
    token.tool(
        "--sign",
        "--mechanism",
        "SHA256-RSA-PKCS",
        "--id",
        identifier,
        "--input-file",
        str(folder / "data"),
        "--output-file",
        str(folder / "signature"),
    )
    public = x509.load_der_x509_certificate(certificate).public_key()
    public.verify((folder / "signature").read_bytes(), b"prova", padding.PKCS1v15(), hashes.SHA256())


def test_certificates_are_read_without_a_pin_and_private_keys_are_not(logged_in, authority):
    old = personalise(logged_in, authority)
    logged_in.close()
    view = logged_in.scan()[0]
    assert {each.der for each in view.certificates} == set(old.values())
    with pytest.raises(CardError, match="login-missing"):
        logged_in.keys()


def test_a_wrong_pin_leaves_no_session_behind(card):
    """A failed login leaks its session in the library; a PUK step right after it must still work."""
    card.scan()
    with pytest.raises(WrongPin):
        card.login(Secret("00000"))
    assert card.view().pin is CodeState.TRIED
    card.verify_puk(Secret(PUK))
    card.login(Secret(PIN))
    assert card.view().pin is CodeState.OK
    assert card.keys() == ()


def test_login_twice_is_one_login(logged_in):
    logged_in.login(Secret(PIN))
    assert logged_in.keys() == ()


def test_a_wrong_puk_is_told_apart_and_a_right_one_opens_the_pin(card):
    card.scan()
    with pytest.raises(WrongPuk):
        card.verify_puk(Secret("00000000"))
    card.unblock(Secret(PUK), Secret("62951"))
    with pytest.raises(WrongPin):
        card.login(Secret(PIN))
    card.login(Secret("62951"))


def test_a_code_of_impossible_length_is_no_try(card):
    card.scan()
    with pytest.raises((PinLength, WrongPin)):
        card.login(Secret("1"))


def test_signatures_are_what_the_api_wants(logged_in):
    for kind in (KeyKind("rsa", 2048), KeyKind("ec", 256), KeyKind("ec", 384)):
        from cardclient.certificates import require_signature

        key_id = f"{kind.kind}{kind.bits}".encode()
        spki = logged_in.generate(key_id, "prova", kind)
        ref = ObjectRef(ObjectKind.PRIVATE_KEY, key_id, hashlib.sha256(spki).digest() if kind.kind == "rsa" else None)
        require_signature(spki, b"data", logged_in.sign(ref, b"data", Secret(PIN)))


def test_a_generated_key_cannot_be_read_out(logged_in, token):
    logged_in.generate(b"id", "prova", KeyKind("rsa", 2048))
    shown = token.tool("--list-objects", "--type", "privkey")
    assert "sensitive" in shown
    assert "extractable" not in shown.replace("never extractable", "")


def test_two_pairs_under_one_id_are_told_and_not_chosen_between(logged_in):
    for _ in range(2):
        logged_in.generate(b"id", "prova", KeyKind("ec", 256))
    with pytest.raises(CardError, match="objects-ambiguous"):
        logged_in.sign(ObjectRef(ObjectKind.PRIVATE_KEY, b"id"), b"data", Secret(PIN))


def test_removal_names_exactly_one_object(logged_in, authority):
    personalise(logged_in, authority)
    view = logged_in.view()
    logged_in.remove(view.certificates[0].ref)
    assert logged_in.view().certificates == view.certificates[1:]
    logged_in.remove(view.certificates[0].ref)


def test_several_tokens_are_all_seen_and_one_is_chosen(card, token, tmp_path):
    other = softhsm.make_token(tmp_path, pin=PIN, puk=PUK, label="Altra")
    views = card.scan()
    assert {view.serial for view in views} == {token.serial, other.serial}
    card.choose(other.serial)
    assert card.view().serial == other.serial
    card.login(Secret(PIN))
    with pytest.raises(AnotherCard):
        card.choose("0000")


def test_the_report_names_driver_and_abilities(card):
    report = card.report()
    assert report.can_generate
    assert "SoftHSM" in report.driver


def test_a_missing_module_is_a_missing_driver(tmp_path):
    with pytest.raises(DriverError, match="driver-missing"):
        Pkcs11Card(str(tmp_path / "none.so")).scan()


def test_a_crashed_driver_is_told_and_the_next_call_starts_anew(card):
    card.scan()
    os.kill(card._child[0].pid, signal.SIGSEGV)
    card._child[0].join(5)
    card._child[0].is_alive = lambda: True  # it dies between the look and the call
    with pytest.raises(DriverError, match="driver-failed"):
        card.report()
    assert card.scan()


def test_a_hanging_driver_is_ended_at_its_time_limit(token):
    card = Pkcs11Card(str(softhsm.module()), limits={"report": 0.2})
    card.scan()
    os.kill(card._child[0].pid, signal.SIGSTOP)
    with pytest.raises(DriverError, match="driver-timeout"):
        card.report()
    assert card.scan()
    card.close()


def test_closing_leaves_no_process(card):
    card.scan()
    pid = card._child[0].pid
    card.close()
    assert pid not in {child.pid for child in multiprocessing.active_children()}


def test_the_pin_is_in_no_command_line(logged_in):
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert PIN not in shown


def test_keys_tell_their_public_half(logged_in):
    spki = logged_in.generate(b"id", "prova", KeyKind("rsa", 2048))
    serialization.load_der_public_key(spki)
    listed = logged_in.keys()
    assert {(key.kind, key.spki) for key in listed} == {
        (ObjectKind.PRIVATE_KEY, spki),
        (ObjectKind.PUBLIC_KEY, spki),
    }
