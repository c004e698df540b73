"""A check of an import speaks one language from top to bottom, and shows first what somebody must mend."""

from __future__ import annotations

import re

from cms.services import intake
from tests.panel.test_import import PAGE, mint, town, upload, work
from tests.panel.town import NOW

__all__ = ["mint", "town"]


def chips(page: str) -> list[str]:
    return re.findall(r'class="filter" href="[^"]+"(?: aria-current="true")?>([^<]+)<', page)


def test_a_check_says_to_register_and_not_admitted_everywhere(desk, town, mint):
    upload(desk, town, [mint.person(1), mint.person(2).but(codice_fiscale="X"), mint.person(3)])
    job = work()

    report = desk.get(f"{PAGE}{job.uid}/").content.decode()
    everything = desk.get(f"{PAGE}{job.uid}/?esito=tutte").content.decode()

    assert chips(report) == ["Non ammesse", "Da registrare", "Tutte"]
    assert report.count("</tr>") == 2
    assert "Non ammessa<" in report
    assert everything.count("Da registrare<") == 4  # figure, chip, two rows
    for page in (report, everything):
        assert "Non eseguit" not in page
        assert "Da fare" not in page


def test_a_check_without_faults_shows_what_will_be_registered(desk, town, mint):
    upload(desk, town, [mint.person(1), mint.person(2)])
    job = work()

    report = desk.get(f"{PAGE}{job.uid}/").content.decode()

    assert 'href="?esito=tutte" aria-current="true"' in report
    assert report.count("</tr>") == 3


def test_the_file_of_a_check_says_the_same(desk, town, mint):
    upload(desk, town, [mint.person(1), mint.person(2).but(codice_fiscale="X")])
    job = work()

    lines = b"".join(desk.get(f"{PAGE}{job.uid}/esito.csv").streaming_content).decode("utf-8-sig").splitlines()

    assert [line.split(";")[2] for line in lines[1:]] == ["Da registrare", "Non ammessa"]


def test_rows_of_an_import_that_was_given_up_are_not_to_be_done_any_more(desk, town, mint):
    upload(desk, town, [mint.person(1)])
    job = work()
    intake.discard_import(job.uid, operator=town.operator, now=NOW)

    assert "Rimasta da fare<" in desk.get(f"{PAGE}{job.uid}/").content.decode()
