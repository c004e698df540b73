"""Certificati: search, filters, holder and pair; what may be done, asked first, done by POST, and not by everybody."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.models import Agreement, CaRequest, Event, RevocationProposal
from cms.states import Role
from tests.panel.town import crowd

PAGE = "/pannello/certificati/"


def shown(answer) -> list[str]:
    """Public ids of the pairs in the list, in its order."""
    return re.findall(r'href="/pannello/certificati/coppia/([0-9a-f-]{36})/"', answer.content.decode())


def said(answer) -> str:
    return answer.content.decode()


def at(pair, action="") -> str:
    return f"{PAGE}coppia/{pair.public_id}/{action}"


def both(pair, **more) -> dict:
    return {"certificato": [str(half.pk) for half in pair.certificates.all()]} | more


def asked() -> dict:
    return {(request.kind, request.type) for request in CaRequest.objects.all()}


@pytest.fixture
def case(town):
    """A completed renewal of Lucia Bianchi: an old pair, and a new one under the successor."""
    return town.completed(town.case(town.person("Bianchi", "Lucia")))


@pytest.fixture
def fresh(desk, freshly):
    """The operator, who has just shown again who he is."""
    return freshly(desk)


@pytest.mark.parametrize("how", ["code", "prefix", "name", "card", "hexadecimal", "colons", "decimal"])
def test_one_person_is_found_however_searched(town, desk, case, how):
    town.case(town.person("Verdi", "Anna"))
    serial = case.new_pair.certificates.first().serial
    typed = {
        "code": case.holder.tax_code.lower(),
        "prefix": case.holder.tax_code[:9],
        "name": "lucia bian",
        "card": case.card.serial,
        "hexadecimal": serial.upper(),
        "colons": ":".join(serial[i : i + 2] for i in range(0, len(serial), 2)),
        "decimal": str(int(serial, 16)),
    }[how]

    answer = desk.post(f"{PAGE}cerca/", {"q": typed})

    assert answer["Location"] == f"{PAGE}titolare/{case.holder_id}/"


def test_several_people_narrow_the_list_by_ids(town, desk, case):
    other = town.case(town.person("Bianco", "Ugo"))
    town.case(town.person("Verdi", "Anna"))

    answer = desk.post(f"{PAGE}cerca/", {"q": "bianc"})

    assert "bianc" not in answer["Location"].lower()
    page = desk.get(answer["Location"])
    assert set(shown(page)) == {str(pair.public_id) for pair in (case.old_pair, case.new_pair, other.old_pair)}
    assert "2 titolari" in said(page)


def test_a_holder_is_shown_with_all_cards_and_pairs_of_the_scope(town, desk, case):
    second = town.case(case.holder)
    elsewhere = town.case(case.holder, service=town.other_service)

    page = desk.get(f"{PAGE}titolare/{case.holder_id}/")

    assert set(shown(page)) == {str(pair.public_id) for pair in (case.old_pair, case.new_pair, second.old_pair)}
    assert second.card.serial in said(page)
    assert elsewhere.card.serial not in said(page)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", 3),
        ("?stato=sospeso", 1),
        ("?stato=attivo", 2),
        ("?stato=revocato", 0),
        ("?tipo=firma&stato=sospeso", 1),
        ("?scadenza=30", 1),
        ("?scadenza=60", 1),
        ("?scadenza=scaduti", 1),
        ("?stato=inventato&tipo=x&scadenza=12&dopo=zzz", 3),
        ("?titolare=99999999", 0),
        ("?carta=abc", 0),
    ],
)
def test_filters_show_what_they_name(town, desk, address, expected):
    town.suspended(town.completed(town.case(days_left=-5)))
    town.case(days_left=20)

    assert len(shown(desk.get(PAGE + address))) == expected


def test_pages_follow_each_other_both_ways(town, desk, monkeypatch):
    monkeypatch.setattr("cms.admin.pair_list.PAGE", 2)
    pairs = [str(town.case().old_pair.public_id) for _ in range(5)][::-1]

    first = desk.get(PAGE)
    second = desk.get(PAGE + _link(first, "next"))
    third = desk.get(PAGE + _link(second, "next"))

    assert [shown(page) for page in (first, second, third)] == [pairs[:2], pairs[2:4], pairs[4:]]
    assert shown(desk.get(PAGE + _link(third, "prev"))) == pairs[2:4]
    assert not _link(third, "next")


def test_suspending_is_asked_with_the_day_of_the_revocation_and_done_by_post(town, desk, case):
    question = desk.get(at(case.new_pair, "sospendi/"))
    assert "mer 01/07/2026 (121º giorno)" in said(question)
    assert asked() == set()

    answer = desk.post(at(case.new_pair, "sospendi/"), both(case.new_pair, note="Carta smarrita"), follow=True)

    assert "Sospensione richiesta alla CA" in said(answer)
    assert asked() == {("hold", "authentication"), ("hold", "signature")}
    assert set(CaRequest.objects.values_list("case_code", flat=True)) == {case.code}
    again = desk.post(at(case.new_pair, "sospendi/"), both(case.new_pair), follow=True)
    assert "erano già sospesi" in said(again) or "non è possibile" in said(again)
    assert CaRequest.objects.count() == 2


def test_one_half_alone_is_chosen_and_none_is_refused(town, desk, case):
    half = case.new_pair.certificates.get(type="signature")

    empty = desk.post(at(case.new_pair, "sospendi/"), {"note": ""})
    assert (empty.status_code, "Scelga almeno un certificato" in said(empty)) == (422, True)

    desk.post(at(case.new_pair, "sospendi/"), {"certificato": str(half.pk)})
    assert asked() == {("hold", "signature")}


def test_a_half_of_another_pair_in_the_form_changes_nothing(town, desk, case):
    other = town.completed(town.case())

    desk.post(at(case.new_pair, "sospendi/"), both(other.new_pair))

    assert asked() == set()


def test_a_missing_approval_is_lifted_by_approving_and_the_page_says_so(town, desk):
    held = town.suspended(town.completed(town.case(days_left=-5)))

    page = desk.get(at(held.new_pair))

    assert "si riattiva approvando il rinnovo" in said(page)
    assert f"/pannello/rinnovi/{held.code}/" in said(page)
    assert "riattiva/" not in said(page)
    assert desk.get(at(held.new_pair, "riattiva/"), follow=True).redirect_chain


def test_revoking_wants_a_fresh_proof_of_identity_and_a_cause(town, desk, case, freshly):
    before = desk.post(at(case.new_pair, "revoca/"), both(case.new_pair, cause="holder-request"))
    assert "/accesso/" in before["Location"]
    assert asked() == set()

    fresh = freshly(desk)
    assert "definitiva" in said(fresh.get(at(case.new_pair, "revoca/")))
    assert fresh.post(at(case.new_pair, "revoca/"), both(case.new_pair)).status_code == 422
    assert fresh.post(at(case.new_pair, "revoca/"), both(case.new_pair, cause="hold-lapsed")).status_code == 422
    done = fresh.post(at(case.new_pair, "revoca/"), both(case.new_pair, cause="key-compromised"), follow=True)

    assert "Revoca richiesta alla CA" in said(done)
    assert asked() == {("revoke", "authentication"), ("revoke", "signature")}


def test_a_revocation_from_the_issuing_service_reaches_the_case_of_the_old_one(town, seat, freshly, case):
    client = freshly(seat(town.operator, town.eidas))

    client.post(at(case.new_pair, "revoca/"), both(case.new_pair, cause="holder-request"))

    case.refresh_from_db()
    assert case.withdrawn_at is not None
    assert (case.due_kind, case.due_at) == ("", None)


def test_a_revoked_old_pair_ends_the_open_renewal_and_the_page_says_so_before(town, fresh):
    told = town.case()

    assert f"aperta {told.code} viene cancellata" in said(fresh.get(at(told.old_pair, "revoca/")))
    fresh.post(at(told.old_pair, "revoca/"), both(told.old_pair, cause="holder-request"))

    told.refresh_from_db()
    assert (told.state, told.close_reason) == ("cancelled", "old-certificate-revoked")


def test_under_four_eyes_one_proposes_and_another_confirms(town, seat, freshly, fresh, case):
    Agreement.objects.update(four_eyes_revocation=True)
    colleague = freshly(seat(town.employ("collega@cdrl.example.org", "Paolo Neri"), town.service))

    fresh.post(at(case.new_pair, "revoca/"), both(case.new_pair, cause="holder-request", note="Pensionamento"))
    proposal = RevocationProposal.objects.get()
    confirm = f"{PAGE}revoche/{proposal.uid}/conferma/"
    assert asked() == set()
    assert "spetta a un altro operatore" in said(fresh.post(confirm, follow=True))

    listed = colleague.get(f"{PAGE}revoche/")
    assert "Pensionamento" in said(listed)
    assert 'class="counter"' in said(listed)
    assert "Conferma la revoca definitiva" in said(colleague.get(confirm))
    assert "Revoca confermata" in said(colleague.post(confirm, follow=True))
    assert asked() == {("revoke", "authentication"), ("revoke", "signature")}
    assert "non è più in attesa" in said(colleague.post(confirm, follow=True))
    assert "Nessuna revoca da confermare" in said(colleague.get(f"{PAGE}revoche/"))


def test_an_auditor_sees_everything_and_finds_no_button(town, seat, freshly, case):
    auditor = freshly(seat(town.employ("revisore@cdrl.example.org", role=Role.AUDITOR), town.service))

    assert "consente di consultare" in said(auditor.get(at(case.new_pair)))
    for action in ("sospendi/", "riattiva/", "revoca/"):
        assert f'href="{at(case.new_pair, action)}"' not in said(auditor.get(f"{PAGE}titolare/{case.holder_id}/"))
        auditor.post(at(case.new_pair, action), both(case.new_pair, cause="holder-request"))

    assert asked() == set()
    assert not Event.objects.filter(verb__endswith="-asked").exists()


def test_what_lies_outside_the_scope_does_not_exist(town, desk, fresh):
    pisa = town.found("cdrl-pisa", "Ordine di Pisa")
    for service in (town.service, town.eidas):
        town.offer(service.code, "", centre=pisa)
    foreign = town.case(centre=pisa)
    hidden = town.case(service=town.other_service)

    for other in (foreign, hidden):
        assert desk.get(f"{PAGE}titolare/{other.holder_id}/").status_code == 404
        for action in ("", "sospendi/", "riattiva/", "revoca/"):
            assert fresh.get(at(other.old_pair, action)).status_code == 404
        for action in ("sospendi/", "riattiva/", "revoca/"):
            posted = both(other.old_pair, cause="holder-request")
            assert fresh.post(at(other.old_pair, action), posted).status_code == 404
        assert shown(desk.get(f"{PAGE}?titolare={other.holder_id}&carta={other.card_id}")) == []
    assert asked() == set()


def test_statements_do_not_grow_with_rows(town, desk, case):
    def statements(page) -> int:
        desk.get(page)
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(page).status_code == 200
        return len(captured)

    holder = f"{PAGE}titolare/{case.holder_id}/"
    few, one = statements(PAGE), statements(holder)
    crowd(town)
    for _ in range(3):
        town.completed(town.case(case.holder))

    assert (statements(PAGE), statements(holder)) == (few, one)


def _link(answer, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', said(answer))
    return found[1].replace("&amp;", "&") if found else ""
