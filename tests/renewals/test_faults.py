"""Bad luck: the CA away, answers lost, processes killed between any two effects, mail and broker down.

After every fault the invariant checker runs: nothing lost, nothing twice.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from cms import ca as configured
from cms.models import CaRequest, Certificate, Event, Hold, StockMovement
from cms.services import requests
from notifications import services as outbox
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import decisions
from runtime import nudge
from tests.renewals import quick
from tests.renewals.checking import assert_invariants
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import Enrolment
from tests.renewals.test_clock import DUE, new_statuses, tick


class Liar:
    """A CA that issues for a later date than it was asked for; everything else is the CA behind it."""

    def __init__(self, honest):
        self.honest = honest

    def __getattr__(self, name):
        return getattr(self.honest, name)

    def issue(self, request, *, at):
        longer = replace(request.validity, not_after=request.validity.not_after + timedelta(days=365))
        return self.honest.issue(replace(request, validity=longer), at=at)


class Killed(BaseException):
    """The process dies here; nothing catches it."""


def later(minutes):
    """An instant after the lease."""
    return NOW + timedelta(minutes=minutes)


class TestTheCaMisbehaves:
    """Interactive issuance answers 202 and a worker takes over."""

    @pytest.fixture
    def waiting(self, card):
        """A holder about to ask for certificates."""
        return Enrolment(card).until("requests")

    def test_an_absent_ca_costs_time_only(self, waiting, ca):
        """202 with Retry-After; the holder polls, the rescan asks again with the same id."""
        ca.is_away = True
        waiting.request()
        assert (waiting.answer.status_code, waiting.answer.headers["Retry-After"]) == (202, "2")
        assert waiting.case["next_step"] == "certificates"
        assert waiting.call("get", "/case/certificates").status_code == 202

        ca.is_away = False
        requests.carry_out_due(at=later(5))

        waiting.until("done")
        assert_invariants(later(5))

    def test_a_lost_answer_issues_once(self, waiting, ca):
        """Looked up by request id, then adopted."""
        ca.drops_answers = True
        waiting.request()
        ca.drops_answers = False
        requests.carry_out_due(at=later(5))
        requests.carry_out_due(at=later(10))
        assert Certificate.objects.filter(pair__predecessor__isnull=False).count() == 2
        assert len(list(ca.ledger())) == 4
        waiting.until("done")
        assert_invariants(later(10))

    def test_a_refusing_ca_is_told_and_waited_for_by_a_person(self, waiting, ca):
        """Refused is not retried; the holder hears the guide's words."""
        ca.refuses = True
        waiting.request()
        assert waiting.refusal == "issuance-refused"
        assert waiting.answer.json()["message"] == "Errore generazione nuovo certificato"
        assert Event.objects.filter(verb="ca.request-refused").count() == 2

    def test_another_certificate_than_asked_is_withdrawn_and_never_installed(self, world, card):
        """The CA answers with another key or date: revoked at once, and a person looks."""
        waiting = Enrolment(card).until("requests")
        with configured.installed(Liar(world.ca)):
            waiting.request()
            assert waiting.refusal == "issuance-refused"
            requests.carry_out_due(at=later(1))
        assert new_statuses() == {"revoked"}
        waiting.call("post", "/case/installation-challenge")
        assert waiting.refusal == "step-not-open"

    def test_a_repeated_request_while_pending_changes_nothing(self, waiting, ca):
        """The client asks again and again."""
        ca.is_away = True
        for _ in range(3):
            waiting.request(waiting.card.generate())
        assert CaRequest.objects.filter(kind="issue").count() == 2

    def test_a_hold_survives_an_absent_ca(self, waiting, ca):
        """Suspended when the CA is back; the wish is committed meanwhile."""
        waiting.until("done")
        ca.is_away = True
        tick(DUE)
        assert new_statuses() == {"active"}
        assert Hold.objects.count() == 2
        ca.is_away = False
        requests.carry_out_due(at=DUE + timedelta(minutes=2))
        assert new_statuses() == {"held"}
        assert_invariants(DUE + timedelta(minutes=2))

    def test_an_approval_while_the_hold_is_still_unsent_ends_released(self, waiting, ca, world):
        """Requests of one certificate are carried out in the order they were stored."""
        waiting.until("done")
        ca.is_away = True
        tick(DUE)
        decisions.approve_renewal(RenewalCase.objects.get().pk, operator=world.operator, now=DUE)
        ca.is_away = False
        for minutes in range(1, 12):
            requests.carry_out_due(at=DUE + timedelta(minutes=minutes))
        assert new_statuses() == {"active"}
        assert_invariants(DUE + timedelta(minutes=12))


# Where a worker may die while it carries one request out: before and after each of its own commits.
CRASHES = ["_mark_sent", "_ask", "_settle"]


class TestAWorkerIsKilled:
    """Between any two effects of carrying a request out."""

    @pytest.mark.parametrize("place", CRASHES)
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_another_takes_over_after_the_lease(self, world, ca, monkeypatch, place, when):
        """One certificate each, whatever the first worker had already done."""
        case = quick.requested(world, 1)
        first = CaRequest.objects.filter(case_code=case.code).order_by("id").first()
        with monkeypatch.context() as dying:
            original = getattr(requests, place)

            def die(*args, **kwargs):
                if when == "after":
                    original(*args, **kwargs)
                raise Killed

            dying.setattr(requests, place, die)
            with pytest.raises(Killed):
                requests.carry_out(first.pk, at=NOW)
        connection.close()

        for minutes in (1, 2, 3):
            requests.carry_out_due(at=later(minutes))

        assert Certificate.objects.filter(pair=case.new_pair).count() == 2
        assert len([line for line in ca.ledger() if line.request_id == first.uid]) == 1
        assert_invariants(later(3))

    def test_a_zombie_writes_nothing(self, world):
        """A worker that lost its claim finds a higher fence (SIGSTOP, SIGCONT)."""
        case = quick.requested(world, 1)
        request = CaRequest.objects.filter(case_code=case.code).first()
        stale = requests.claims.claim(CaRequest, request.pk, at=NOW, lease=timedelta(seconds=60))
        requests.carry_out_due(at=later(2))
        request.refresh_from_db()
        answer = requests.ca.gateway().find_issued(request_id=request.uid)
        requests._settle(request, stale, answer, at=later(3))
        assert Certificate.objects.filter(pair=case.new_pair).count() == 2
        assert Event.objects.filter(verb="certificate.issued").count() == 2


class TestStatementsFail:
    """The Nth statement of a use case fails, before or after it ran: all or nothing, and the repeat succeeds."""

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_completion_is_all_or_nothing(self, world, when):
        """Every statement of the completing request."""
        enrolment = Enrolment(world.card()).until("installation")
        enrolment.certificates()
        self.every_statement(enrolment, enrolment.install, lambda: enrolment.case["next_step"] == "done", when)

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_the_signature_is_all_or_nothing(self, world, when):
        """Signed, reserved, mailed, told: together."""
        enrolment = Enrolment(world.card()).until("form-signature")
        self.every_statement(enrolment, enrolment.sign_form, lambda: enrolment.case["next_step"] == "requests", when)

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_the_requests_are_all_or_nothing(self, world, when):
        """Intent, effect and outcome of two issuances."""
        enrolment = Enrolment(world.card()).until("requests")
        keys = enrolment.card.generate()

        def request():
            enrolment.call("get", "/case")
            enrolment.request(keys)
            requests.carry_out_due(at=NOW + timedelta(hours=1))

        self.every_statement(enrolment, request, lambda: enrolment.case["next_step"] == "installation", when)

    def every_statement(self, enrolment, act, is_done, when):
        """Fail statement 1, then 2, ... until the use case gets through untouched."""
        for number in range(1, 200):
            fault = Fault(number, when)
            broken = (KeyError, AssertionError, Killed, ConnectionError, Boom)
            with connection.execute_wrapper(fault), contextlib.suppress(*broken):
                act()
            if not fault.fired:
                break
            assert_invariants(NOW)
        enrolment.call("get", "/case")
        if not is_done():
            act()
            enrolment.call("get", "/case")
        assert is_done()
        assert number > 10
        assert_invariants(NOW)


class Boom(Exception):
    """What a broken statement raises."""


class Fault:
    """Breaks one statement, once."""

    def __init__(self, number, when):
        self.left, self.when, self.fired = number, when, False

    def __call__(self, execute, sql, params, many, context):
        self.left -= 1
        if self.left != 0:
            return execute(sql, params, many, context)
        self.fired = True
        if self.when == "after":
            execute(sql, params, many, context)
        raise Boom


class TestBrokerAndMail:
    """Redis is disposable, SMTP may be down."""

    def test_a_dead_broker_costs_latency_only(self, world, settings, monkeypatch):
        """Nobody is nudged; the rescan and the drain find everything in PostgreSQL."""
        monkeypatch.setattr(nudge, "send", lambda *_args: False)
        Enrolment(world.card()).until("done")
        tick(DUE)
        assert new_statuses() == {"held"}
        assert_invariants(DUE)

    def test_mail_waits_for_its_server(self, world, settings):
        """Posted with the fact, sent when the server is back."""
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        Enrolment(world.card()).until("done")
        outbox.deliver_due(at=NOW)
        assert not OutboxMessage.objects.filter(state="sent").exists()
        assert_invariants(NOW)

    def test_mail_leaves_once_the_server_is_back(self, world, mailbox):
        """Each of them, once."""
        Enrolment(world.card()).until("done")
        outbox.deliver_due(at=NOW)
        outbox.deliver_due(at=NOW)
        assert len(mailbox.messages()) == 3
        assert_invariants(NOW)


def test_postgresql_loses_our_connections_and_the_next_request_works(world, superuser):
    """Backends terminated between two requests: the client repeats and goes on."""
    enrolment = Enrolment(world.card()).until("requests")
    with superuser.connect() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sigillo_app'")
    connection.close()
    enrolment.until("done")
    assert StockMovement.objects.filter(kind="debit").count() == 2
    assert_invariants(NOW)


def test_three_days_without_beat_lose_nothing(world):
    """Everything due is done at the first round after, once."""
    for number in range(5):
        quick.completed(world, number)
    late = DUE + timedelta(days=3)
    tick(late)
    tick(late)
    assert new_statuses() == {"held"}
    assert OutboxMessage.objects.filter(kind="suspended").count() == 5
    assert sweeps.suspend_unauthorised(now=late) == 0
    assert_invariants(late)
