"""What a story has in its hands: people and pages, the mails that arrived, a worker that does a round when asked."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from cms.actors import IMPORTER
from cms.models import Agreement, Centre, Membership, Service, User
from cms.services import stock
from cms.states import SMIME_TYPES, Flow
from config.celery import app
from config.demo.trust_scheme import Scheme
from config.schedule import SCHEDULE
from runtime.embedded.mailsink import MailSink
from smime.idp_stand_in.server import Server
from smime.models import Order
from smime.services.slots import credit_slots
from tests.panel.browser import NARROW, WIDE, opened
from tests.panel.conftest import confirmed, seated
from tests.panel.stories.person import carry_session

BUYER = "acquisti@azienda.example.org"
PASSWORD = "una-frase-lunga-per-entrare"
LINK = re.compile(r"https?://\S+")
P12_PASSWORD = re.compile(r"\b(?:[0-9A-Z]{5}-){4}[0-9A-Z]{5}\b")
ROUNDS = 8


_FAVICON = "status of 404"  # of the provider's stand-in, which has none


def apart(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call in a thread of its own, as a worker would: the browser keeps an event loop in ours."""

    def run() -> Any:
        try:
            return function(*arguments, **named)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


class Stage:
    """One product with its surroundings, as long as a story lasts."""

    def __init__(
        self, address: str, browser: Browser, mailbox: MailSink, provider: Server, scheme: Scheme, folder: Path
    ) -> None:
        self.pictures: Path | None = None
        app.loader.import_default_modules()
        self.address, self.browser, self.mailbox = address, browser, mailbox
        self.provider, self.scheme, self.folder = provider, scheme, folder
        self._pages: list[Page] = []
        self._desks: dict[int, Page] = {}
        self._read: set[str] = set()
        self.centre = Centre.objects.create(code="cdrl-storia", name="Ordine di Storia", email="cdrl@cdrl.example.org")
        types = [type_.value for type_ in SMIME_TYPES]
        self.service = Service.objects.create(code="smime-storia", name="S/MIME", flow=Flow.SMIME, types=types)
        Agreement.objects.create(centre=self.centre, service=self.service, approval="automatic")
        self.manager = self._colleague("responsabile@cdrl.example.org", "Mara Capo", "manager")
        self.officer = self._colleague("operatore@cdrl.example.org", "Olga Sportello", "operator")

    def sell(self, validation: str, *, has_account: bool = True) -> User:
        """Credit the customer one activation; `has_account`: he has set his password on an earlier purchase."""
        now = datetime.now(UTC)
        scope = {"centre_id": self.centre.pk, "service_id": self.service.pk}
        if has_account and not User.objects.filter(email=BUYER).exists():
            user = User.objects.create_user(BUYER, PASSWORD, full_name="Bice Acquisti")
            EmailAddress.objects.create(user=user, email=BUYER, verified=True, primary=True)
        type_ = f"smime-{validation}"
        stock.purchase(**scope, type_=type_, quantity=1, reference=f"s-{validation}", actor=IMPORTER, at=now)
        credit_slots(
            email=BUYER,
            full_name="Bice Acquisti",
            **scope,
            validation=validation,
            term_days=365,
            quantity=1,
            reference=f"ordine-{validation}",
            operator=self.manager,
            now=now,
        )
        return User.objects.get(email=BUYER)

    def visit(self, size: dict[str, int] = WIDE) -> Page:
        """Open a stranger's browser."""
        page = opened(self.browser, self.address, size=size)
        self._pages.append(page)
        return page

    def enter(self, user: User, service: Service | None = None) -> Page:
        """Open the browser of somebody who has just shown who he is, second element included."""
        page = self.visit()
        carry_session(page, confirmed(seated(user, service)), self.address)
        return page

    def at_desk(self, officer: User) -> Page:
        """The page of an officer at the panel, where he left it."""
        if officer.pk not in self._desks:
            self._desks[officer.pk] = self.enter(officer, self.service)
        return self._desks[officer.pk]

    def log_in(self) -> Page:
        """Open the customer's browser, and log in with his password."""
        page = self.visit()
        page.goto("/area-clienti/")
        page.get_by_label("E-mail").fill(BUYER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Continua").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
        return page

    def work(self) -> None:
        """Let the worker do a round of what the schedule pokes for these orders: their tasks, the CA's, the mails."""
        for entry in SCHEDULE.values():
            if entry["task"].startswith(("smime.", "authority.", "notifications.")):
                apart(app.tasks[entry["task"]])

    def mail(self, subject: str, *, to: str = "") -> EmailMessage:
        """Return the newest mail of this subject (a part of it) that no one has read; the worker works until it is there."""
        for _ in range(ROUNDS):
            self.work()
            found = [mail for mail in self.mailbox.messages() if self._is_new(mail, subject, to)]
            if found:
                self._read.add(found[-1]["Message-ID"])
                return found[-1]
        arrived = [f"{mail['To']}: {mail['Subject']}" for mail in self.mailbox.messages()]
        raise AssertionError(f"no mail {subject!r} to {to or 'anybody'}; there are {arrived}")

    def order(self) -> Order:
        """The newest order, as it stands now."""
        return Order.objects.latest("pk")

    def picture(self, page: Page, name: str) -> None:
        """Keep a step as it looks on a wide screen and on a telephone, where a folder for pictures is named."""
        if self.pictures is None:
            return
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            page.screenshot(path=self.pictures / f"{name}-{size['width']}-light.png", full_page=True)

    def close(self) -> None:
        """Close all pages; none may have had anything to complain of."""
        complaints = [said for page in self._pages for said in page.complaints if _FAVICON not in said]
        for page in self._pages:
            page.context.close()
        assert not complaints, complaints

    def _is_new(self, mail: EmailMessage, subject: str, to: str) -> bool:
        return subject in mail["Subject"] and to in mail["To"] and mail["Message-ID"] not in self._read

    def _colleague(self, email: str, name: str, role: str) -> User:
        user = User.objects.create_user(email, PASSWORD, full_name=name, is_staff=True)
        Membership.objects.create(user=user, centre=self.centre, role=role)
        return user


def text_of(mail: EmailMessage) -> str:
    """The plain form of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    text: str = part.get_content()
    return text


def link_in(mail: EmailMessage) -> str:
    """The first address in the mail: the one thing to do."""
    return LINK.findall(text_of(mail))[0]


def password_in(mail: EmailMessage) -> str:
    """The password of the .p12."""
    found = P12_PASSWORD.findall(text_of(mail))
    assert len(found) == 1
    return found[0]


def client_of(user: User) -> Client:
    """A test client in the customer's session, for what needs no browser."""
    return confirmed(seated(user))


def openssl(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the system's openssl; raises where it fails."""
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False, **more)
    assert done.returncode == 0, done.stderr.decode()
    return done
