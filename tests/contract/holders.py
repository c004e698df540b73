"""Holders at every step of a renewal, and bodies that the API must accept there: what a fuzzer cannot guess."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from django.test import Client

from notifications.models import OutboxMessage
from pki.fake import FakeAuthority
from renewals.models import RenewalCase
from runtime import sealing
from runtime.clock import FakeClock
from tests.renewals.enrolment import Enrolment
from tests.renewals.world import World

NEW_MAILBOX = "nuova@posta.example.org"
CANCELLATION = {"reason": "holder-declines", "confirm": True}

# Where a holder stands when the operation is what he should do.
STEP_OF = {
    "scan": "scan",
    "showTextsOfFlow": "scan",
    "beginLogin": "scan",
    "openSession": "scan",
    "showCase": "acceptance",
    "diagnose": "diagnosis",
    "submitContacts": "contacts",
    "confirmMailbox": "contact-confirmation",
    "showTexts": "acceptance",
    "accept": "acceptance",
    "prepareForm": "form-signature",
    "showForm": "form-signature",
    "signForm": "form-signature",
    "submitRequests": "requests",
    "showCertificates": "installation",
    "beginInstallation": "installation",
    "install": "installation",
    "reportFailure": "installation",
    "showCapabilities": "scan",
    "askForHelp": "installation",
    "cancel": "requests",
}
STEPS = tuple(dict.fromkeys([*STEP_OF.values(), "done", "closed"]))


@dataclass
class Prepared:
    """One register with a holder at each step. A `scenario()` begins there each time, and leaves no trace."""

    world: World
    ca: FakeAuthority
    clock: FakeClock
    client: Client = field(default_factory=Client)
    holders: dict[str, Enrolment] = field(default_factory=dict)
    words: dict[str, set[str]] = field(default_factory=dict)
    _scenarios: int = 0

    @classmethod
    def of(cls, world: World, ca: FakeAuthority, clock: FakeClock) -> Prepared:
        """Bring one card to each step, through the API."""
        prepared = cls(world, ca, clock)
        world.buy(10_000)
        for number, step in enumerate(STEPS, start=1):
            holder = prepared.holders[step] = _brought_to(step, Enrolment(world.card(number), prepared.client))
            prepared.words[holder.card.serial] = _words_of(holder)
        return prepared

    @contextmanager
    def scenario(self) -> Iterator[str]:
        """Yield a fresh caller's address. Database, CA, counters and clock are afterwards as they were before."""
        self._scenarios += 1
        lines = {uid: copy.copy(line) for uid, line in self.ca._lines.items()}
        instant = self.clock.instant
        with redis.Redis.from_url(settings.REDIS_URL) as counters:
            counters.flushall()
        undone = transaction.atomic()
        undone._from_testcase = True  # "not inside a transaction" is said to the product's callers, not to this frame
        try:
            with undone:
                try:
                    yield f"10.{self._scenarios >> 16 & 255}.{self._scenarios >> 8 & 255}.{self._scenarios & 255}"
                finally:
                    transaction.set_rollback(True)
        finally:
            self.ca._lines, self.ca._waiting, self.ca._orders = lines, {}, {}
            self.ca.is_pending = self.ca.is_away = self.ca.drops_answers = self.ca.refuses = False
            self.clock.instant = instant

    def holder(self, step: str, address: str) -> Enrolment:
        """A copy of the holder at that step, calling from that address."""
        self.client.defaults["REMOTE_ADDR"] = address
        return copy.copy(self.holders[step])


def _words_of(holder: Enrolment) -> set[str]:
    """What tells this person from every other in the register."""
    person = holder.card.pair.holder
    codes = {case.code for case in RenewalCase.objects.filter(holder=person)}
    return {person.tax_code, person.email, person.mobile, holder.card.serial} | codes


def _brought_to(step: str, holder: Enrolment) -> Enrolment:
    if step == "contact-confirmation":
        holder.until("contacts").contacts(email=NEW_MAILBOX)
    elif step == "closed":
        holder.until("diagnosis").call("post", "/case/cancellation", CANCELLATION)
    elif step != "scan":
        holder.until(step)
    if step == "form-signature":
        holder.call("post", "/case/form")
    return holder


def mailed_code(case_code: str) -> str:
    """The newest confirmation code of a case, which waits, sealed, for the mail server; a wrong one if there is none."""
    rows = OutboxMessage.objects.filter(case_code=case_code, kind="contact-confirmation", sealed_context__isnull=False)
    newest = max(rows, key=lambda row: int(row.key.rpartition(":")[2]), default=None)
    if newest is None:
        return "000000"
    secrets: dict[str, str] = json.loads(sealing.unseal(bytes(newest.sealed_context), context=newest.seal_context))
    return secrets["confirmation_code"]


@contextmanager
def connection_kept() -> Iterator[None]:
    """Django drops a connection with an open transaction around each request; ours holds the scenario."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def require_deferred_constraints() -> None:
    """Ask the database now what it would ask at the commit that a scenario never makes."""
    connection.check_constraints()


class _Dictated(Exception):
    """The body that was about to be sent."""


class _Dictating(Enrolment):
    """A holder who does everything up to one call, and hands out its body instead of sending it."""

    wanted = ("", "")

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send what leads to the wanted call."""
        if (method, path) == self.wanted:
            raise _Dictated(body)
        return super().call(method, path, body, **headers)


# By operation id: the call, and what a holder does to come to it.
_DICTATIONS: dict[str, tuple[str, str, Callable[[Enrolment], Any]]] = {
    "scan": ("post", "/scan", Enrolment.scan),
    "beginLogin": ("post", "/challenges", Enrolment.challenge),
    "openSession": ("post", "/sessions", Enrolment.login),
    "diagnose": ("post", "/case/diagnosis", Enrolment.diagnose),
    "submitContacts": ("put", "/case/contacts", Enrolment.contacts),
    "accept": ("put", "/case/acceptance", Enrolment.accept),
    "signForm": ("post", "/case/form-signature", Enrolment.sign_form),
    "submitRequests": ("put", "/case/requests", lambda holder: holder.request(holder.card.new_keys or None)),
    "install": ("post", "/case/installation", Enrolment.install),
}
_FIXED: dict[str, Any] = {
    "askForHelp": {"request_id": "7b3f2c1e-5a84-4d0f-9b6e-2f1c8a7d4e90", "code": "card-removed", "log": "09:00 step"},
    "reportFailure": {"step": "installation", "code": "card-removed", "detail": "test"},
    "cancel": CANCELLATION,
}


def body_in_earnest(operation: str, holder: Enrolment) -> Any:
    """What this holder's own client would send to that operation now; None where nothing is, or nothing can be."""
    if operation == "confirmMailbox":
        return {"code": mailed_code(holder.case.get("code", ""))}
    if operation not in _DICTATIONS:
        return copy.deepcopy(_FIXED.get(operation))
    method, path, act = _DICTATIONS[operation]
    dictating = copy.copy(holder)
    dictating.__class__ = _Dictating
    dictating.wanted = (method, path)
    try:
        act(dictating)
    except _Dictated as dictated:
        return dictated.args[0]
    except KeyError:  # what had to be asked for first was refused: out of step
        return None
    return None
