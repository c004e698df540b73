"""Importazione: the page that takes files, the report of what would happen, the word that starts it."""

from __future__ import annotations

import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.models import Agreement, Card, Holder, Job, JobFile
from cms.services import intake, registration
from cms.states import JobState, Role
from tests.cms.roster_maker import Mint, archive, table
from tests.panel.town import NOW

PAGE = "/pannello/importazione/"


@pytest.fixture
def town(committed, clock):
    from tests.panel.town import Town

    clock.instant = NOW
    return Town()


@pytest.fixture
def mint(town):
    made = Mint()
    registration.pin_issuer(made.certificate)
    return made


def upload(desk, town, people, **more):
    agreement = Agreement.objects.get(centre=town.centre, service=town.service)
    files = {"table": io.BytesIO(table(people)), "certificates": io.BytesIO(archive(people))}
    return desk.post(PAGE, {"agreement": agreement.pk, **files, **more})


def work() -> Job:
    job = Job.objects.latest("pk")
    intake.carry_out(job.pk, at=NOW)
    job.refresh_from_db()
    return job


def test_files_are_checked_shown_row_by_row_and_registered_on_the_operators_word(desk, town, mint):
    people = [mint.person(1), mint.person(2).but(email="persona1@posta.example.org"), mint.person(3)]

    answer = upload(desk, town, people)
    waiting = desk.get(answer["Location"]).content.decode()
    work()
    report = desk.get(answer["Location"]).content.decode()
    started = desk.post(f"{answer['Location']}avvia/")
    job = work()
    end = desk.get(answer["Location"]).content.decode()

    assert "Controllo in corso" in waiting
    assert "Registra 2 carte" in report
    assert "contact-taken" in report
    assert "nulla è stato ancora registrato" in report
    assert started["Location"] == answer["Location"]
    assert (job.state, job.done, job.refused) == (JobState.DONE, 2, 1)
    assert "Carta registrata con 2 certificati" in end
    assert not JobFile.objects.exists()


def test_the_report_leaves_as_csv(desk, town, mint):
    upload(desk, town, [mint.person(1), mint.person(2).but(codice_fiscale="X")])
    job = work()

    answer = desk.get(f"{PAGE}{job.uid}/esito.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")

    assert text.splitlines()[0] == "riga;seriale_carta;esito;codice;spiegazione"
    assert "tax-code-invalid" in text.splitlines()[2]
    assert tax_code_free(text)


def tax_code_free(text: str) -> bool:
    return "BBBBB" not in text and "posta.example.org" not in text


def test_the_sample_is_a_table_that_is_understood(desk):
    from cms.roster import entry_of, read_roster

    content = b"".join(desk.get(f"{PAGE}modello.csv").streaming_content)
    (row,) = read_roster(content, most=10).rows

    assert entry_of(row, today=NOW.date()).card == "7430010000000041"


def test_a_refused_table_is_told_on_the_form(desk, town, mint):
    agreement = Agreement.objects.get(centre=town.centre, service=town.service)
    files = {"table": io.BytesIO(b"nome;cognome\nA;B"), "certificates": io.BytesIO(archive([mint.person(1)]))}

    answer = desk.post(PAGE, {"agreement": agreement.pk, **files})

    assert answer.status_code == 422
    assert "mancano le colonne: codice_fiscale" in answer.content.decode()
    assert not Job.objects.exists()


def test_a_discarded_import_registers_nothing_and_a_stale_page_is_harmless(desk, town, mint):
    upload(desk, town, [mint.person(1)])
    job = work()
    address = f"{PAGE}{job.uid}/"

    question = desk.get(f"{address}annulla/").content.decode()
    desk.post(f"{address}annulla/")
    stale = desk.post(f"{address}avvia/", follow=True).content.decode()

    assert "Nessuna carta viene registrata" in question
    assert "import-closed" in stale
    assert not Card.objects.exists()


def test_more_bytes_than_an_import_takes_are_not_kept(desk, town, mint, settings):
    settings.CMS = settings.CMS.model_copy(update={"import_most_bytes": 200_000, "import_most_csv_bytes": 1000})

    answer = upload(desk, town, [mint.person(1)], more=io.BytesIO(bytes(300_000)))

    assert answer.status_code == 422
    assert "superano la dimensione ammessa" in answer.content.decode()
    assert not Job.objects.exists()


def test_files_are_taken_on_this_page_only_and_from_admitted_operators_only(desk, town, mint, client, monkeypatch):
    kept = []
    monkeypatch.setattr(
        "django.core.files.uploadhandler.TemporaryFileUploadHandler.receive_data_chunk",
        lambda self, raw, start: kept.append(len(raw)),
    )

    desk.post("/pannello/rinnovi/cerca/", {"q": "x", "file": io.BytesIO(b"0" * 100)})
    client.post(PAGE, {"table": io.BytesIO(b"0" * 100)})

    assert kept == []


def test_an_auditor_sees_reports_and_no_form(town, mint, desk, seat):
    upload(desk, town, [mint.person(1)])
    job = work()
    auditor = seat(town.employ("revisore@cdrl.example.org", role=Role.AUDITOR), town.service)

    assert "enctype" not in auditor.get(PAGE).content.decode()
    page = auditor.get(f"{PAGE}{job.uid}/").content.decode()
    assert "avvia/" not in page
    assert "role-insufficient" in auditor.post(f"{PAGE}{job.uid}/avvia/", follow=True).content.decode()
    assert upload(auditor, town, [mint.person(2)]).status_code == 422
    assert Job.objects.count() == 1


def test_an_import_of_another_centre_is_not_there(town, mint, desk, seat):
    upload(desk, town, [mint.person(1)])
    job = work()
    elsewhere = town.found("altrove", "Altrove")
    town.offer(town.service.code, town.service.name, centre=elsewhere)
    stranger = seat(town.employ("altrove@cdrl.example.org", centre=elsewhere), town.service)

    for page in ("", "esito.csv", "annulla/"):
        assert stranger.get(f"{PAGE}{job.uid}/{page}").status_code == 404
    assert stranger.post(f"{PAGE}{job.uid}/avvia/").status_code == 404
    assert str(job.uid) not in stranger.get(PAGE).content.decode()


def test_a_report_costs_the_same_statements_however_long(desk, town, mint):
    def statements(count: int, first: int) -> int:
        upload(desk, town, [mint.person(first + number) for number in range(count)])
        job = work()
        intake.start_import(job.uid, operator=town.operator, now=NOW)
        work()
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(f"{PAGE}{job.uid}/").status_code == 200
        return len(asked)

    assert statements(2, 0) == statements(60, 10)
    assert Holder.objects.count() == 62
