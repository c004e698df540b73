"""An independent verifier agrees: OpenSSL's own tools on certificates, CRLs and OCSP."""

from __future__ import annotations

import itertools
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from authority.services import publication
from pki.gateway import RevocationReason, Validity
from pki.smime_profiles import term
from runtime import clock
from tests.authority import asking, lists
from tests.authority.asking import AT, ROLES, later
from tests.pki.mail import MAIL_PROFILES


class OpenSSL:
    """A relying party's folder: anchors, chain, CRLs."""

    def __init__(self, folder: Path, gateway, answer, role: str) -> None:
        self.folder, self.role = folder, role
        self._write("root.pem", x509.load_der_x509_certificate(gateway.trust_anchors()[0]))
        self._write("issuer.pem", x509.load_der_x509_certificate(answer.chain[0]))
        self._write("leaf.pem", x509.load_der_x509_certificate(answer.certificate))

    def _write(self, name: str, thing) -> None:
        (self.folder / name).write_bytes(thing.public_bytes(Encoding.PEM))

    def verify(self, *, year: int | None, at) -> subprocess.CompletedProcess:
        publication.publish_due(at)
        self._write("crl.pem", lists.crl(self.role, year))
        return self._run(
            "verify", "-x509_strict", "-crl_check", "-attime", str(int(at.timestamp())), "-CAfile", "root.pem",
            "-untrusted", "issuer.pem", "-CRLfile", "crl.pem", "leaf.pem",
        )  # fmt: skip

    def ocsp(self, url: str, *options: str) -> subprocess.CompletedProcess:
        return self._run(
            "ocsp", *options, "-issuer", "issuer.pem", "-cert", "leaf.pem", "-url", url, "-CAfile", "root.pem",
            "-verify_other", "issuer.pem",
        )  # fmt: skip

    def _run(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)


@pytest.fixture(params=ROLES)
def relying_party(request, tmp_path, gateway):
    answer = gateway.issue(asking.request(request.param), at=AT)
    return OpenSSL(tmp_path, gateway, answer, ROLES[request.param]), gateway, answer.ref


@pytest.mark.parametrize("year", [None, 2026], ids=["complete", "shard"])
def test_verify_accepts_refuses_on_hold_and_accepts_after_the_release(relying_party, year):
    party, gateway, ref = relying_party

    before = party.verify(year=year, at=later(seconds=1))
    gateway.hold(ref, request_id=uuid4(), at=later(seconds=2))
    held = party.verify(year=year, at=later(seconds=3))
    gateway.release(ref, request_id=uuid4(), at=later(seconds=4))
    released = party.verify(year=year, at=later(seconds=5))
    gateway.revoke(ref, reason=RevocationReason.PRIVILEGE_WITHDRAWN, request_id=uuid4(), at=later(seconds=6))
    revoked = party.verify(year=year, at=later(seconds=7))

    assert before.returncode == 0, before.stderr
    assert held.returncode != 0
    assert "error 23" in held.stderr
    assert released.returncode == 0, released.stderr
    assert revoked.returncode != 0


@pytest.fixture
def responder(committed_gateway) -> Iterator[str]:
    """The CA's addresses on a real port, answered from committed rows by another thread."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            """Say nothing."""

    def closing(environ, start_response):
        try:
            return application(environ, start_response)
        finally:
            connections.close_all()

    application = WSGIHandler()
    with make_server("127.0.0.1", 0, closing, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/pki/ocsp/"
        server.shutdown()
        thread.join()


@pytest.mark.urls("tests.authority.addresses")
@pytest.mark.parametrize("options", [["-no_nonce"], ["-nonce"], ["-sha256"]], ids=str)
@pytest.mark.parametrize("profile", ROLES)
def test_ocsp_over_http_says_good_on_hold_good_and_revoked(
    committed_gateway, responder, tmp_path, settings, profile, options
):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    gateway, at = committed_gateway, clock.now()  # OpenSSL compares with the machine's time here, whatever it is told
    validity = Validity(at.replace(microsecond=0), at.replace(microsecond=0) + timedelta(days=800))
    answer = gateway.issue(asking.request(profile, validity=validity), at=at)
    party = OpenSSL(tmp_path, gateway, answer, ROLES[profile])

    def ask():
        return party.ocsp(responder + ROLES[profile], *options)

    before = ask()
    gateway.hold(answer.ref, request_id=uuid4(), at=at)
    held = ask()
    gateway.release(answer.ref, request_id=uuid4(), at=at)
    released = ask()
    gateway.revoke(answer.ref, reason=RevocationReason.CESSATION_OF_OPERATION, request_id=uuid4(), at=at)
    revoked = ask()

    for said, status in ((before, "good"), (held, "revoked"), (released, "good"), (revoked, "revoked")):
        assert f"leaf.pem: {status}" in said.stdout, said.stdout + said.stderr
        assert "Response verify OK" in said.stderr
        assert "Nonce Verify error" not in said.stderr
    assert "Reason: certificateHold" in held.stdout
    assert "Reason: cessationOfOperation" in revoked.stdout


def test_the_whole_chain_verifies_with_every_crl(tmp_path, gateway, issued):
    party = OpenSSL(tmp_path, gateway, issued, "cns")
    party.verify(year=2026, at=AT)
    root_crl = lists.crl("root")
    with (tmp_path / "crl.pem").open("ab") as crls:
        crls.write(root_crl.public_bytes(Encoding.PEM))

    verdict = party._run(
        "verify", "-x509_strict", "-crl_check_all", "-attime", str(int(AT.timestamp())), "-CAfile", "root.pem",
        "-untrusted", "issuer.pem", "-CRLfile", "crl.pem", "leaf.pem",
    )  # fmt: skip

    assert verdict.returncode == 0, verdict.stderr


# OpenSSL's purpose of encryption knows keyEncipherment alone, which no EC key has (RFC 5480 §3).
PURPOSES = {"smimesign": 0, "sslserver": 2, "sslclient": 2}
OF_KEY = {"rsa-2048": {"smimeencrypt": 0, **PURPOSES}, "p-256": PURPOSES}
MAIL = dict(zip(MAIL_PROFILES, itertools.cycle(("rsa-2048", "p-256", "p-256", "rsa-2048")), strict=False))
"""Each of the eight profiles with a key; each type and each generation has both kinds."""


@pytest.mark.parametrize(("profile", "kind"), MAIL.items(), ids=str)
def test_a_mail_is_signed_and_verified_and_encrypted_and_read(gateway, tmp_path, profile, kind):
    answer = gateway.issue(asking.request(profile, private_key=asking.key(kind)), at=AT)
    party = OpenSSL(tmp_path, gateway, answer, "smime")
    plain = asking.key(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(plain)
    (tmp_path / "mail.txt").write_text("Buongiorno.\n")
    at = ("-attime", str(int(later(days=1).timestamp())))

    party._run("cms", "-sign", "-in", "mail.txt", "-signer", "leaf.pem", "-inkey", "key.pem", "-certfile", "issuer.pem", "-out", "signed.eml")  # fmt: skip
    verified = party._run("cms", "-verify", "-in", "signed.eml", "-CAfile", "root.pem", "-purpose", "smimesign", *at)
    party._run("cms", "-encrypt", "-aes256", "-in", "mail.txt", "-out", "sealed.eml", "leaf.pem")
    read = party._run("cms", "-decrypt", "-in", "sealed.eml", "-recip", "leaf.pem", "-inkey", "key.pem")

    assert "CMS Verification successful" in verified.stderr, verified.stderr
    assert verified.stdout.strip() == read.stdout.strip() == "Buongiorno."
    for purpose, code in OF_KEY[kind].items():
        verdict = party._run("verify", "-x509_strict", "-purpose", purpose, "-CAfile", "root.pem", "-untrusted", "issuer.pem", *at, "leaf.pem")  # fmt: skip
        assert verdict.returncode == code, (purpose, verdict.stderr)


@pytest.mark.urls("tests.authority.addresses")
@pytest.mark.parametrize(("profile", "kind"), MAIL.items(), ids=str)
def test_a_certificate_for_mail_is_good_until_it_is_revoked_by_ocsp_and_by_both_lists(
    committed_gateway, responder, tmp_path, settings, profile, kind
):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    gateway, at = committed_gateway, clock.now()
    asked = asking.request(profile, private_key=asking.key(kind), validity=term(at, 730))
    answer = gateway.issue(asked, at=at)
    party = OpenSSL(tmp_path, gateway, answer, "smime")

    def heard(seconds: int):
        instant = at + timedelta(seconds=seconds)
        lists_say = [party.verify(year=year, at=instant) for year in (None, asked.validity.not_before.year)]
        return party.ocsp(responder + "smime", "-nonce"), lists_say

    ocsp, lists_say = heard(1)
    assert "leaf.pem: good" in ocsp.stdout, ocsp.stdout + ocsp.stderr
    assert "Response verify OK" in ocsp.stderr
    assert [(verdict.returncode, verdict.stderr) for verdict in lists_say] == [(0, "")] * 2

    gateway.revoke(answer.ref, reason=RevocationReason.AFFILIATION_CHANGED, request_id=uuid4(), at=at)
    ocsp, lists_say = heard(2)
    assert "leaf.pem: revoked" in ocsp.stdout, ocsp.stdout + ocsp.stderr
    assert "Reason: affiliationChanged" in ocsp.stdout
    assert "Response verify OK" in ocsp.stderr
    for verdict in lists_say:
        assert verdict.returncode != 0
        assert "error 23" in verdict.stderr, verdict.stderr
