"""What a call costs the database: as many statements in a full register as in an empty one, each on an index."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

from django.db import connection

from cms.models import Holder
from tests.renewals.crowd import BIG, fill
from tests.renewals.enrolment import Enrolment

ROWS = 5000
# More than any call needs today; a query in a loop passes it soon.
MOST_STATEMENTS = 45


class Watch:
    """Counts the statements of each call; told so, asks PostgreSQL how it is about to carry each out."""

    def __init__(self, *, explains=False):
        self.explains = explains
        self.call = ""
        self.counts: dict[str, list[int]] = defaultdict(list)
        self.scans: Counter = Counter()

    def __call__(self, execute, statement, params, many, context):
        self.counts[self.call][-1] += 1
        if self.explains and not many and statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")):
            with context["cursor"].connection.cursor() as own:
                own.execute(f"EXPLAIN (FORMAT JSON) {statement}", params)
                plan = own.fetchone()[0]
            for table in scanned((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]):
                if table in BIG:
                    self.scans[table, self.call, statement] += 1
        return execute(statement, params, many, context)


def scanned(plan):
    """Tables that a plan reads from end to end."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", []):
        yield from scanned(part)


class Watched(Enrolment):
    """A holder under whose calls somebody counts."""

    watch: Watch

    def call(self, method, path, body=None, **headers):
        self.watch.call = f"{method} {path}"
        self.watch.counts[self.watch.call].append(0)
        with connection.execute_wrapper(self.watch):
            return super().call(method, path, body, **headers)


def whole_renewal(card, **how):
    """Every operation once and more, refusals included; returns what was counted."""
    one = Watched(card)
    one.watch = Watch(**how)
    one.scan()
    one.login()
    one.until("contacts").contacts(email=f"nuova-{card.serial}@posta.example.org")
    one.call("post", "/case/contact-confirmation", {"code": "000000"})
    one.contacts(email=f"titolare{int(card.serial[-9:])}@posta.example.org")
    one.until("form-signature")
    one.call("post", "/case/form")
    one.call("get", "/case/form.pdf")
    one.until("installation")
    one.request(card.new_keys)
    one.certificates()
    one.call("post", "/case/failures", {"step": "installation", "code": "x"})
    one.until("done")
    one.call("get", "/case")
    one.call("post", "/case/cancellation", {"reason": "holder-declines", "confirm": True})
    one.scan()
    one.challenge()
    return one.watch


def test_a_full_register_costs_no_more_statements_and_no_scan(world, superuser):
    whole_renewal(world.card(1))  # fills what is kept for the life of a process
    few = whole_renewal(world.card(2))
    fill(superuser, ROWS)
    many = whole_renewal(world.card(3), explains=True)

    assert len(many.counts) == 18
    assert many.counts == few.counts
    assert max(max(counts) for counts in many.counts.values()) <= MOST_STATEMENTS
    assert not many.scans, [" | ".join(scan) for scan in many.scans]
    # The watch is awake: what has no index is seen.
    with connection.execute_wrapper(many):
        Holder.objects.filter(surname="Nessuno").first()
    assert {table for table, _, _ in many.scans} == {"cms_holder"}
