"""`manage.py status_check`: compare register, CA, newest CRLs and OCSP from outside, and list every difference."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cms.models import StatusCheck, StatusDifference
from cms.services import checks
from runtime import clock

_FACTS = (
    "kind", "issuer_key_id", "serial", "address", "certificate_id", "register_status", "ca_status", "crl_status",
    "ocsp_status",
)  # fmt: skip
LONGEST_REST_SECONDS = 5.0


class Command(BaseCommand):
    """Walks a check to its end; ends with status 1 when there is a difference, and one line for each."""

    help = "Compare register, CA ledger, newest CRLs and OCSP as a relying party reads them; list every difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The form of the output."""
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Begin a check, or go on with the one under way, and tell what it has found."""
        del args
        check = checks.begin_check(now=clock.now())
        while check.finished_at is None:
            checks.carry_out(check.pk, at=clock.now(), told=None if options["json"] else self._tell)
            check.refresh_from_db()
            if check.finished_at is None:
                time.sleep(self._rest(check))
        found = list(check.differences.order_by("pk"))
        self.stdout.write(_as_json(check, found) if options["json"] else _as_lines(check, found))
        if found:
            message = f"{len(found)} differences"
            raise CommandError(message)

    def _tell(self, check: StatusCheck) -> None:
        self.stderr.write(f"{check.stage}: {check.checked} of {check.total}")

    @staticmethod
    def _rest(check: StatusCheck) -> float:
        """Wait for the lag of what was found, or for the worker that holds the check; look every few seconds."""
        due = check.claimed_until or check.next_attempt_at
        left = (due - clock.now()).total_seconds() if due else 0.0
        return min(max(left, 0.0) + 0.05, LONGEST_REST_SECONDS)


def _as_json(check: StatusCheck, found: list[StatusDifference]) -> str:
    differences = [{name: getattr(each, name) for name in _FACTS} for each in found]
    return json.dumps({"check": str(check.uid), "checked": check.checked, "differences": differences}, indent=1)


def _as_lines(check: StatusCheck, found: list[StatusDifference]) -> str:
    lines = [
        f"{each.kind} {each.serial or each.address}:"
        f" register {each.register_status or '-'}, CA {each.ca_status or '-'},"
        f" CRL {each.crl_status or '-'}, OCSP {each.ocsp_status or '-'}"
        for each in found
    ]
    return "\n".join([*lines, f"{check.checked} certificates checked, {len(found)} differences."])
