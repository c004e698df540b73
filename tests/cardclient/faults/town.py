"""The product with its own CA behind real HTTP, and holders at home with a card.

Old and new keys are P-256, so that sixty renewals are quick; the new key is of the old one's kind.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import httpx

from authority.gateway import EmbeddedGateway
from cardclient import flow
from cardclient.contract import Slot
from cardclient.errors import ClientError, NotRenewable
from cardclient.naming import ObjectName
from cardclient.office import HttpOffice
from cardclient.personalise import LABELS, first_certificate, first_request
from cardclient.ports import Card, KeyKind, ObjectKind
from cardclient.secret import Secret
from cms.models import Card as RegisteredCard
from cms.models import CardFamily, CaRequest, Certificate, Holder, StockMovement
from cms.services import registration
from cms.services.registration import CardData
from renewals.models import RenewalCase
from tests.authority.founding import found
from tests.cardclient.conftest import PIN
from tests.cardclient.faults.media import InFile, Medium, OnModule
from tests.cardclient.recording_screen import RecordingScreen
from tests.flows.live import LiveProduct
from tests.renewals.extension import CARD_EXPIRY, Extension
from tests.renewals.world import OLD_NOT_AFTER, World

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HANDED_OUT = date(2023, 3, 31)
P_256 = KeyKind("ec", 256)
SLOTS = {"enroll": tuple(Slot), "extend": (Slot.AUTHENTICATION,)}
PLENTY = 500
_numbers = itertools.count(1)


class Town:
    """One installation for many holders: founding a CA takes longer than a renewal."""

    def __init__(self, product: LiveProduct, shim: Path, folder: Path) -> None:
        """Found the CA, the centre, a campaign and stock for all."""
        self.address, self.shim, self.folder = product.address, shim, folder
        found(at=NOW)
        self.world = World(EmbeddedGateway(), NOW)
        self.world.buy(PLENTY)
        self.extension = Extension(self.world, stock=PLENTY)

    def home(self, flow_name: str = "enroll", *, replaces: bool | None = None, simulated: bool = False) -> Home:
        """A holder whose card is to be renewed; `replaces` is the setting of the card's family."""
        number = next(_numbers)
        folder = self.folder / f"card-{number}"
        folder.mkdir()
        medium = InFile.make(folder, number) if simulated else OnModule.make(folder, self.shim)
        return Home.equip(self, medium, number, flow_name, replaces)


@dataclass
class Home:
    """A person, the card, and what each run of the client came to."""

    town: Town
    medium: Medium
    flow: str
    replaces: bool
    old: dict[Slot, bytes]
    tax_code: str
    endings: list[str] = field(default_factory=list)

    @classmethod
    def equip(cls, town: Town, medium: Medium, number: int, name: str, replaces: bool | None) -> Home:
        """Make the old keys on the card, have the CA certify them, and register the card."""
        world, person = town.world, town.world.person(number)
        old = _first_pairs(world, medium, person, SLOTS[name])
        extended = name == "extend"
        data = CardData(
            medium.serial,
            _family(replaces),
            first_issued_on=HANDED_OUT,
            activated_on=HANDED_OUT,
            expires_on=CARD_EXPIRY if extended else None,
        )
        registration.register_card(
            data,
            holder=person,
            agreement=town.extension.agreement if extended else world.agreement,
            certificates={slot.value: der for slot, der in old.items()},
            at=world.now,
        )
        return cls(town, medium, name, not extended if replaces is None else replaces, old, person.tax_code)

    def run(
        self,
        screen: RecordingScreen | None = None,
        *,
        line: httpx.BaseTransport | None = None,
        now: datetime = NOW,
        card: Card | None = None,
        locks: Path | None = None,
    ) -> flow.Outcome:
        """Start the program anew, as a person would, and note how it ended; `card` is a reader with more than one."""
        seen = screen or RecordingScreen(pin=[PIN])
        with (
            closing(HttpOffice(self.town.address, transport=line, sleep=lambda _: None)) as office,
            self.medium.process() as own,
        ):
            try:
                outcome = flow.renew(flow.Desk(card or own, seen, office, now, locks))
            except ClientError as problem:
                self.endings.append(problem.code)
                raise
        self.endings.append("done" if outcome.case else "removed")
        return outcome

    def run_again_until_done(self, *, now: datetime = NOW) -> None:
        """Put the card back and start once more, as the message says; it must come to its end."""
        self.medium.insert()
        try:
            self.run(now=now)
        except NotRenewable as refusal:
            # Only the last answer was lost: office and card are done, and where nothing goes the client says so.
            if str(refusal.code) != "certificate-renewed":
                raise

    def move_to(self, family: CardFamily) -> None:
        """Make the card one of this family."""
        RegisteredCard.objects.filter(serial=self.medium.serial).update(family=family)

    def require_renewed_once(self) -> None:
        """One case, one certificate a slot at the register and the CA, one debit each, and just those on the card."""
        case = RenewalCase.objects.get(card__serial=self.medium.serial)
        assert case.state == "completed"
        halves = Certificate.objects.filter(pair=case.new_pair_id).select_related("body")
        issued = {Slot(half.type): bytes(half.body.der) for half in halves}
        assert set(issued) == set(self.old)
        assert {half.status for half in halves} == {"active"}
        asked = CaRequest.objects.filter(pair=case.new_pair_id)
        assert (asked.filter(kind="issue").count(), asked.exclude(kind="issue").count()) == (len(self.old), 0)
        assert StockMovement.objects.filter(case_code=case.code, kind="debit").count() == len(self.old)
        self._require_on_card(case.code, issued)

    def _require_on_card(self, code: str, issued: dict[Slot, bytes]) -> None:
        names = [ObjectName(code, slot, self.replaces).id for slot in self.old]
        kept = [] if self.replaces else [LABELS[slot].encode() for slot in self.old]
        with self.medium.process() as card:
            (view,) = card.scan()
            card.login(Secret(PIN))
            keys = card.keys()
        for kind in (ObjectKind.PRIVATE_KEY, ObjectKind.PUBLIC_KEY):
            assert sorted(key.id for key in keys if key.kind is kind) == sorted(names + kept)
        wanted = [*issued.values(), *([] if self.replaces else self.old.values())]
        assert sorted(each.der for each in view.certificates) == sorted(wanted)


def _first_pairs(world: World, medium: Medium, person: Holder, slots: Sequence[Slot]) -> dict[Slot, bytes]:
    old = {}
    with medium.process() as card:
        card.scan()
        card.login(Secret(PIN))
        for slot in slots:
            request = first_request(card, slot, Secret(PIN), kind=P_256)
            old[slot] = world.certify(slot.value, request, person, medium.serial, OLD_NOT_AFTER)
            first_certificate(card, slot, old[slot])
    return old


def _family(replaces: bool | None) -> CardFamily:
    """A family for each answer to "do the old keys go?"."""
    name = {None: "flow", True: "yes", False: "no"}[replaces]
    return CardFamily.objects.get_or_create(code=f"FAM {name}", defaults={"name": name, "replaces": replaces})[0]
