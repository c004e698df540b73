"""`make smoke`: the demo in a folder of its own, its outcome looked at from outside, and everything away again."""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from config.demo import totp
from config.demo.activation import activate
from config.demo.cards import SLOTS
from config.demo.run import Demo, open_demo
from config.demo.staff import STAFF
from config.demo.visitor import Visitor
from runtime.embedded.mailsink import kept_messages
from runtime.embedded.processes import command_of, working_in
from runtime.embedded.supervisor import Supervisor

PATIENCE_SECONDS = 60.0
MAILS_WANTED = 2  # the signed form, and the word that the renewal is done
OCSP = AuthorityInformationAccessOID.OCSP
Say = Callable[[str], None]


def smoke(say: Say) -> int:
    """Run everything once; return 0 when each check passes, else 1."""
    home = Path(tempfile.mkdtemp(prefix="sigillo-smoke-"))
    home.chmod(0o711)
    children: list[int] = []
    try:
        with Supervisor(say=say) as supervisor:
            demo = open_demo(home / "data", supervisor, say)
            demo.bring_up()
            children = [service.child.process.pid for service in supervisor.services if service.child]
            outcomes = [(claim, _problem(check)) for claim, check in _checks(demo)]
        outcomes.append(("Tutto fermo, nessun processo rimasto", _left_over(home, children)))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for claim, problem in outcomes:
        say(f"{'NO' if problem else 'OK'}  {claim}{f': {problem}' if problem else ''}")
    return 1 if any(problem for _, problem in outcomes) else 0


def _checks(demo: Demo) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield each claim with the check that returns what contradicts it (an empty text: nothing)."""
    card = demo.card(0)
    yield "Il client rinnova la carta simulata", partial(_renewal, demo)
    report = demo.report()
    case = report["cases"].get(card.serial, {})
    yield "La pratica è Completato", lambda: "" if case.get("state") == "completed" else str(case.get("state"))
    yield "Le mail sono arrivate al titolare", partial(_mails, demo)
    yield "Il client estende la TS-CNS simulata", partial(_extension, demo)
    for slot in SLOTS:
        der = base64.b64decode(case.get("certificates", {}).get(slot, ""))
        yield f"Nuovo certificato {slot}: CRL e OCSP dicono valido", partial(_status, demo, report["issuers"], der)
    yield (
        "Il cliente attiva un certificato S/MIME e ne apre il file",
        partial(activate, demo),
    )
    yield "Worker e orologio danno segni di vita", partial(_ready, demo)
    yield "L'operatore entra con il secondo fattore e vede la pratica", partial(_panel, demo, case.get("code", "?"))


def _problem(check: Callable[[], str]) -> str:
    """Carry out one check; an answer that does not come or cannot be read contradicts the claim too."""
    try:
        return check()
    except (OSError, ValueError, StopIteration) as error:
        return f"{type(error).__name__}: {error}"


def _renewal(demo: Demo) -> str:
    result = demo.renew(demo.card(0))
    return "" if result["exit"] == 0 else json.dumps(result, ensure_ascii=False)


def _extension(demo: Demo) -> str:
    result = demo.renew(demo.ts_cns)
    return "" if result["exit"] == 0 else json.dumps(result, ensure_ascii=False)


def _mails(demo: Demo) -> str:
    def arrived() -> list[EmailMessage]:
        return [mail for mail in kept_messages(demo.installation.mails) if "conti@" in str(mail["to"]).lower()]

    if not demo.supervisor.wait_for(lambda: len(arrived()) >= MAILS_WANTED, timeout=PATIENCE_SECONDS):
        return f"{len(arrived())} di {MAILS_WANTED}"
    attached = [part for mail in arrived() for part in mail.iter_attachments()]
    return "" if any(part.get_content_type() == "application/pdf" for part in attached) else "manca il modulo firmato"


def _ready(demo: Demo) -> str:
    answer: dict[str, Any] = {}

    def is_ready() -> bool:
        answer.update(json.loads(_get(f"{demo.base_url}/readyz")))
        return bool(answer["status"] == "ready")

    return "" if demo.supervisor.wait_for(is_ready, timeout=PATIENCE_SECONDS) else json.dumps(answer)


def _panel(demo: Demo, code: str) -> str:
    """Log in as the demo operator with password and one-time code, choose the first service, look for the case."""
    secret, operator = demo.installation.secret, STAFF[0]
    visitor = Visitor(f"{demo.base_url}/")
    visitor.submit(login=operator.email, password=secret(operator.password))
    visitor.submit(code=totp.code_at(secret(operator.totp), datetime.now(UTC)))
    visitor.submit(service=visitor.first_value("service"), next="/pannello/rinnovi/")
    return "" if code in visitor.text else f"{code} non c'è in {visitor.address}"


def _status(demo: Demo, issuers: list[str], der: bytes) -> str:
    """Ask CRL and OCSP about a certificate as a relying party would, on this run's port."""
    certificate = x509.load_der_x509_certificate(der)
    candidates = [x509.load_der_x509_certificate(base64.b64decode(text)) for text in issuers]
    issuer = next(each for each in candidates if each.subject == certificate.issuer)
    crl = x509.load_der_x509_crl(_get(_local(demo, _crl_address(certificate))))
    if not crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type] # the CA's key is RSA or EC
        return "la firma della CRL non è valida"
    if crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
        return "è nella CRL"
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256()).build()
    body = _get(_local(demo, _ocsp_address(certificate)), asked.public_bytes(Encoding.DER), "application/ocsp-request")
    answer = ocsp.load_der_ocsp_response(body)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return f"OCSP: {answer.response_status.name}"
    is_good = answer.certificate_status is ocsp.OCSPCertStatus.GOOD
    return "" if is_good else f"OCSP: {answer.certificate_status.name}"


def _crl_address(certificate: x509.Certificate) -> str:
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    return str(next(name.value for point in points for name in point.full_name or ()))


def _ocsp_address(certificate: x509.Certificate) -> str:
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    return str(next(each.access_location.value for each in access if each.access_method == OCSP))


def _local(demo: Demo, address: str) -> str:
    """Map the address in a certificate (an invented host, for good) to this run's server."""
    return demo.base_url + "/pki/" + address.split("/pki/", 1)[1]


def _get(url: str, body: bytes | None = None, kind: str = "") -> bytes:
    request = Request(url, data=body, headers={"Content-Type": kind} if kind else {})  # noqa: S310 - our own server
    with urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
        content: bytes = answer.read()
    return content


def _left_over(home: Path, children: list[int]) -> str:
    alive = [f"{pid} {command_of(pid)}" for pid in children if command_of(pid)]
    alive += [str(pid) for pid in working_in(home / "data" / "postgresql") if pid != os.getpid()]
    return ", ".join(alive)
