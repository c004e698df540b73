"""Fill one database for the enrolment benchmark: found the CA, register cards, bring most to the signed form.

    python -m benchmarks.population KEY_TYPE SIGNED UNSIGNED FILE     (a process of its own)

Everything goes through the product's own use cases; only the lint of the *old* certificates is left out, as their
issuance is not what is measured.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import transaction  # noqa: E402 - after the settings

from authority.services.ceremony import hold_ceremony  # noqa: E402
from benchmarks import purse  # noqa: E402
from benchmarks.minted_keys import minted  # noqa: E402
from benchmarks.purse import SLOTS, Card  # noqa: E402
from cms import ca  # noqa: E402
from cms.actors import IMPORTER  # noqa: E402
from cms.contacts import Contacts  # noqa: E402
from cms.models import Pair  # noqa: E402
from cms.policy import rome_date  # noqa: E402
from cms.services import registration  # noqa: E402
from cms.services.registration import CardData  # noqa: E402
from pki import lint  # noqa: E402
from renewals import texts  # noqa: E402
from renewals.flows import Terms  # noqa: E402
from renewals.services import acceptance, cases, enrolment, form  # noqa: E402
from renewals.services.enrolment import Diagnosis  # noqa: E402
from runtime import clock  # noqa: E402
from tests.renewals.world import World  # noqa: E402

CA_AGE, LEFT_TO_LIVE, THREE_YEARS = timedelta(days=3650), timedelta(days=30), timedelta(days=3 * 365 + 1)
FIT = Diagnosis(
    pin_locked=False,
    puk_locked=False,
    login_key_matches=True,
    sign_key_matches=True,
    certificates_readable=True,
    can_generate=True,
    atr="",
    driver="benchmark",
)


def main(key_type: str, signed: int, unsigned: int, file: Path) -> None:
    """Found, register, sign; write the cards, the signed ones first."""
    at = clock.now()
    hold_ceremony(key_type=key_type, valid_from=at - CA_AGE, at=at)
    world = World(ca.gateway(), at)
    world.buy(signed + unsigned)
    cards = []
    with mock.patch.object(lint, "require_clean_certificate"):
        for number, (card, pair) in enumerate(registered(world, signed + unsigned)):
            cards.append(card)
            if number < signed:
                sign_form(card, pair, at=at)
    purse.write(cards, file)


def registered(world: World, number: int) -> Iterator[tuple[Card, Pair]]:
    """Register holders with a card each, in the last month of its certificates."""
    keys = minted(number * len(SLOTS) * 2)
    not_after = world.now.replace(microsecond=0) + LEFT_TO_LIVE
    issued_on = rome_date(not_after - THREE_YEARS)
    for turn in range(number):
        serial, holder = f"6090020{turn:09d}", world.person(turn)
        old, new = ({slot: next(keys) for slot in SLOTS} for _ in range(2))
        certificates = {slot: world.issue(slot, old[slot], holder, serial, not_after) for slot in SLOTS}
        data = CardData(serial=serial, family=world.family, first_issued_on=issued_on, activated_on=issued_on)
        pair = registration.register_card(
            data, holder=holder, agreement=world.agreement, certificates=certificates, at=world.now
        )
        fingerprint = hashlib.sha256(certificates["authentication"]).hexdigest()
        requests = {slot: purse.request_for(new[slot]) for slot in SLOTS}
        yield Card(serial, fingerprint, old, new, requests), pair


def sign_form(card: Card, pair: Pair, *, at: datetime) -> None:
    """Let the holder open the case and go as far as the signed form."""
    with transaction.atomic():
        case = cases.open_or_resume(pair, Terms(pair.service.issuing), actor=IMPORTER, at=at)
    enrolment.diagnose(case.pk, FIT, now=at)
    holder = pair.holder
    enrolment.submit_contacts(case.pk, Contacts(email=holder.email or "", mobile=holder.mobile or ""), now=at)
    shown = texts.in_force(case.flow)
    accepted = [{"kind": text.kind, "version": text.version, "sha256": text.sha256} for text in shown]
    acceptance.accept_texts(case.pk, accepted, now=at)
    prepared = form.prepare_form(case.pk, now=at)
    form.sign_renewal(case.pk, purse.sign(card.old_keys["signature"], bytes(prepared.signed_attributes)), now=at)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
