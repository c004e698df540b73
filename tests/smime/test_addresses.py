"""*I miei indirizzi*: added by whoever reads the mail and is logged in as the customer, and by nobody else."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from cms.errors import LinkExpired, LinkUnknown
from cms.models import Event, User
from notifications.models import OutboxMessage
from runtime import sealing
from smime import queries
from smime.errors import MailboxNotAscii
from smime.errors.addresses import AddressesFixed, AddressKnown, AddressNeeded, AddressTaken
from smime.services import addresses, slots
from tests.smime.customers import NOW, customer, proves, slot_of

pytestmark = pytest.mark.django_db
OTHER = "anna@casa.example.org"
HOUR = timedelta(hours=1)
PAGE = "/area-clienti/indirizzi/"


@pytest.fixture
def buyer() -> User:
    buyer = customer()
    slot_of(buyer)
    return buyer


def link_of() -> str:
    """The address in the newest mail, as only its reader sees it."""
    mail = OutboxMessage.objects.filter(kind="smime-own-mailbox").latest("pk")
    return str(json.loads(sealing.unseal(mail.sealed_context, context=mail.seal_context))["mailed_url"])


def token_of() -> str:
    return link_of().rstrip("/").rpartition("/")[2]


class TestAsking:
    def test_a_link_goes_to_the_address_and_nothing_is_stored(self, buyer):
        addresses.ask(OTHER, buyer=buyer, now=NOW)
        mail = OutboxMessage.objects.get()
        assert (mail.recipient, mail.context["account"]) == (OTHER, buyer.email)
        assert token_of() not in str(mail.context)
        assert queries.own_mailboxes_of(buyer) == [buyer.email]

    def test_an_address_of_his_is_not_asked_again(self, buyer):
        with pytest.raises(AddressKnown):
            addresses.ask(buyer.email.upper(), buyer=buyer, now=NOW)

    def test_one_that_no_certificate_can_carry_is_refused(self, buyer):
        with pytest.raises(MailboxNotAscii):
            addresses.ask("anna@pòsta.example.org", buyer=buyer, now=NOW)

    def test_that_another_account_has_it_is_told_to_its_reader_alone(self, buyer):
        other = customer()
        addresses.ask(other.email, buyer=buyer, now=NOW)
        with pytest.raises(AddressTaken):
            addresses.confirm(token_of(), buyer=buyer, now=NOW)
        assert queries.own_mailboxes_of(buyer) == [buyer.email]

    @pytest.mark.parametrize("make", [lambda: customer(is_staff=True), customer], ids=["operator", "never bought"])
    def test_not_for_everybody(self, make):
        with pytest.raises(AddressesFixed):
            addresses.ask(OTHER, buyer=make(), now=NOW)


class TestConfirming:
    def test_it_is_the_buyers_from_then_on_and_twice_is_once(self, buyer):
        addresses.ask("Anna@casa.example.org", buyer=buyer, now=NOW)
        for _ in range(2):
            assert addresses.confirm(token_of(), buyer=buyer, now=NOW + HOUR) == OTHER
        assert queries.own_mailboxes_of(buyer) == [buyer.email, OTHER]
        assert Event.objects.get(verb="smime.address-confirmed").facts == {"account": buyer.pk}

    def test_in_another_accounts_session_the_link_is_unknown(self, buyer):
        addresses.ask(OTHER, buyer=buyer, now=NOW)
        with pytest.raises(LinkUnknown):
            addresses.confirm(token_of(), buyer=customer(), now=NOW)
        assert not EmailAddress.objects.filter(email=OTHER).exists()

    def test_a_day_later_it_has_ended(self, buyer):
        addresses.ask(OTHER, buyer=buyer, now=NOW)
        with pytest.raises(LinkExpired):
            addresses.confirm(token_of(), buyer=buyer, now=NOW + 24 * HOUR)

    @pytest.mark.parametrize("token", ["", "x", "a:b:c"])
    def test_a_forged_one_is_unknown(self, buyer, token):
        with pytest.raises(LinkUnknown):
            addresses.confirm(token, buyer=buyer, now=NOW)


class TestRemoving:
    def test_it_is_his_no_more(self, buyer):
        proves(buyer, OTHER)
        for _ in range(2):
            addresses.remove(OTHER, buyer=buyer, now=NOW)
        assert queries.own_mailboxes_of(buyer) == [buyer.email]
        assert Event.objects.filter(verb="smime.address-removed").count() == 1

    def test_the_one_that_he_logs_in_with_stays(self, buyer):
        with pytest.raises(AddressNeeded):
            addresses.remove(buyer.email, buyer=buyer, now=NOW)

    def test_anothers_is_not_touched(self, buyer):
        other = customer()
        addresses.remove(other.email, buyer=buyer, now=NOW)
        assert queries.own_mailboxes_of(other) == [other.email]


def test_whoever_sells_to_a_second_address_sells_to_its_account(buyer):
    proves(buyer, OTHER)
    assert slots._account(OTHER, "Anna Prova") == buyer
    assert User.objects.filter(email=OTHER).count() == 0


class TestPage:
    @pytest.fixture
    def browser(self, buyer, clock):
        clock.instant = NOW
        client = Client()
        client.force_login(buyer)
        return client

    def test_from_the_form_to_the_wizard(self, browser, buyer):
        answer = browser.post(PAGE, {"email": OTHER}, follow=True).content.decode()
        assert f"Abbiamo inviato un collegamento a {OTHER}" in answer

        path = "/" + link_of().partition("://")[2].partition("/")[2]
        for _ in range(2):  # looking changes nothing
            assert OTHER in browser.get(path).content.decode()
        assert queries.own_mailboxes_of(buyer) == [buyer.email]
        assert f"L&#x27;indirizzo {OTHER} è confermato" in browser.post(path, follow=True).content.decode()
        assert queries.own_mailboxes_of(buyer) == [buyer.email, OTHER]

        browser.post(f"{PAGE}togli/", {"email": OTHER})
        assert queries.own_mailboxes_of(buyer) == [buyer.email]

    def test_strangers_log_in_first(self, buyer):
        addresses.ask(OTHER, buyer=buyer, now=NOW)
        path = "/" + link_of().partition("://")[2].partition("/")[2]
        for answer in (Client().get(path), Client().post(path)):
            assert (answer.status_code, answer["Location"].startswith("/accesso/login/")) == (302, True)
        assert not EmailAddress.objects.filter(email=OTHER).exists()

    def test_a_wrong_address_is_refused_at_its_field(self, browser, buyer):
        for typed in ("", "anna", buyer.email):
            answer = browser.post(PAGE, {"email": typed})
            assert (answer.status_code, 'id="id_email-error"' in answer.content.decode()) == (422, True)

    def test_no_mailbox_is_filled_with_links(self, browser, clock):
        for minute in range(5):
            clock.instant = NOW + timedelta(minutes=minute)
            browser.post(PAGE, {"email": OTHER})
        answer = browser.post(PAGE, {"email": OTHER})
        assert (answer.status_code, "riprovi tra un&#x27;ora" in answer.content.decode()) == (422, True)
        assert OutboxMessage.objects.count() == 5
