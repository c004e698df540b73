"""The page of a case: who, which card, what was, what will be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.actors import SYSTEM
from cms.models import Event
from renewals.services import decisions
from renewals.services.cases import cancel_case, expire_case
from tests.panel.town import NOW, crowd


def text_of(client, case) -> str:
    answer = client.get(f"/pannello/rinnovi/{case.code}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_says_who_which_card_and_both_pairs(town, desk):
    case = town.completed(town.case())

    page = text_of(desk, case)

    for said in (str(case.holder), case.holder.tax_code, case.card.serial, case.code, "Sostituito", "Attivo"):
        assert said in page
    for pair in (case.old_pair, case.new_pair):
        for half in pair.certificates.all():
            assert half.serial in page


def test_the_next_automatic_action_stands_in_words(town, desk):
    waiting = town.completed(town.case(days_left=12))
    assert (
        "Sospensione dei nuovi certificati sab 14/03/2026 alle 10:00, se il rinnovo non è stato autorizzato prima."
        in text_of(desk, waiting)
    )
    held = town.suspended(town.completed(town.case(days_left=-5), days_ago=9))
    assert "Revoca definitiva dei nuovi certificati ven 26/06/2026 alle 00:00" in text_of(desk, held)
    told = town.case(days_left=30)
    assert "Scadenza della pratica mer 01/04/2026 alle 11:00" in text_of(desk, told)
    decisions.approve_renewal(waiting.pk, operator=town.operator, now=NOW)
    assert "Nessuna: il rinnovo è concluso e autorizzato." in text_of(desk, waiting)


def test_an_action_that_is_late_is_said_to_be_under_way(town, desk):
    case = town.completed(town.case(days_left=-1), days_ago=3)

    assert "Sospensione in corso: era prevista" in text_of(desk, case)


def test_the_line_of_time_names_each_step_in_order(town, desk):
    case = town.completed(town.case(days_left=12))

    page = text_of(desk, case)

    words = ["Apertura pratica", "Firma del modulo", "Installazione", "Oggi", "Scadenza e sospensione", "Revoca (121"]
    places = [page.index(f"<strong>{word}") for word in words]
    assert places == sorted(places)


def test_events_messages_documents_and_stock_are_there(town, desk):
    case = town.completed(town.case())

    page = text_of(desk, case)

    for said in ("Modulo firmato", "Client carta", "Avviso di rinnovo", case.holder.email, "Prenotazione", "Scarico"):
        assert said in page
    assert f"/pannello/rinnovi/{case.code}/modulo.pdf" in page


def test_the_signed_form_can_be_taken_away(town, desk):
    case = town.signed(town.case())

    answer = desk.get(f"/pannello/rinnovi/{case.code}/modulo.pdf")

    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="modulo-{case.code}.pdf"'
    assert answer.content.startswith(b"%PDF")


def test_a_form_that_nobody_signed_is_not_there(town, desk):
    assert desk.get(f"/pannello/rinnovi/{town.case().code}/modulo.pdf").status_code == 404


def test_a_closed_case_says_why_and_offers_nothing(town, desk):
    cancelled = town.case()
    cancel_case(cancelled.pk, reason="data-incorrect", actor=SYSTEM, at=NOW)
    expired = town.case(days_left=-2)
    expire_case(expired.pk, now=NOW - timedelta(days=1))

    assert "Dati della pratica non corretti" in text_of(desk, cancelled)
    page = text_of(desk, expired)
    assert "Certificati scaduti prima dell&#x27;installazione dei nuovi" in page
    assert "approva/" not in page


def test_a_persons_words_are_shown_and_never_run(town, desk):
    case = town.completed(town.case())
    decisions.refuse_renewal(case.pk, operator=town.operator, reason="<script>alert(1)</script>", now=NOW)

    page = text_of(desk, case)

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("code", ["R000-0000-000", "x", "R%00", "../../etc/passwd"])
def test_a_case_that_does_not_exist_is_not_found(town, desk, code):
    assert desk.get(f"/pannello/rinnovi/{code}/").status_code == 404


def test_every_kind_of_case_has_a_page(town, desk):
    for case in crowd(town):
        text_of(desk, case)


def test_statements_do_not_grow_with_what_happened(town, desk):
    case = town.completed(town.case())
    decisions.approve_renewal(case.pk, operator=town.operator, now=NOW)

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            text_of(desk, case)
        return len(captured)

    statements()  # the first request of a session also writes it
    few = statements()
    for event in list(Event.objects.filter(case_code=case.code)) * 5:
        event.pk = None
        event.save(force_insert=True)

    assert statements() == few
    assert few <= 30
