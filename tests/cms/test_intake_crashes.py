"""An import of 10,000 rows whose worker is killed three times ends like one that nobody disturbed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from hashlib import sha256

import pytest

from cms.errors import ContactTaken
from cms.models import Agreement, Certificate, Event, Holder, Job, JobFile, KnownKey, Pair, StockMovement
from cms.services import import_files, intake, registration
from cms.states import JobState
from renewals import invariants
from tests.cms.roster_maker import Mint, archive, table
from tests.panel.town import NOW, Town

ROWS = 10_000
DONE = "Carta registrata con 1 certificato."
WORKER = """
import sys
from datetime import datetime
import django
django.setup()
from cms.services import import_files, intake
intake.carry_out(int(sys.argv[1]), at=datetime.fromisoformat(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def people():
    """A card each with one certificate; every thousandth wants the mailbox of number 7."""
    mint = Mint()
    made = [mint.person(number, types=["authentication"]) for number in range(ROWS)]
    for number in range(500, ROWS, 1000):
        made[number] = made[number].but(email="persona7@posta.example.org")
    return mint, made


def received(mint, people) -> Job:
    town = Town()
    registration.pin_issuer(mint.certificate)
    town.service.types = ["authentication"]
    town.service.save()
    agreement = Agreement.objects.get(centre=town.centre, service=town.service)
    bundle = archive(people)
    pieces = (bundle[start : start + import_files.SLICE] for start in range(0, len(bundle), import_files.SLICE))
    return intake.receive_import(
        agreement.pk, table=table(people), certificates=pieces, operator=town.operator, now=NOW
    )


def carried_out(job: Job) -> Job:
    """Turn after turn, as the rescan gives them."""
    for turn in range(20, 40):
        intake.carry_out(job.pk, at=NOW + timedelta(minutes=10 * turn))
        job.refresh_from_db()
        if job.next_attempt_at is None:
            break
    return job


def started(job: Job) -> Job:
    return intake.start_import(job.uid, operator=job.started_by, now=NOW)


def killed_after(job: Job, done: int, turn: int) -> int:
    """Let a worker begin, kill it as soon as so many rows are settled; return how many are."""
    command = [sys.executable, "-c", WORKER, str(job.pk), (NOW + timedelta(minutes=10 * turn)).isoformat()]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    worker = subprocess.Popen(command, env=environment)
    try:
        while worker.poll() is None:
            job.refresh_from_db()
            if job.done + job.refused > done:
                break
            time.sleep(0.1)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    job.refresh_from_db()
    return job.done + job.refused


def ending(job: Job) -> dict[str, object]:
    """All that an import leaves behind."""
    halves = Certificate.objects.values_list("pair__card__serial", "fingerprint", "status", "spki_sha256")
    return {
        "report": list(job.rows.order_by("position").values_list("position", "state", "code", "text", "payload")),
        "people": set(Holder.objects.values_list("tax_code", "email", "mobile", "registrations__centre")),
        "pairs": set(Pair.objects.values_list("card__serial", "holder__tax_code", "medium")),
        "halves": {(card, fingerprint, status) for card, fingerprint, status, _ in halves},
        "keys": set(KnownKey.objects.values_list("spki_sha256", flat=True)) == {key for *_, key in halves},
        "events": Event.objects.filter(verb="card.registered").values("card_id").distinct().count(),
        "events in all": Event.objects.filter(verb="card.registered").count(),
        "files": JobFile.objects.count(),
        "counts": (job.state, job.total, job.done, job.refused),
    }


def told(people, centre: int) -> dict[str, object]:
    """The same as the files tell it, whoever registers them in however many pieces."""
    good = [person for number, person in enumerate(people) if number % 1000 != 500]
    cells = [person.cells for person in good]
    taken = ContactTaken.detail
    rows = [
        ("refused", "contact-taken", taken) if number % 1000 == 500 else ("done", "", DONE)
        for number in range(len(people))
    ]
    return {
        "report": [
            (number + 2, *row, {"card": people[number].cells["seriale_carta"]}) for number, row in enumerate(rows)
        ],
        "people": {(row["codice_fiscale"], row["email"], f"+{row['cellulare'][1:]}", centre) for row in cells},
        "pairs": {(row["seriale_carta"], row["codice_fiscale"], "card") for row in cells},
        "halves": {
            (person.cells["seriale_carta"], sha256(person.certificates["authentication"]).hexdigest(), "active")
            for person in good
        },
        "keys": True,
        "events": len(good),
        "events in all": len(good),
        "files": 0,
        "counts": (JobState.DONE, len(people), len(good), len(people) - len(good)),
    }


def test_ten_thousand_rows_killed_three_times_end_as_the_files_tell_them(committed, people, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    mint, made = people
    job = started(carried_out(received(mint, made)))

    reached = [killed_after(job, done, turn) for turn, done in enumerate((0, 3_000, 7_000))]
    end = ending(carried_out(job))

    assert 0 < reached[0] < reached[1] < reached[2] < ROWS
    assert end == told(made, job.centre_id)
    assert not invariants.breaches(now=NOW)
    assert not StockMovement.objects.exclude(kind="purchase").exists()


def test_an_undisturbed_import_ends_so_too(committed, people, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    mint, made = people
    job = carried_out(started(carried_out(received(mint, made[:600]))))

    assert ending(job) == told(made[:600], job.centre_id)
