"""The product as `make run` starts and keeps it, for a test: the same supervisor, the same commands, ports of its own.

Two things differ. Its database and broker are the run's, so that a test can ask the register what happened; and where
the demo hands simulated cards to its people, these hold cards on the test module.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path

import pytest

from cardclient.contract import Slot
from cardclient.personalise import first_certificate, first_request
from cardclient.secret import Secret
from cms.models import Certificate
from config.demo import extension, population, totp
from config.demo.run import EXTENSION_SEEDED, SEEDED, Demo, open_demo
from config.demo.staff import STAFF
from config.demo.visitor import Visitor
from runtime import clock
from runtime.embedded.mailsink import kept_messages
from runtime.embedded.supervisor import SIGNALS, Supervisor
from tests.authority.founding import found
from tests.cardclient import shimmed
from tests.cardclient.conftest import PIN, PUK
from tests.cardclient.faults.media import environment
from tests.cardclient.shimmed import ShimmedCard
from tests.plugin import services

TS_CNS = (Slot.AUTHENTICATION,)


@dataclass(frozen=True)
class Demonstration:
    """A running product: who holds which card, who looks into the panel, what was mailed."""

    demo: Demo
    marina: ShimmedCard
    davide: ShimmedCard
    nina: ShimmedCard

    @property
    def address(self) -> str:
        """Where holders' programs and browsers reach it."""
        return self.demo.base_url

    def mails_to(self, address: str) -> list[EmailMessage]:
        """What the mail server accepted for somebody."""
        return [mail for mail in kept_messages(self.demo.installation.mails) if address in str(mail["to"])]

    @cached_property
    def operator(self) -> Visitor:
        """The demo's operator with a browser, logged in with both factors; a one-time code works only once."""
        secret, who = self.demo.installation.secret, STAFF[0]
        visitor = Visitor(f"{self.address}/")
        visitor.submit(login=who.email, password=secret(who.password))
        visitor.submit(code=totp.code_at(secret(who.totp), datetime.now(UTC)))
        visitor.submit(service=visitor.first_value("service"), next="/pannello/rinnovi/")
        return visitor


@contextmanager
def running_demo(shim: Path, folder: Path) -> Iterator[Demonstration]:
    """Seed the run's empty database, start everything as `make run` does, and stop it in the end."""
    home = Path(tempfile.mkdtemp(prefix="sigillo-window-"))
    home.chmod(0o711)
    try:
        with _environment(), _signals_given_back(), Supervisor(say=lambda _line: None) as supervisor:
            demo = open_demo(home / "data", supervisor, lambda _line: None)
            _be_seeded_by_the_test(demo)
            people = _hand_out(shim, folder)
            demo.bring_up()
            yield Demonstration(demo, *people)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _environment() -> Iterator[None]:
    """As a person's who has named a database and a broker of his own, with a login that may prepare the database."""
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("SIGILLO_DB_USER", services.superuser.user)
        for name in ("SIGILLO_SMTP_HOST", "SIGILLO_SMTP_PORT"):
            variables.delenv(name)
        yield


@contextmanager
def _signals_given_back() -> Iterator[None]:
    """The supervisor listens to Ctrl-C; afterwards the test run does again."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _be_seeded_by_the_test(demo: Demo) -> None:
    """Say that people and cards are there, and seal with this process's key, which founds the CA."""
    for mark in (SEEDED, EXTENSION_SEEDED):
        (demo.installation.cards / mark).touch()
    (demo.installation.keys / "sealing-keys").write_text(os.environ["SIGILLO_SEALING_KEYS"])


def _hand_out(shim: Path, folder: Path) -> list[ShimmedCard]:
    """Settle the demo's people, the first three with cards on the test module."""
    now = clock.now()
    found(at=now)
    marina, davide, nina = cards = [_card(shim, folder / name) for name in ("marina", "davide", "nina")]
    asked = {
        (card.serial, slot.value): csr
        for card, slots in ((marina, tuple(Slot)), (davide, tuple(Slot)), (nina, TS_CNS))
        for slot, csr in _requests(card, slots)
    }
    population.settle(serials=(marina.serial, davide.serial), csrs=asked, at=now)
    extension.settle(serial=nina.serial, csr=asked[nina.serial, Slot.AUTHENTICATION.value], at=now)
    for card in cards:
        _install(card)
    return cards


def _card(shim: Path, folder: Path) -> ShimmedCard:
    folder.mkdir()
    return shimmed.make(folder, shim, pin=PIN, puk=PUK)


def _requests(card: ShimmedCard, slots: tuple[Slot, ...]) -> list[tuple[Slot, bytes]]:
    """Make the first pairs on the card."""
    with environment(card.environment), closing(card.card()) as opened:
        opened.scan()
        opened.login(Secret(PIN))
        return [(slot, first_request(opened, slot, Secret(PIN))) for slot in slots]


def _install(card: ShimmedCard) -> None:
    """Bring the certificates that the CA issued onto the card."""
    with environment(card.environment), closing(card.card()) as opened:
        opened.scan()
        opened.login(Secret(PIN))
        for half in Certificate.objects.filter(pair__card__serial=card.serial).select_related("body"):
            first_certificate(opened, Slot(half.type), bytes(half.body.der))
