"""An order whose recipient is being identified at a provider that the test holds in its hands."""

from __future__ import annotations

from datetime import timedelta

from smime.models import IdentificationAttempt, Order
from smime.services import attempts, checks, deliveries, identification
from tests.smime.mailed import NOW, check_of, mails, order_of, token_in
from tests.smime.provider import told

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
INVITED, FAILED, ALTERNATIVE = "smime-identification", "smime-identification-failed", "smime-alternative"


def invited(validation: str = "sv") -> Order:
    """An order whose mailbox is confirmed and consent given; the session is open, the mail is out."""
    order = order_of(validation)
    for kind in ("mailbox", "consent"):
        checks.pass_check(check_of(order, kind), at=NOW, method="prova")
    checks.begin(check_of(order, "identity"), at=NOW)
    work(NOW)
    return order


def work(at) -> None:
    """What the tasks do: messages first, then what is due at the provider, until nothing is."""
    for _ in range(5):
        if not deliveries.apply_due(at=at) + attempts.carry_out_due(at=at):
            break


def attempt_of(order) -> IdentificationAttempt:
    return order.attempts_made.order_by("-number").first()


def start(order, at=NOW + HOUR, kind=INVITED) -> str:
    return identification.start(token_in(mails(order, kind)[-1]), address="192.0.2.7", now=at)


def ends(order, provider, overall, at, *tags, says="APPROVED") -> None:
    """The person has finished, the provider tells, the tasks work."""
    provider.becomes(attempt_of(order).scan_ref, overall, *tags)
    told(attempt_of(order).scan_ref, at, says=says)
    work(at)
