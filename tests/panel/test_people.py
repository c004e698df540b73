"""Operatori: who sees whom, who changes what, and the way in for who was invited."""

from __future__ import annotations

import pyotp
import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client

from cms.models import Event, Invitation, Membership, User
from cms.states import Role
from notifications import rendering
from notifications.models import OutboxMessage
from tests.panel.town import PASSWORD, tax_code

PEOPLE, INVITE, ACCEPT = "/pannello/operatori/", "/pannello/operatori/invita/", "/accesso/invito/"
FACTORS = "/accesso/secondo-fattore/"
EMAIL, CODE = "livia.serra@example.org", tax_code("SRRLVI", 120)


@pytest.fixture
def staffed(town):
    town.manager = town.employ("resp@cdrl.example.org", "Rita Resta", role=Role.MANAGER)
    town.second_manager = town.employ("resp2@cdrl.example.org", "Remo Resi", role=Role.MANAGER)
    town.auditor = town.employ("rev@cdrl.example.org", "Vera Visti", role=Role.AUDITOR)
    town.elsewhere = town.found("cdrl-altro", "Altro Ordine di Esempio")
    town.offer(town.service.code, town.service.name, centre=town.elsewhere)
    town.stranger = town.employ("x@altro.example.org", "Zeno Altrove", centre=town.elsewhere)
    town.root = User.objects.create_user(
        "admin@example.org", PASSWORD, full_name="Ada Radice", is_staff=True, is_administrator=True
    )
    for user in (town.operator, town.manager, town.auditor, town.root):
        town.give_totp(user)
    return town


def form(town, **changes):
    values = {"full_name": "Livia Serra", "email": EMAIL, "tax_code": CODE, "place": town.centre.pk, "role": "operator"}
    return {**values, **changes}


def link():
    mail = OutboxMessage.objects.filter(kind="invitation").latest("queued_at", "created_at")
    return "/accesso/" + rendering._values(mail)["invitation_url"].split("/accesso/", 1)[1]


def invited(town, seat, freshly, **changes):
    """Invite through the page; the address that the mail carries."""
    answer = freshly(seat(town.root, town.service)).post(INVITE, form(town, **changes))
    assert answer.status_code == 302, answer.content.decode()
    return link()


# Who sees


def test_a_manager_sees_the_people_of_his_centre_and_nobody_elses(staffed, seat):
    page = seat(staffed.manager, staffed.service).get(PEOPLE).content.decode()

    assert "Sara Galli" in page
    assert "Vera Visti" in page
    assert "Zeno Altrove" not in page
    assert "Ada Radice" not in page
    assert "Invita una persona" in page


def test_an_administrator_sees_everybody_also_without_a_service(staffed, seat):
    for service in (staffed.service, None):
        page = seat(staffed.root, service).get(PEOPLE).content.decode()

        for name in ("Sara Galli", "Zeno Altrove", "Ada Radice"):
            assert name in page


def test_an_auditor_reads_and_finds_no_button(staffed, seat):
    client = seat(staffed.auditor, staffed.service)
    page = client.get(PEOPLE).content.decode()
    person = client.get(f"{PEOPLE}{staffed.operator.pk}/").content.decode()

    assert "Sara Galli" in page
    assert "Invita una persona" not in page
    for button in ("Cambia il ruolo", "Togli l&#x27;accesso", "Rimuovi i secondi fattori", "Disattiva"):
        assert button not in person


def test_an_operator_has_no_page_of_it(staffed, seat):
    client = seat(staffed.operator, staffed.service)

    assert client.get(PEOPLE).status_code == 403
    assert "/pannello/operatori/" not in client.get("/pannello/eventi/").content.decode()


def test_people_of_other_centres_are_not_there(staffed, seat, freshly):
    client = freshly(seat(staffed.manager, staffed.service))
    pk, centre = staffed.stranger.pk, staffed.elsewhere.pk
    for address in ("", f"ruolo/{centre}/", f"togli/{centre}/", "fattori/", "disattiva/", "riattiva/"):
        assert client.get(f"{PEOPLE}{pk}/{address}").status_code == 404
        if address:
            assert client.post(f"{PEOPLE}{pk}/{address}", {"role": "manager"}).status_code == 404


def test_the_list_asks_the_same_number_of_statements_for_any_number_of_people(
    staffed, seat, django_assert_num_queries, django_assert_max_num_queries
):
    client = seat(staffed.root, staffed.service)
    client.get(PEOPLE)
    with django_assert_max_num_queries(40) as few:
        client.get(PEOPLE)
    for number in range(20):
        staffed.employ(f"op{number}@cdrl.example.org")

    with django_assert_num_queries(len(few)):
        client.get(PEOPLE)


# Who changes


def test_every_change_wants_a_fresh_confirmation_and_leads_back(staffed, seat):
    client = seat(staffed.manager, staffed.service)

    answer = client.post(f"{PEOPLE}{staffed.operator.pk}/togli/{staffed.centre.pk}/")

    assert answer["Location"].startswith("/accesso/secondo-fattore/reauthenticate/?next=%2Fpannello%2Foperatori%2F")
    assert Membership.objects.filter(user=staffed.operator).exists()


def test_looking_at_a_question_changes_nothing_and_posting_it_does(staffed, seat, freshly):
    client = freshly(seat(staffed.manager, staffed.service))
    address = f"{PEOPLE}{staffed.operator.pk}/ruolo/{staffed.centre.pk}/"
    client.get(address)
    assert Membership.objects.get(user=staffed.operator).role == Role.OPERATOR

    client.post(address, {"role": "auditor"})

    assert Membership.objects.get(user=staffed.operator).role == Role.AUDITOR


def test_a_refusal_is_told_with_its_code(staffed, seat, freshly):
    Membership.objects.filter(user=staffed.second_manager).delete()
    client = freshly(seat(staffed.root, staffed.service))

    answer = client.post(f"{PEOPLE}{staffed.manager.pk}/togli/{staffed.centre.pk}/", follow=True)

    assert "unico responsabile" in answer.content.decode()
    assert "manager-last" in answer.content.decode()


def test_a_double_click_removes_once_and_says_so(staffed, seat, freshly):
    client = freshly(seat(staffed.manager, staffed.service))
    address = f"{PEOPLE}{staffed.operator.pk}/togli/{staffed.centre.pk}/"

    client.post(address)
    again = client.post(address)

    assert again.status_code == 404
    assert Event.objects.filter(verb="access.removed").count() == 1


def test_an_administrator_closes_and_opens_an_account(staffed, seat, freshly):
    client = freshly(seat(staffed.root, staffed.service))
    for action, is_active in (("disattiva", False), ("riattiva", True)):
        client.post(f"{PEOPLE}{staffed.operator.pk}/{action}/")

        assert User.objects.get(pk=staffed.operator.pk).is_active is is_active


def test_a_manager_cannot_invite_into_another_centre_by_a_forged_form(staffed, seat, freshly):
    client = freshly(seat(staffed.manager, staffed.service))
    for place in (staffed.elsewhere.pk, "fornitore"):
        client.post(INVITE, form(staffed, place=place))

    assert not Invitation.objects.exists()


def test_what_is_wrong_with_an_invitation_stays_in_the_form(staffed, seat, freshly):
    client = freshly(seat(staffed.manager, staffed.service))

    page = client.post(INVITE, form(staffed, tax_code="SRRLVI85T10A120A")).content.decode()

    assert "tax-code-invalid" in page
    assert EMAIL in page


def test_no_address_names_anybody(staffed, seat, freshly):
    address = invited(staffed, seat, freshly)
    client = freshly(seat(staffed.root, staffed.service))
    uid = Invitation.objects.get().uid
    answers = [client.post(f"{PEOPLE}inviti/{uid}/rinvia/"), client.post(f"{PEOPLE}inviti/{uid}/ritira/")]

    for shown in (address, *(answer["Location"] for answer in answers)):
        assert "livia" not in shown.lower()
        assert CODE not in shown


# The way in


def test_who_is_invited_sets_a_password_and_a_second_factor_before_anything_opens(staffed, seat, freshly):
    address = invited(staffed, seat, freshly)
    visitor = Client()

    page = visitor.get(address, follow=True)
    assert page.redirect_chain == [(ACCEPT, 302)]
    assert "Ada Radice la invita" in page.content.decode()
    assert staffed.centre.name in page.content.decode()
    answer = visitor.post(ACCEPT, {"password": PASSWORD, "repeated": PASSWORD})
    assert answer["Location"] == FACTORS
    assert visitor.get("/pannello/")["Location"] == FACTORS
    shown = visitor.get(f"{FACTORS}totp/activate/")  # the password just set suffices
    secret = shown.context["form"].secret
    visitor.post(f"{FACTORS}totp/activate/", {"code": pyotp.TOTP(secret).now()})
    answer = visitor.get("/pannello/servizio/")
    visitor.post(answer["Location"], {"code": pyotp.TOTP(secret).now(), "next": "/pannello/servizio/"})

    assert visitor.get("/pannello/servizio/").status_code == 200


def test_opening_the_link_accepts_nothing(staffed, seat, freshly):
    address = invited(staffed, seat, freshly)

    for _ in range(2):
        Client().get(address, follow=True)

    assert not User.objects.filter(email=EMAIL).exists()
    assert Invitation.objects.get().used_at is None


def test_two_different_passwords_and_weak_ones_are_told_at_the_field(staffed, seat, freshly):
    visitor = Client()
    visitor.get(invited(staffed, seat, freshly))

    page = visitor.post(ACCEPT, {"password": PASSWORD, "repeated": "altra"}).content.decode()
    assert "non coincidono" in page
    page = visitor.post(ACCEPT, {"password": "123456789012", "repeated": "123456789012"}).content.decode()
    assert "errors" in page
    assert not User.objects.filter(email=EMAIL).exists()


@pytest.mark.parametrize(
    ("spoil", "code", "status"),
    [
        ({"token_sha256": "0" * 64}, "invitation-unknown", 404),
        ({"withdrawn_at": "2026-03-02T08:00:00Z"}, "invitation-withdrawn", 409),
        ({"expires_at": "2026-03-02T08:59:59Z"}, "invitation-expired", 409),
        ({"used_at": "2026-03-02T08:00:00Z"}, "invitation-used", 409),
    ],
)
def test_a_link_that_does_not_open_says_why_with_its_code(staffed, seat, freshly, spoil, code, status):
    address = invited(staffed, seat, freshly)
    Invitation.objects.update(**spoil)

    answer = Client().get(address, follow=True)

    assert answer.status_code == status
    assert code in answer.content.decode()
    assert "Non è stato creato né cambiato nessun accesso" in answer.content.decode()


def test_who_has_an_account_logs_in_and_accepts(staffed, seat, freshly):
    secret = staffed.give_totp(staffed.stranger)
    address = invited(staffed, seat, freshly, email=staffed.stranger.email)
    visitor = Client()
    page = visitor.get(address, follow=True).content.decode()
    assert "esiste già un account" in page
    visitor.post("/accesso/login/", {"login": staffed.stranger.email, "password": PASSWORD, "next": ACCEPT})
    answer = visitor.post(f"{FACTORS}authenticate/", {"code": pyotp.TOTP(secret).now()})
    assert answer["Location"] == ACCEPT

    visitor.post(ACCEPT)

    assert Membership.objects.filter(user=staffed.stranger, centre=staffed.centre).exists()
    assert User.objects.get(pk=staffed.stranger.pk).tax_code == CODE


def test_an_account_that_has_not_shown_its_second_factor_accepts_nothing(staffed, seat, freshly):
    staffed.give_totp(staffed.stranger)
    address = invited(staffed, seat, freshly, email=staffed.stranger.email)
    client = seat(staffed.stranger, staffed.service)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": 0}]
    session.save()
    client.get(address)

    assert "reauthenticate" in client.post(ACCEPT)["Location"]
    assert not Membership.objects.filter(user=staffed.stranger, centre=staffed.centre).exists()


def test_the_wrong_account_is_told_so_and_takes_nothing(staffed, seat, freshly):
    address = invited(staffed, seat, freshly)
    client = seat(staffed.stranger, staffed.service)

    answer = client.get(address, follow=True)

    assert answer.status_code == 403
    assert "invitation-foreign" in answer.content.decode()
    client.post(ACCEPT)
    assert Invitation.objects.get().used_at is None
