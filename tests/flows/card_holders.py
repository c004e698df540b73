"""Holders with simulated cards, who renew with the real client over HTTP and start it again when it gives up."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx

from cardclient import flow
from cardclient.contract import Slot
from cardclient.errors import ClientError
from cardclient.office import HttpOffice
from cardclient.personalise import first_certificate, first_request
from cardclient.ports import KeyKind, ObjectKind
from cardclient.secret import Secret
from cardclient.simulated_state import load
from cardclient.simulator import SimulatedCard
from cms.services import registration
from cms.services.registration import CardData
from tests.cardclient.recording_screen import RecordingScreen
from tests.renewals.world import World

PIN, PUK = "48273", "91827364"
MOST_RUNS = 30


@dataclass
class CardHolder:
    """A person, the card, what each run of the client came to; how often the server answered, or said it could not."""

    address: str
    file: Path
    endings: list[str] = field(default_factory=list)
    answers: int = 0
    troubles: int = 0

    @classmethod
    def equip(cls, world: World, number: int, folder: Path, *, not_after: datetime, handed_out: date) -> CardHolder:
        """Make old P-256 keys on a fresh card, have them certified, and register the card."""
        file, serial, person = folder / f"card-{number}.json", f"74300000{number:08d}", world.person(number)
        card = SimulatedCard.create(file, serial=serial, pin=Secret(PIN), puk=Secret(PUK))
        card.login(Secret(PIN))
        old = {}
        for slot in Slot:
            request = first_request(card, slot, Secret(PIN), kind=KeyKind("ec", 256))
            old[slot.value] = world.certify(slot.value, request, person, serial, not_after)
            first_certificate(card, slot, old[slot.value])
        card.close()
        data = CardData(serial, world.family, first_issued_on=handed_out, activated_on=handed_out)
        registration.register_card(data, holder=person, agreement=world.agreement, certificates=old, at=world.now)
        return cls(person.email, file)

    @property
    def certificates(self) -> set[bytes]:
        """What lies on the card."""
        return {each.der for each in load(self.file).of(ObjectKind.CERTIFICATE)}

    def renew(self, server: str) -> None:
        """Start the client, and again when it gave up, as the guide tells a holder to."""
        for _ in range(MOST_RUNS):
            self.endings.append(self._run(server))
            if self.endings[-1] == "Completato":
                return
            time.sleep(0.3)

    def _run(self, server: str) -> str:
        line = WatchedLine(self)
        with contextlib.closing(HttpOffice(server, transport=line)) as office:
            desk = flow.Desk(SimulatedCard(self.file), RecordingScreen(pin=[PIN]), office, datetime.now(UTC))
            try:
                outcome = flow.renew(desk)
            except ClientError as given_up:
                return given_up.code
            return outcome.case.state_label if outcome.case else "Completato"


class WatchedLine(httpx.HTTPTransport):
    """HTTP as ever; tells the holder's counters."""

    def __init__(self, holder: CardHolder) -> None:
        """Whom to tell."""
        super().__init__()
        self._holder = holder

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        answer = super().handle_request(request)
        self._holder.answers += 1
        self._holder.troubles += answer.is_server_error
        return answer


def town(world: World, folder: Path, *, people: int) -> list[CardHolder]:
    """Holders whose certificates expire in four weeks."""
    end = world.now.replace(microsecond=0) + timedelta(days=28)
    handed_out = (end - timedelta(days=700)).date()
    return [CardHolder.equip(world, n, folder, not_after=end, handed_out=handed_out) for n in range(people)]


@contextlib.contextmanager
def all_renewing(holders: Sequence[CardHolder], server: str):
    """Everybody renews at once while the block does its worst; at its end all have come to an end."""
    threads = [threading.Thread(target=holder.renew, args=[server]) for holder in holders]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join()
