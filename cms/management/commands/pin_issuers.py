"""`manage.py pin_issuers`: the register accepts certificates of the configured CA from now on."""

from typing import Any

from django.core.management.base import BaseCommand

from cms import ca
from cms.services import registration


class Command(BaseCommand):
    """Runs after the ceremony, and again when the CA has a new issuing certificate; repeating changes nothing."""

    help = "Pin the issuing certificates of the configured CA."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Pin each and say which."""
        for certificate in ca.card_issuers():
            self.stdout.write(str(registration.pin_issuer(certificate)))
