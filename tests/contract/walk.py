"""One holder on any way through a renewal: what the next rule does is chosen by Hypothesis."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from schemathesis import GenerationMode

from cms.services import requests
from renewals import invariants
from tests.contract.conformity import OPERATIONS, Sender, door
from tests.contract.holders import STEPS, Prepared

# What the holder's client calls for a step, in this order.
CALLS = {
    "diagnosis": ["diagnose"],
    "contacts": ["submitContacts"],
    "contact-confirmation": ["confirmMailbox"],
    "acceptance": ["showTexts", "accept"],
    "form-signature": ["prepareForm", "showForm", "signForm"],
    "requests": ["submitRequests"],
    "certificates": ["showCertificates"],
    "installation": ["showCertificates", "beginInstallation", "install"],
    "done": ["showCase"],
    "closed": ["showCase"],
}
# Why a holder who does everything right may still be stopped: his session or code is too old, or what came before on
# this walk has ended his case, used up his tries or met a CA that says no.
STOPS = {
    "session-invalid",
    "case-ended",
    "issuance-refused",
    "confirmation-expired",
    "confirmation-invalid",
    "pair-closed",
    "certificate-renewed",
}
WEATHER = ("is_pending", "is_away", "drops_answers", "refuses")


class Journey:
    """A holder with his card; every answer he gets is held against the contract."""

    def __init__(self, prepared, senders, step):
        self.prepared, self.senders = prepared, senders
        self.holder = prepared.holder(step, door.address)

    @property
    def next_step(self):
        """What the server said last."""
        return self.holder.case["next_step"]

    def send(self, name):
        """Send what this holder's client would send; None where it would not come to that call."""
        case = self.senders[name].earnest(self.holder)
        return None if case is None else self.senders[name].send(case, self.holder)

    def send_body(self, name, body):
        """Send a body."""
        sender = self.senders[name]
        return sender.send(sender.operation.Case(body=body, media_type="application/json"), self.holder)

    def log_in(self):
        """Begin, or begin again with the same card."""
        answer = self.send("openSession")
        if answer is not None and answer.status_code == 201:
            self.holder.token = answer.json()["token"]
            self.holder.case = answer.json()["case"]

    def go_on(self):
        """Do what the server says: that works, or there is a good reason."""
        if not self.holder.token:
            return
        for name in CALLS[self.next_step]:
            answer = self.send(name)
            if answer.status_code >= 400:
                assert answer.json()["code"] in STOPS, (name, answer.json())
                break
        self.look()

    def change_mailbox(self, number):
        """Ask for another mailbox than before: a code must come first."""
        if self.holder.token:
            known = self.holder.case["holder"]
            changed = {"email": f"altra{number}@posta.example.org", "mobile": known["mobile"], "address": {}}
            self.send_body("submitContacts", changed)
            self.look()

    def look(self):
        """Ask where the case stands; the session may have ended meanwhile."""
        if self.holder.token:
            answer = self.senders["showCase"].send(OPERATIONS["showCase"].Case(), self.holder)
            if answer.status_code == 200:
                self.holder.case = answer.json()
            else:
                self.holder.token = ""


# Little happens after a cancellation: it has a rule of its own.
any_operation = st.sampled_from(sorted(OPERATIONS.keys() - {"cancel"}))
generated = st.one_of(
    [operation.as_strategy(generation_mode=mode) for operation in OPERATIONS.values() for mode in GenerationMode]
)


class Walk(RuleBasedStateMachine):
    """Begins at the prepared register and leaves no trace in it."""

    prepared: ClassVar[Prepared]
    senders: ClassVar[dict[str, Sender]]

    def __init__(self):
        super().__init__()
        self.scenario = self.prepared.scenario()
        door.address = self.scenario.__enter__()

    @initialize(step=st.sampled_from([step for step in STEPS if step not in {"done", "closed"}]))
    def begin(self, step):
        self.journey = Journey(self.prepared, self.senders, step)

    @rule()
    def log_in(self):
        self.journey.log_in()

    @rule(times=st.integers(1, 8))
    def go_on(self, times):
        for _ in range(times):
            self.journey.go_on()

    @rule(number=st.integers(1, 9))
    def change_mailbox(self, number):
        self.journey.change_mailbox(number)

    @rule(wish=st.integers(0, 9))
    def give_up(self, wish):
        """Stop the renewal; mostly think better of it."""
        if wish == 9:
            self.journey.send("cancel")
            self.journey.look()

    @rule(name=any_operation)
    def do_anything(self, name):
        """Do something right at the wrong time, or twice."""
        self.journey.send(name)
        self.journey.look()

    @rule(case=generated)
    def say_nonsense(self, case):
        """Send what nobody's client sends."""
        self.senders[case.operation.definition.raw["operationId"]].send(case, self.journey.holder)
        self.journey.look()

    @rule(name=any_operation, step=st.sampled_from(STEPS))
    def borrow(self, name, step):
        """Send what another holder's client would send, with this one's token."""
        case = self.senders[name].earnest(self.prepared.holder(step, door.address))
        if case is not None:
            self.senders[name].send(case, self.journey.holder)
            self.journey.look()

    @rule(kind=st.sampled_from(WEATHER), is_so=st.booleans())
    def change_the_weather(self, kind, is_so):
        """The CA is slow, away, mute or stern, or fair again."""
        setattr(self.prepared.ca, kind, is_so)

    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes):
        self.let_pass(minutes)

    def let_pass(self, minutes):
        """Let time pass, and the worker do what is due."""
        self.prepared.clock.instant += timedelta(minutes=minutes)
        requests.carry_out_due(at=self.prepared.clock.instant)

    def teardown(self):
        """In fair weather everything settles, and register, CA, stock and outbox agree."""
        try:
            for kind in WEATHER:
                setattr(self.prepared.ca, kind, False)
            for _ in range(3):
                self.let_pass(60)
            found = [str(breach) for breach in invariants.breaches(now=self.prepared.clock.instant)]
            assert not found, found
        finally:
            self.scenario.__exit__(None, None, None)
