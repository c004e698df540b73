"""The pages of a holder's certificates, asked over HTTP: what is shown, what is refused, what is harmless."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.test import Client

from cms.errors import HoldNotYours
from cms.models import CodeAttempts, Event, Hold, HolderLink, HolderVisit
from cms.services import codes
from cms.states import HoldCause
from cms.tasks import write_to_holders
from notifications.models import OutboxMessage
from renewals.pages import frame
from tests.holder.test_links import token_in
from tests.holder.test_self_service import BOTH, held_by, statuses
from tests.panel.town import tax_code
from tests.plugin import services
from tests.renewals import quick

HOME = settings.HOLDER_PATH
WRONG = "AAAAAAAAAAAAAA"


@pytest.fixture
def pair(world):
    """Certificates in use, 29 days before they expire."""
    return quick.opened(world, 1).old_pair


@pytest.fixture
def code(world, pair) -> str:
    return codes.renew_user_code(pair.holder, at=world.now - timedelta(days=30))


@pytest.fixture
def guest(pair, code) -> Client:
    """A browser whose holder has come in with his code."""
    browser = Client()
    answer = enter(browser, pair.holder.tax_code, code)
    assert answer["Location"] == f"{HOME}certificati/"
    return browser


def enter(browser: Client, who: str, code: str):
    return browser.post(f"{HOME}accesso/", {"tax_code": who, "user_code": code})


def act(browser: Client, pair, action: str, types=BOTH, **more):
    address = f"{HOME}certificati/{pair.public_id}/{action}/"
    return browser.post(address, {"certificates": sorted(types), **more})


def page(browser: Client, path: str = "certificati/") -> str:
    return browser.get(f"{HOME}{path}").content.decode()


def newest_token() -> str:
    return token_in(OutboxMessage.objects.get(key=f"holder-link:{HolderLink.objects.latest('pk').uid}"))


def by_link(holder, purpose: str = "reopen") -> Client:
    """A browser whose holder has come in by a link from his mailbox."""
    browser = Client()
    browser.post(f"{HOME}codice/", {"tax_code": holder.tax_code, "purpose": purpose})
    write_to_holders()
    browser.get(f"{HOME}collegamento/{newest_token()}/")
    assert browser.post(f"{HOME}collegamento/")["Location"] == f"{HOME}certificati/"
    return browser


def test_the_list_shows_card_halves_expiry_and_what_can_be_done(guest, pair):
    shown = page(guest)
    assert pair.card.serial in shown
    assert shown.count("31 marzo 2026") == 2
    assert "Attivo" in shown
    for action in ("sospendi", "revoca"):
        assert f"certificati/{pair.public_id}/{action}/" in shown
    assert "/riattiva/" not in shown


def test_wrong_code_and_nobody_get_the_same_page(world, pair, code):
    told = set()
    for who in (pair.holder.tax_code, world.person(7).tax_code, tax_code("NNNNNN", 1)):
        answer = enter(Client(), who, WRONG)
        text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode()).replace(who, "")
        told.add((answer.status_code, text, tuple(sorted(name for name in answer.headers if name != "Vary"))))
    assert len(told) == 1
    assert next(iter(told))[0] == 403


def test_a_refused_page_repeats_no_code(pair, code):
    answer = enter(Client(), pair.holder.tax_code, "SEGRETO2345678")
    assert "SEGRETO2345678" not in answer.content.decode()


def test_the_eleventh_try_is_refused_in_the_words_of_the_first(pair, code):
    first = enter(Client(), pair.holder.tax_code, WRONG).content.decode()
    for _ in range(9):
        enter(Client(), pair.holder.tax_code, WRONG)
    answer = enter(Client(), pair.holder.tax_code, code)
    sentences = [re.findall(r"<p>(.*?)</p>", text, re.DOTALL) for text in (first, answer.content.decode())]
    assert answer.status_code == 403
    assert sentences[0] == sentences[1]
    assert "codice/" in answer.content.decode()


def test_suspending_asks_with_dates_acts_and_tells(guest, pair):
    asked = page(guest, f"certificati/{pair.public_id}/sospendi/")
    assert "finché non scadono: martedì 31 marzo 2026" in asked
    assert statuses(pair) == {"authentication": "active", "signature": "active"}
    assert act(guest, pair, "sospendi")["Location"] == f"{HOME}certificati/"
    shown = page(guest)
    assert "Sospensione eseguita" in shown
    assert shown.count("Sospeso su Sua richiesta") == 2
    assert statuses(pair) == {"authentication": "held", "signature": "held"}


def test_certificates_that_outlive_day_120_are_told_when_they_would_be_revoked(world, clock):
    case = quick.completed(world, 3)
    code = codes.renew_user_code(case.holder, at=world.now)
    browser = Client()
    enter(browser, case.holder.tax_code, code)
    address = f"certificati/{case.new_pair.public_id}/sospendi/"
    assert "mercoledì 1 luglio 2026 (il 121º giorno)" in page(browser, address)
    act(browser, case.new_pair, "sospendi")
    assert page(browser).count("sarà revocato per sempre mercoledì 1 luglio 2026") == 2


def test_one_half_is_suspended_and_the_other_still_offered(guest, pair):
    act(guest, pair, "sospendi", ["signature"])
    assert statuses(pair) == {"authentication": "active", "signature": "held"}
    assert 'value="authentication"' in page(guest, f"certificati/{pair.public_id}/sospendi/")
    assert 'value="signature"' not in page(guest, f"certificati/{pair.public_id}/sospendi/")


def test_a_second_click_and_an_older_tab_do_nothing_more(guest, pair):
    assert act(guest, pair, "sospendi").status_code == 302
    assert act(guest, pair, "sospendi").status_code == 302
    assert Hold.objects.count() == 2
    assert act(guest, pair, "riattiva").status_code == 302
    assert act(guest, pair, "riattiva").status_code == 302
    assert statuses(pair) == {"authentication": "active", "signature": "active"}
    assert OutboxMessage.objects.filter(kind__in=["suspended", "reactivated"]).count() == 2


def test_nothing_ticked_is_asked_again(guest, pair):
    answer = act(guest, pair, "sospendi", [])
    assert answer.status_code == 422
    assert "Scelga almeno un certificato" in answer.content.decode()


@pytest.mark.parametrize("word", ["", "REVOCO", "sospendi"])
def test_a_revocation_wants_its_word(guest, pair, word):
    answer = act(guest, pair, "revoca", cause="key-compromised", word=word)
    assert answer.status_code == 422
    assert set(statuses(pair).values()) == {"active"}


def test_a_revocation_wants_a_reason_of_the_two(guest, pair):
    for cause in ("", "authority-order"):
        assert act(guest, pair, "revoca", cause=cause, word="REVOCA").status_code == 422
    assert set(statuses(pair).values()) == {"active"}


def test_a_revocation_is_told_and_offers_nothing_more(guest, pair):
    act(guest, pair, "revoca", cause="key-compromised", word="revoca")
    shown = page(guest)
    assert "Revoca eseguita" in shown
    assert f"certificati/{pair.public_id}" not in shown
    assert set(statuses(pair).values()) == {"revoked"}
    assert guest.get(f"{HOME}certificati/{pair.public_id}/revoca/").status_code == 409


@pytest.mark.parametrize(
    ("cause", "who"),
    [
        (HoldCause.OPERATOR, "solo il CDRL può riattivarlo"),
        (HoldCause.AUTHORITY, "solo l&#x27;autorità"),
        (HoldCause.MISSING_APPROVAL, "si riattiva quando il CDRL"),
    ],
)
def test_what_others_suspended_is_explained_and_not_offered(world, guest, pair, cause, who):
    held_by(pair, cause, world.now)
    shown = page(guest)
    assert who in shown
    assert "/riattiva/" not in shown
    answer = act(guest, pair, "riattiva")
    assert (answer.status_code, HoldNotYours.code in answer.content.decode()) == (409, True)


def test_certificates_of_others_and_of_nobody_do_not_exist(world, guest, code):
    foreign = quick.opened(world, 2).old_pair
    for uid in (foreign.public_id, uuid4()):
        for action in ("sospendi", "riattiva", "revoca"):
            assert guest.get(f"{HOME}certificati/{uid}/{action}/").status_code == 404
            assert guest.post(f"{HOME}certificati/{uid}/{action}/", {"certificates": list(BOTH)}).status_code == 404
    assert str(foreign.public_id) not in page(guest)
    assert set(statuses(foreign).values()) == {"active"}


def test_without_a_visit_every_page_leads_to_the_entrance(pair, code):
    for path in ("certificati/", f"certificati/{pair.public_id}/sospendi/"):
        assert Client().get(f"{HOME}{path}")["Location"] == f"{HOME}accesso/"
    assert act(Client(), pair, "sospendi").status_code == 302
    assert set(statuses(pair).values()) == {"active"}


def test_a_visit_that_is_over_changes_nothing_and_says_so(world, guest, pair, clock):
    clock.instant = world.now + timedelta(minutes=16)
    answer = act(guest, pair, "sospendi")
    assert answer.status_code == 403
    assert "non è stata eseguita" in answer.content.decode()
    assert set(statuses(pair).values()) == {"active"}


def test_leaving_ends_the_visit_for_every_tab(guest, pair):
    token = guest.cookies[frame.COOKIE].value
    guest.post(f"{HOME}esci/")
    again = Client()
    again.cookies[frame.COOKIE] = token
    assert act(again, pair, "sospendi").status_code == 403
    assert set(statuses(pair).values()) == {"active"}


def test_looking_changes_nothing(guest, pair):
    before = (Event.objects.count(), OutboxMessage.objects.count())
    for action in ("sospendi", "riattiva", "revoca"):
        guest.get(f"{HOME}certificati/{pair.public_id}/{action}/")
    assert (Event.objects.count(), OutboxMessage.objects.count()) == before
    assert set(statuses(pair).values()) == {"active"}


def test_a_locked_out_holder_suspends_by_link_and_reopens(pair, code):
    for _ in range(10):
        enter(Client(), pair.holder.tax_code, WRONG)
    browser = by_link(pair.holder)
    shown = page(browser)
    assert "Riapri l'accesso" in shown
    assert "/revoca/" not in shown
    act(browser, pair, "sospendi")
    assert set(statuses(pair).values()) == {"held"}
    assert act(browser, pair, "riattiva").status_code == 409
    assert "Accesso riaperto" in browser.post(f"{HOME}codice/riapri/").content.decode()
    assert "Accesso riaperto" in browser.post(f"{HOME}codice/riapri/").content.decode()
    again = Client()
    assert enter(again, pair.holder.tax_code, code).status_code == 302
    act(again, pair, "riattiva")
    assert set(statuses(pair).values()) == {"active"}


def test_a_lost_code_is_replaced_with_the_number_of_the_card(pair, code):
    browser = by_link(pair.holder, "reissue")
    refused = browser.post(f"{HOME}codice/nuovo/", {"card_number": "12345"})
    assert refused.status_code == 403
    sent = browser.post(f"{HOME}codice/nuovo/", {"card_number": pair.card.serial})
    assert "Nuovo codice inviato" in sent.content.decode()
    assert enter(Client(), pair.holder.tax_code, code).status_code == 403


def test_a_link_is_looked_at_by_anybody_and_used_by_one_press(pair, code):
    Client().post(f"{HOME}codice/", {"tax_code": pair.holder.tax_code, "purpose": "reopen"})
    write_to_holders()
    token = newest_token()
    for _ in range(3):
        scanner = Client()
        moved = scanner.get(f"{HOME}collegamento/{token}/")
        assert moved["Location"] == f"{HOME}collegamento/"
        assert scanner.get(moved["Location"]).status_code == 200
    assert scanner.post(f"{HOME}collegamento/").status_code == 302
    late = Client()
    late.get(f"{HOME}collegamento/{token}/")
    answer = late.get(f"{HOME}collegamento/")
    assert (answer.status_code, "link-used" in answer.content.decode()) == (409, True)
    assert HolderVisit.objects.count() == 1


@pytest.mark.parametrize("token", ["x", "x" * 43, "à%00b"])
def test_a_link_that_nobody_sent_is_refused(world, token):
    browser = Client()
    browser.get(f"{HOME}collegamento/{token}/")
    assert browser.get(f"{HOME}collegamento/").status_code == 409
    assert browser.post(f"{HOME}collegamento/").status_code == 409


def test_no_secret_stands_in_an_event_a_log_or_redis(pair, code, capfd):
    browser = by_link(pair.holder)
    token = newest_token()
    enter(browser, pair.holder.tax_code, code)
    act(browser, pair, "sospendi")
    for _ in range(10):
        enter(Client(), pair.holder.tax_code, WRONG)
    write_to_holders()
    out, err = capfd.readouterr()
    kept = str(list(Event.objects.values_list())) + str(list(CodeAttempts.objects.values_list()))
    with redis.Redis.from_url(services.redis.url) as client:
        kept += str([(key, client.dump(key)) for key in client.scan_iter()])
    for secret in (code, token, pair.holder.tax_code):
        assert secret not in out + err + kept


def test_a_person_without_certificates_reads_what_would_stand_there(world, clock):
    person = world.person(5)
    code = codes.renew_user_code(person, at=world.now)
    browser = Client()
    enter(browser, person.tax_code, code)
    assert "Non ha certificati in uso" in page(browser)
