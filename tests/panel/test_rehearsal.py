"""Prova generale on the panel: what would happen, in whose scope, with nothing executed."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.models import Event, Hold, Pair
from cms.states import ApprovalMode
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from renewals.services.rounds import Sweep
from tests.panel.town import NOW

PAGE = "/pannello/prova-generale/"
SOON = "2026-03-20T08:00"


def rows(answer) -> list[str]:
    return re.findall(r"<td class=\"name\">.*?</tr>", answer.content.decode(), re.DOTALL)


def everything_stored():
    return (
        set(RenewalCase.objects.values_list("pk", "state", "suspended_at", "due_at")),
        set(Pair.objects.values_list("pk", "window_opens_at")),
        Hold.objects.count(),
        OutboxMessage.objects.count(),
        Event.objects.count(),
    )


def test_the_page_says_who_would_be_suspended_with_mail_and_day_121(town, desk):
    case = town.completed(town.case(days_left=12))
    town.completed(town.case(days_left=12), ApprovalMode.AUTOMATIC)
    before = everything_stored()

    answer = desk.get(PAGE, {"al": SOON})

    (row,) = rows(answer)
    for said in (str(case.holder), case.code, "Sospesa", "Certificati sospesi", "Revoca: dom 19/07/2026 alle 00:00"):
        assert said in row
    assert everything_stored() == before


def test_the_hour_is_italian(town, desk):
    town.completed(town.case(days_left=5))  # expires on 7 March at 10:00:00 in Rome, is expired a second later

    chosen = {"cosa": "sospensioni"}
    assert rows(desk.get(PAGE, chosen | {"al": "2026-03-07T10:00"})) == []
    assert len(rows(desk.get(PAGE, chosen | {"al": "2026-03-07T10:01"}))) == 1


def test_nothing_due_is_said_too(town, desk):
    town.completed(town.case(days_left=60))

    page = desk.get(PAGE, {"al": "2026-03-03T08:00"}).content.decode()

    assert "Non succederebbe nulla" in page


def test_each_sweep_has_its_list_and_its_count(town, desk):
    expired = town.signed(town.case(days_left=5))
    late = town.suspended(town.completed(town.case(days_left=-115)), days_ago=114)
    pair = town.case(days_left=70).old_pair
    Pair.objects.filter(pk=pair.pk).update(window_opens_at=NOW + timedelta(days=3))

    page = desk.get(PAGE, {"al": SOON, "cosa": "scadenze"})
    lapses = desk.get(PAGE, {"al": SOON, "cosa": "revoche"})
    windows = desk.get(PAGE, {"al": SOON, "cosa": "aperture"})

    assert expired.code in rows(page)[0]
    assert "Tornano disponibili: Autenticazione CNS, Firma qualificata." in rows(page)[0]
    assert late.code in rows(lapses)[0]
    assert "revocati per sempre" in rows(lapses)[0]
    assert "Non si apre" in rows(windows)[0]


def test_the_page_says_when_each_holder_would_get_which_notice(town, desk):
    case = town.completed(town.case(days_left=12))
    late = town.suspended(town.completed(town.case(days_left=-100)), days_ago=99)
    before = everything_stored()

    page = desk.get(PAGE, {"al": "2026-03-13T08:00", "cosa": "avvisi"})

    said = {code: row for row in rows(page) for code in (case.code, late.code) if code in row}
    assert "sab 07/03/2026 alle 10:00: mancano 7 giorni" in said[case.code]
    assert "Avviso: ven 13/03/2026 alle 10:00" in said[case.code]
    assert "mancano 15 giorni" in said[late.code]
    assert everything_stored() == before


def test_another_centres_and_another_services_rows_are_not_there(town, desk):
    other = town.found("cdrl-siena", "Ordine di Siena")
    town.offer("cns-firma-3-anni", "", centre=other)
    town.offer("cns-eidas-firma", "", centre=other)
    town.buy(other, town.eidas, 5)
    town.buy(town.centre, town.other_service, 5)
    foreign = town.completed(town.case(town.person("Segreti"), days_left=5, centre=other))
    unchosen = town.completed(town.case(town.person("Altrove"), days_left=5, service=town.other_service))

    page = desk.get(PAGE, {"al": SOON}).content.decode()
    file = b"".join(desk.post(f"{PAGE}elenco.csv", {"al": SOON}).streaming_content).decode()

    for text in (page, file):
        assert foreign.code not in text
        assert unchosen.code not in text
        assert "Segreti" not in text


def test_pages_follow_one_another_without_a_gap(town, desk):
    cases = {town.completed(town.case(days_left=5)).code for _ in range(30)}

    first = desk.get(PAGE, {"al": SOON})
    following = re.search(r'rel="next" href="([^"]+)"', first.content.decode()).group(1).replace("&amp;", "&")
    second = desk.get(PAGE + following)

    codes = re.findall(r"rinnovi/([A-Z0-9-]+)/\"", "".join(rows(first) + rows(second)))
    assert len(codes) == 30
    assert set(codes) == cases


def test_the_number_of_statements_does_not_grow_with_the_rows(town, desk):
    counts = []
    desk.get(PAGE, {"al": SOON})
    for _ in range(2):
        for _ in range(4):
            town.completed(town.case(days_left=5))
        with CaptureQueriesContext(connection) as seen:
            desk.get(PAGE, {"al": SOON})
        counts.append(len(seen))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("chosen", ["2026-01-01T08:00", "2036-01-01T08:00", "domani", ""])
def test_an_instant_that_makes_no_sense_is_refused_in_words(town, desk, chosen):
    answer = desk.get(PAGE, {"al": chosen})

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()


def test_the_file_holds_the_whole_round_and_its_taking_is_an_event(town, desk):
    case = town.completed(town.case(days_left=5))
    town.signed(town.case(days_left=6))

    answer = desk.post(f"{PAGE}elenco.csv", {"al": SOON})

    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 6
    assert case.code in lines[2]
    told = [("manca 1 giorno" in line, "Avviso sulla pratica" in line) for line in lines[3:]]
    assert told == [(False, True), (True, True), (True, True)]
    event = Event.objects.get(verb="rehearsal.exported")
    assert (event.actor_id, event.centre_id) == (town.operator.pk, town.centre.pk)


def test_the_command_counts_every_sweep_and_writes_no_name(town, tmp_path):
    case = town.completed(town.case(days_left=5))
    out = StringIO()

    call_command("rehearse", "--at", "2026-03-20T08:00:00+01:00", "--csv", str(tmp_path / "prova.csv"), stdout=out)

    assert all(sweep.value in out.getvalue() for sweep in Sweep)
    assert re.search(r"suspend +1 done", out.getvalue())
    assert re.search(r"mail suspended +1", out.getvalue())
    assert re.search(rf"2026-03-06T09:00:00\+00:00 suspension-warning +1 days left +{case.code}", out.getvalue())
    written = (tmp_path / "prova.csv").read_text()
    assert case.code in written
    assert case.holder.surname not in written


def test_the_command_wants_an_offset(town):
    with pytest.raises(CommandError, match="time zone"):
        call_command("rehearse", "--at", "2026-03-29T02:30:00")
