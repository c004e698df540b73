"""For `make smoke`: an MV order through the customer area, up to a .p12 that its mailed password opens."""

from __future__ import annotations

import re
from email.message import EmailMessage

from cryptography.hazmat.primitives.serialization import pkcs12

from config.demo.outside import CUSTOMER, CUSTOMER_PASSWORD
from config.demo.run import Demo
from config.demo.visitor import Visitor
from runtime.embedded.mailsink import kept_messages

PATIENCE_SECONDS = 90.0
START = re.compile(r'action="(/area-clienti/attivazioni/[^/"]+/attiva/)"')
ORDER = re.compile(r"/area-clienti/pratiche/[0-9a-f-]{36}/")
LINK = re.compile(r"https?://\S+/area-clienti/link/\S+")
CODE = re.compile(r"^\s+(\d{6})\s*$", re.MULTILINE)
PASSWORD = re.compile(r"\b(?:[0-9A-Z]{5}-){4}[0-9A-Z]{5}\b")


def activate(demo: Demo) -> str:
    """Return what kept a mailbox certificate from coming; empty: it came, and its password opens it."""
    visitor = Visitor(f"{demo.base_url}/area-clienti/")
    visitor.submit(login=CUSTOMER.email, password=demo.installation.secret(CUSTOMER_PASSWORD))
    order = _submitted(visitor)
    link = LINK.search(_mail(demo, "Confermi la casella"))
    if link is None:
        return "manca la mail con il collegamento"
    Visitor(link[0]).submit(azione="conferma")
    password = PASSWORD.search(_mail(demo, "la password è qui"))
    if password is None:
        return "manca la mail con la password"
    key, certificate, _ = pkcs12.load_key_and_certificates(_downloaded(demo, visitor, order), password[0].encode())
    return "" if key is not None and certificate is not None else "il file .p12 è vuoto"


def _submitted(visitor: Visitor) -> str:
    """Fill in the wizard for the customer's own mailbox; return the address of the order."""
    tiles = visitor.text.split('<li class="card">')
    tile = next(each for each in tiles if "MV · " in each and START.search(each))
    start = START.search(tile)
    visitor.press(start[1] if start else "")
    order = ORDER.search(visitor.address)
    person = {"given_name": CUSTOMER.given_name, "surname": CUSTOMER.surname, "email": CUSTOMER.email}
    visitor.submit(who="me", **person)
    visitor.submit()
    visitor.submit(**person, phone="")
    visitor.submit(version=visitor.first_value("version"), sha256=visitor.first_value("sha256"), accept="on")
    return order[0] if order else ""


def _downloaded(demo: Demo, visitor: Visitor, order: str) -> bytes:
    """Download the file with a mailed code: the demo's customer has no second factor."""
    visitor.go_to(f"{demo.base_url}{order}scarica/")
    visitor.submit(azione="codice")
    code = CODE.search(_mail(demo, "Codice per scaricare"))
    visitor.submit(azione="scarica-con-codice", codice=code[1] if code else "")
    return visitor.content


def _mail(demo: Demo, subject: str) -> str:
    """The text of the newest mail to the customer with this subject, once it has arrived; empty where it does not."""

    def arrived() -> list[EmailMessage]:
        return [mail for mail in kept_messages(demo.installation.mails) if subject in str(mail["Subject"])]

    demo.supervisor.wait_for(lambda: bool(arrived()), timeout=PATIENCE_SECONDS)
    parts = [mail.get_body(("plain",)) for mail in arrived()]
    return str(parts[-1].get_content()) if parts and parts[-1] else ""
