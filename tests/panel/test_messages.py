"""Messaggi: mails of the scope by outcome, paged by key, sent again from their case."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.states import Role
from notifications.models import OutboxMessage
from renewals.admin import messages
from tests.panel.town import crowd

PAGE = "/pannello/messaggi/"


def codes(answer) -> list[str]:
    return re.findall(r'class="row" href="/pannello/rinnovi/([^/]+)/#messaggi"', answer.content.decode())


def settle(case, state: str = "sent", error: str = "") -> OutboxMessage:
    own = OutboxMessage.objects.filter(case_code=case.code)
    sent_at = own.get().created_at + timedelta(seconds=3) if state == "sent" else None
    own.update(state=state, sent_at=sent_at, next_attempt_at=None, last_error=error)
    return own.get()


def test_a_message_says_what_to_whom_and_what_became_of_it(town, desk):
    case = town.case()
    settle(case, "failed", "mailbox-unknown")

    page = desk.get(PAGE).content.decode()

    for word in ("Avviso di rinnovo", case.code, str(case.holder), case.holder.email, "mailbox-unknown"):
        assert word in page
    assert "Invia di nuovo" in page
    assert re.search(r'class="counter" title="1 non consegnati"', page)


def test_messages_are_narrowed_by_outcome(town, desk):
    failed, sent, queued = town.case(), town.case(), town.case()
    settle(failed, "failed")
    settle(sent)

    assert codes(desk.get(f"{PAGE}?esito=non-consegnati")) == [failed.code]
    assert codes(desk.get(f"{PAGE}?esito=inviati")) == [sent.code]
    assert codes(desk.get(f"{PAGE}?esito=in-coda")) == [queued.code]
    assert set(codes(desk.get(f"{PAGE}?esito=altro"))) == {failed.code, sent.code, queued.code}


def test_messages_of_another_centre_or_service_are_not_there(town, desk):
    elsewhere = town.found("cdrl-altrove", "Altrove")
    for code, name in (("cns-firma-3-anni", "CNS - Firma 3 anni"), ("cns-eidas-firma", "CNS – eIDAS Firma Digitale")):
        town.offer(code, name, centre=elsewhere)
    foreign, other = town.case(centre=elsewhere), town.case(service=town.other_service)

    page = desk.get(PAGE).content.decode()

    assert "Ancora nessun messaggio" in page
    for case in (foreign, other):
        assert case.holder.email not in page


def test_an_auditor_reads_and_sends_nothing(town, seat):
    settle(town.case(), "failed")
    client = seat(town.employ("revisore@cdrl.example.org", role=Role.AUDITOR), town.service)

    page = client.get(PAGE).content.decode()

    assert "Avviso di rinnovo" in page
    assert "Invia di nuovo" not in page


def test_pages_follow_each_other_both_ways(town, desk, monkeypatch):
    monkeypatch.setattr(messages, "PAGE", 5)
    crowd(town)
    seen, address = [], PAGE
    while address:
        answer = desk.get(address)
        seen.append(codes(answer))
        address = link(answer, "next")
    assert sum(map(len, seen)) == OutboxMessage.objects.count()
    assert all(len(page) == 5 for page in seen[:-1])

    back = desk.get(link(answer, "prev"))
    assert codes(back) == seen[-2]


def test_statements_do_not_grow_with_messages(town, desk):
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(PAGE).status_code == 200
        assert not [query for query in captured.captured_queries if "OFFSET" in query["sql"]]
        return len(captured)

    town.case()
    statements()
    few = statements()
    crowd(town)

    assert statements() == few


def link(answer, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', answer.content.decode())
    return PAGE + found[1].replace("&amp;", "&") if found else ""
