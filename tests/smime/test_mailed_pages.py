"""Pages behind mailed links, as people and as programs see them: only the button's own value acts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import resolve

from smime import terms
from smime.models import Check, MailedLink, Order
from smime.pages import mailed
from smime.services import attempts, checks, idp, links, mailbox
from smime.services.acceptance import Accepted
from smime.states import LinkPurpose
from tests.smime.mailed import NOW, check_of, link_in, mails, order_of, token_in
from tests.smime.provider import FakeProvider

pytestmark = pytest.mark.usefixtures("committed")
HOUR = timedelta(hours=1)
VERIFY, CONSENT, INVITED = "smime-verify-mailbox", "smime-consent", "smime-identification"


@pytest.fixture
def reader(clock):
    """Whoever reads the mailbox, without an account; forms are checked as browsers send them."""
    clock.instant = NOW + HOUR
    return Client()


@pytest.fixture
def order(committed):
    return order_of("sv")


def path_in(order, kind) -> str:
    return link_in(mails(order, kind)[-1]).partition("://")[2].partition("/")[2].join(("/", ""))


@pytest.mark.parametrize(
    ("purpose", "view"),
    [
        (LinkPurpose.MAILBOX, "mailbox_link"),
        (LinkPurpose.CONSENT, "consent_link"),
        (LinkPurpose.IDENTIFICATION, "identification_link"),
    ],
)
def test_addresses_in_mails_are_those_of_pages(purpose, view, settings):
    address = links.address_of(purpose, "x" * 43)
    assert resolve(address.removeprefix(settings.BASE_URL)).url_name == view


class TestMailbox:
    def test_a_person_sees_and_confirms(self, order, reader):
        path = path_in(order, VERIFY)
        page = reader.get(path)
        assert (page.status_code, page["Cache-Control"]) == (200, "no-store, private")
        assert order.mailbox in page.text

        done = reader.post(path, {"azione": "conferma"})
        assert (done.status_code, check_of(order, "mailbox").state) == (200, "passed")
        assert MailedLink.objects.get(purpose="mailbox").used_from == "127.0.0.1"

    def test_programs_that_open_links_change_nothing(self, order, reader):
        path = path_in(order, VERIFY)
        assert reader.head(path).status_code == 200
        for _ in range(3):
            assert reader.get(path).status_code == 200
        for sent in ({}, {"azione": ""}, {"azione": "Conferma l'indirizzo email"}):
            refused = reader.post(path, sent)
            assert (refused.status_code, "confirmation-missing" in refused.text) == (409, True)

        assert (check_of(order, "mailbox").state, MailedLink.objects.get().used_at) == ("waiting-customer", None)

    def test_a_form_of_another_site_is_refused(self, order, clock):
        clock.instant = NOW + HOUR
        stranger = Client(enforce_csrf_checks=True)
        assert stranger.post(path_in(order, VERIFY), {"azione": "conferma"}).status_code == 403
        assert check_of(order, "mailbox").state == "waiting-customer"

    def test_a_strange_host_is_refused_and_writes_into_no_mail(self, order, reader, settings):
        assert reader.get(path_in(order, VERIFY), headers={"host": "evil.example.org"}).status_code == 400
        assert reader.get(path_in(order, VERIFY), headers={"x-forwarded-host": "evil.example.org"}).status_code == 200
        assert link_in(mails(order, VERIFY)[0]).startswith(settings.BASE_URL)

    def test_a_second_time_says_that_it_was_done(self, order, reader):
        path = path_in(order, VERIFY)
        reader.post(path, {"azione": "conferma"})
        for again in (reader.get(path), reader.post(path, {"azione": "conferma"})):
            assert (again.status_code, "link-used" in again.text) == (409, True)

    def test_an_unknown_link_tells_nothing(self, order, reader):
        page = reader.get(f"/area-clienti/link/casella/{'a' * 43}/")
        assert (page.status_code, "link-unknown" in page.text) == (404, True)
        assert order.mailbox not in page.text
        assert "nuovo/" not in page.text

    def test_an_old_link_offers_another_to_the_same_mailbox(self, order, reader, clock):
        path = path_in(order, VERIFY)
        clock.instant = NOW + 25 * HOUR
        page = reader.get(path)
        assert (page.status_code, "link-expired" in page.text) == (409, True)
        (again,) = re.findall(r'action="([^"]+/nuovo/)"', page.text)

        assert reader.get(again).status_code == 405
        assert "confirmation-missing" in reader.post(again).text
        assert reader.post(again, {"azione": "conferma"}).status_code == 200
        assert [mail.recipient for mail in mails(order, VERIFY)] == [order.mailbox] * 2
        assert "link-too-soon" in reader.post(again, {"azione": "conferma"}).text

        assert reader.post(path_in(order, VERIFY), {"azione": "conferma"}).status_code == 200

    def test_speaks_english_to_who_reads_it(self, order, reader):
        page = reader.get(path_in(order, VERIFY), headers={"accept-language": "en"})
        assert '<html lang="en">' in page.text
        assert "Conferm" not in page.text


class TestTermsAtTheMailbox:
    """MV and OV: whoever has not bought is the subscriber, and accepts the terms with the mailbox (SBR 9.6.3)."""

    @pytest.fixture(params=["mv", "ov"])
    def order(self, committed, request):
        return order_of(request.param, own=False)

    def test_the_page_shows_them_with_their_version(self, order, reader):
        page = reader.get(path_in(order, VERIFY)).text
        text = terms.in_force()
        for said in (text.title, f"Versione {text.version}", text.sha256, "Accetto i termini e le condizioni"):
            assert said in page

    def test_without_the_ticked_box_nothing_is_confirmed_and_the_link_stays_good(self, order, reader):
        path = path_in(order, VERIFY)
        page = reader.post(path, shown(reader.get(path)) | {"azione": "conferma"})
        assert (page.status_code, "Per proseguire accetti i termini" in page.text) == (422, True)
        assert 'href="#id_accept_terms"' in page.text
        assert (check_of(order, "mailbox").state, order.acceptances.count()) == ("waiting-customer", 0)
        assert MailedLink.objects.get().used_at is None

    def test_ticked_they_are_stored_with_version_digest_and_mailbox(self, order, reader):
        path = path_in(order, VERIFY)
        done = reader.post(path, shown(reader.get(path)) | {"azione": "conferma", "accept_terms": "on"})
        assert (done.status_code, check_of(order, "mailbox").state) == (200, "passed")
        stored, text = order.acceptances.get(), terms.in_force()
        assert (stored.role, stored.mailbox, stored.actor_id) == ("recipient", order.mailbox, None)
        assert (stored.version, stored.sha256, stored.address) == (text.version, text.sha256, "127.0.0.1")

    def test_programs_that_open_links_accept_nothing(self, order, reader):
        path = path_in(order, VERIFY)
        fields = shown(reader.get(path))
        for sent in ({}, fields, fields | {"accept_terms": "on"}):
            assert reader.post(path, sent).status_code == 409
        assert (order.acceptances.count(), MailedLink.objects.get().used_at) == (0, None)

    def test_terms_that_changed_meanwhile_are_shown_anew_and_unticked(self, order, reader):
        path = path_in(order, VERIFY)
        old = {"terms_version": "2020-01", "terms_sha256": "0" * 64, "accept_terms": "on", "azione": "conferma"}
        page = reader.post(path, old)
        assert (page.status_code, "sono cambiati" in page.text, " checked" in page.text) == (422, True, False)
        assert shown(page) == shown(reader.get(path))
        assert reader.post(path, shown(page) | {"azione": "conferma", "accept_terms": "on"}).status_code == 200

    def test_asked_again_for_the_same_mailbox_they_stand(self, committed, reader):
        order = order_of("ov", own=False)
        mailbox.confirm(token_in(mails(order, VERIFY)[-1]), accepted=in_force(), address=None, now=NOW)
        checks.restart(Check.objects.get(order=order, kind="mailbox"), at=NOW + HOUR / 2)
        path = path_in(order, VERIFY)
        assert "accept_terms" not in reader.get(path).text
        assert reader.post(path, {"azione": "conferma"}).status_code == 200

    def test_the_reader_of_another_mailbox_accepts_for_himself(self, committed, reader):
        order = order_of("ov", own=False)
        mailbox.confirm(token_in(mails(order, VERIFY)[-1]), accepted=in_force(), address=None, now=NOW)
        Order.objects.filter(pk=order.pk).update(mailbox="altra@posta.example.org")
        checks.restart(Check.objects.get(order=order, kind="mailbox"), at=NOW + HOUR / 2)
        path = path_in(order, VERIFY)
        assert reader.post(path, shown(reader.get(path)) | {"azione": "conferma"}).status_code == 422
        reader.post(path, shown(reader.get(path)) | {"azione": "conferma", "accept_terms": "on"})
        assert order.acceptances.filter(role="recipient", mailbox="altra@posta.example.org").count() == 1


@pytest.mark.parametrize(("validation", "own"), [("mv", True), ("ov", True), ("sv", False), ("iv", False)])
def test_buyers_have_accepted_before_and_who_consents_accepts_with_that(committed, reader, validation, own):
    path = path_in(order_of(validation, own=own), VERIFY)
    assert "accept_terms" not in reader.get(path).text
    assert reader.post(path, {"azione": "conferma"}).status_code == 200


def in_force() -> Accepted:
    """The terms as the page shows them today, ticked."""
    text = terms.in_force()
    return Accepted(text.version, text.sha256)


@pytest.fixture
def invited(order):
    """The mailbox is confirmed; the request for consent is out, an open session behind it when it is given."""
    with idp.installed(FakeProvider()) as fake:
        checks.pass_check(check_of(order, "mailbox"), at=NOW, method="prova")
        order.fake = fake
        yield order


def shown(page) -> dict[str, str]:
    """Fields that the page carries along."""
    return dict(re.findall(r'type="hidden" name="(\w*version|\w*sha256)" value="([^"]+)"', page.text))


class TestConsent:
    def test_the_page_says_what_is_asked_and_gives_the_guides_advice(self, invited, reader):
        text = reader.get(path_in(invited, CONSENT)).text
        for said in ("dati biometrici", "superficie piana", "5-10 minuti", "fotocamera attiva", "Versione 2026-11"):
            assert said in text
        assert "accept_terms" not in text

    def test_typed_and_sent_by_its_button_it_is_given_and_the_invitation_follows(self, invited, reader):
        path = path_in(invited, CONSENT)
        given = shown(reader.get(path)) | {"full_name": "anna prova", "azione": "do-il-consenso"}
        assert reader.post(path, given).status_code == 200
        attempts.carry_out_due(at=NOW + HOUR)

        consent = invited.consents.get()
        assert (consent.decision, consent.version, consent.typed) == ("given", "2026-11", "anna prova")
        assert (consent.sha256, consent.address) == (given["sha256"], "127.0.0.1")
        assert (check_of(invited, "consent").state, len(mails(invited, INVITED))) == ("passed", 1)

    @pytest.mark.parametrize("typed", ["", "Anna", "sì", "Anna Altra"])
    def test_without_the_name_nothing_is_given(self, invited, reader, typed):
        path = path_in(invited, CONSENT)
        page = reader.post(path, shown(reader.get(path)) | {"full_name": typed, "azione": "do-il-consenso"})
        assert (page.status_code, "scriva nome e cognome" in page.text) == (422, True)
        assert (invited.consents.count(), check_of(invited, "consent").state) == (0, "waiting-customer")

    def test_a_form_without_its_button_answers_nothing(self, invited, reader):
        path = path_in(invited, CONSENT)
        assert reader.post(path, shown(reader.get(path)) | {"full_name": "Anna Prova"}).status_code == 422
        assert not invited.consents.exists()

    def test_a_text_that_was_not_shown_is_not_consented_to(self, invited, reader):
        path = path_in(invited, CONSENT)
        sent = shown(reader.get(path)) | {"sha256": "0" * 64, "full_name": "Anna Prova", "azione": "do-il-consenso"}
        assert reader.post(path, sent).status_code == 422
        assert not invited.consents.exists()

    def test_a_recipient_who_has_not_bought_accepts_the_terms_too(self, committed, reader):
        order = order_of("sv", own=False)
        checks.pass_check(check_of(order, "mailbox"), at=NOW, method="prova")
        path = path_in(order, CONSENT)
        given = shown(reader.get(path)) | {"full_name": "Anna Prova", "azione": "do-il-consenso"}
        assert reader.post(path, given).status_code == 422
        assert reader.post(path, given | {"accept_terms": "on"}).status_code == 200

        acceptance = order.acceptances.get(role="recipient")
        assert (acceptance.address, acceptance.actor_id) == ("127.0.0.1", None)

    def test_pressed_twice_it_is_given_once(self, invited, reader):
        path = path_in(invited, CONSENT)
        given = shown(reader.get(path)) | {"full_name": "Anna Prova", "azione": "do-il-consenso"}
        for _ in range(2):
            assert reader.post(path, given).status_code == 200
        assert (invited.consents.count(), invited.attempts_made.count()) == (1, 1)


class TestIdentification:
    @pytest.fixture
    def path(self, invited, reader):
        path = path_in(invited, CONSENT)
        reader.post(path, shown(reader.get(path)) | {"full_name": "Anna Prova", "azione": "do-il-consenso"})
        attempts.carry_out_due(at=NOW + HOUR)
        return path_in(invited, INVITED)

    def test_the_page_says_what_is_needed_and_carries_itself_to_a_phone(self, path, reader):
        text = reader.get(path).text
        for said in (
            "documento di identità valido",
            "tenga il cellulare fermo",
            "Inizia verifica su iDenfy",
            "30 minuti",
        ):
            assert said in text
        assert 'src="data:image/svg+xml;base64,' in text
        assert "redirect?authToken" not in text

    def test_the_button_leads_to_the_provider_past_our_own_policy_of_forms(self, invited, path, reader):
        page = reader.post(path, {"azione": "conferma"})
        assert page.status_code == 200
        assert page["Refresh"] == "0; url=https://idp.example.org/redirect?authToken=segreto-scan-1"
        assert "form-action 'self'" in page["Content-Security-Policy"]
        assert invited.attempts_made.get().state == "started"

    def test_programs_do_not_begin_the_thirty_minutes(self, invited, path, reader):
        for answer in (reader.head(path), reader.get(path), reader.post(path)):
            assert "Refresh" not in answer
        assert invited.attempts_made.get().started_at is None

    @pytest.mark.parametrize("end", ["riuscito", "fallito", "interrotto"])
    def test_people_come_back_to_a_page_that_names_nobody(self, path, reader, end):
        page = reader.get(f"/area-clienti/link/riconoscimento/esito/{end}/")
        assert (page.status_code, "Anna" in page.text) == (200, False)
        assert reader.get("/area-clienti/link/riconoscimento/esito/altro/").status_code == 404


def test_every_button_of_these_pages_carries_its_value():
    assert (mailed.ACT, mailed.YES, mailed.WITHDRAW) == ("azione", "conferma", "ritira")


def test_tokens_stand_in_no_event(order, reader):
    token = token_in(mails(order, VERIFY)[0])
    reader.post(path_in(order, VERIFY), {"azione": "conferma"})
    from cms.models import Event

    assert token not in str(list(Event.objects.values()))
