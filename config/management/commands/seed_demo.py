"""`manage.py seed_demo`: the population of `make run`, once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from cms.models import Certificate
from config.demo import extension, past, population
from config.demo.cards import SERIALS, SLOTS
from runtime import clock

CA_AGE = timedelta(days=10 * 365)  # so that the certificates of old cards lie within the CA's life


class Command(BaseCommand):
    """Found the CA, settle invented people, and write the certificates of the simulated cards beside their requests."""

    help = "Demo only: found the CA, settle invented holders. Repeating it changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder of the simulated cards."""
        parser.add_argument("--cards", type=Path, required=True)
        parser.add_argument(
            "--extension", metavar="SERIAL", help="the TS-CNS that the campaign extends, and that alone"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed; then nothing is missing that a renewal needs."""
        del args
        at, cards = clock.now(), options["cards"]
        if options["extension"]:
            _seed_extension(options["extension"], cards, at)
            return
        call_command("ceremony", valid_from=at - CA_AGE, verbosity=0)
        csrs = {(serial, slot): (cards / f"{serial}.{slot}.csr").read_bytes() for serial in SERIALS for slot in SLOTS}
        agreements = population.settle(serials=SERIALS, csrs=csrs, at=at)
        past.relive(agreements, at=at)
        _write_certificates(cards, *SERIALS)


def _seed_extension(serial: str, cards: Path, at: datetime) -> None:
    csr = (cards / f"{serial}.{SLOTS[0]}.csr").read_bytes()
    extension.settle(serial=serial, csr=csr, at=at)
    _write_certificates(cards, serial)


def _write_certificates(cards: Path, *serials: str) -> None:
    for certificate in Certificate.objects.filter(pair__card__serial__in=serials, pair__predecessor=None):
        name = f"{certificate.pair.card}.{certificate.type}.crt"
        (cards / name).write_bytes(bytes(certificate.body.der))
