"""`manage.py demo_report`: what the register holds, as one JSON object."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from cms import ca
from cms.models import Certificate
from renewals.models import RenewalCase


class Command(BaseCommand):
    """Print cases by state, and for each card of the demo the newest case with its new certificates."""

    help = "Demo only: print the cases and certificates of the register as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        """Read and print."""
        del args, options
        cases = RenewalCase.objects.select_related("card").order_by("id")
        report = {
            "states": Counter(case.get_state_display() for case in cases),
            "cases": {case.card.serial: _case(case) for case in cases},
            "trust_anchors": [_text(der) for der in ca.gateway().trust_anchors()],
            "issuers": [_text(der) for der in ca.gateway().issuers()],
        }
        self.stdout.write(json.dumps(report))


def _case(case: RenewalCase) -> dict[str, Any]:
    new = Certificate.objects.filter(pair=case.new_pair_id).select_related("body") if case.new_pair_id else []
    return {
        "code": case.code,
        "state": case.state,
        "authorisation": case.authorisation,
        "certificates": {certificate.type: _text(bytes(certificate.body.der)) for certificate in new},
    }


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode()
