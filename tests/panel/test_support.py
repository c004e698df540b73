"""Richieste di supporto: whoever looks after a request takes it, answers it once by mail, and closes it."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from cms.models import Agreement, Event, Membership, User
from cms.states import Role
from notifications import services as notifications
from notifications.models import OutboxMessage
from renewals.admin.support_views import age
from renewals.models import SupportAnswer, SupportLog, SupportRequest
from renewals.services import support_desk
from renewals.services.support import Asked, open_request
from tests.panel.town import NOW

LOG = "09:00 flow INFO passo installation\n" * 1200 + "09:01 card ERROR CKR_DEVICE_ERROR"


def asked(**more):
    said = {
        "request_id": uuid.uuid4(),
        "code": "card-memory",
        "step": "requests",
        "message": "Si ferma a metà.\nChe cosa faccio? <b>Grazie</b>",
        "email": "",
        "language": "it",
        "client": "sigillo-card 0.2.0",
        "system": "Windows 11",
        "card_serial": "",
        "family": "ACe 2021",
        "reader": "miniLector EVO",
        "driver": "bit4xpki 1.4.10",
        "log": "",
    }
    return Asked(**said | more)


@pytest.fixture
def case(town):
    return town.case()


@pytest.fixture
def proven(case):
    """Opened with the card."""
    return open_request(asked(log=LOG), case_id=case.pk, now=NOW - timedelta(hours=3))


@pytest.fixture
def hearsay(case):
    """Somebody has named the card."""
    return open_request(
        asked(card_serial=case.card.serial, email="io@altrove.example.org"), case_id=None, now=NOW - timedelta(hours=2)
    )


@pytest.fixture
def ownerless(town):
    """A card that the register does not know."""
    return open_request(asked(card_serial="999", email="chi@altrove.example.org"), case_id=None, now=NOW)


@pytest.fixture
def administrator(town):
    return User.objects.create_user(
        "ada@provider.example.org", full_name="Ada Radice", is_staff=True, is_administrator=True
    )


@pytest.fixture
def auditor(town):
    return town.employ("rita.corsi@cdrl.example.org", "Rita Corsi", role=Role.AUDITOR)


def page(client, row):
    return client.get(reverse("admin:support_request", args=[row.number]))


def address(name, row):
    return reverse(f"admin:{name}", args=[row.number])


def answer_form(client, row):
    """The hidden fields as the page hands them out."""
    shown = client.get(address("answer_support", row)).content.decode()
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', shown) for name in ("uid", "to")}
    return {name: match[1] if match else "" for name, match in found.items()}


class TestQueue:
    """The list says what happened, to whom, since when, and who has it."""

    def test_it_shows_what_is_open_with_the_codes_words(self, desk, proven, hearsay):
        shown = desk.get(reverse("admin:support")).content.decode()
        assert shown.index(hearsay.number) < shown.index(proven.number)
        assert "Da prendere in carico" in shown
        assert shown.count("card-memory") == 2
        assert "Non verificata" in shown

    def test_it_is_narrowed_by_state_owner_and_number(self, desk, town, proven, hearsay, case):
        support_desk.assign_request(proven.number, town.operator.pk, operator=town.operator, now=NOW)
        support_desk.close_request(hearsay.number, operator=town.operator, now=NOW)

        def numbers(query):
            found = desk.get(reverse("admin:support") + query).content.decode()
            return {row.number for row in (proven, hearsay) if row.number in found}

        assert numbers("") == numbers("?mie=1") == numbers("?stato=in-carico") == {proven.number}
        assert numbers("?stato=chiuse") == {hearsay.number}
        assert numbers("?stato=tutte") == {proven.number, hearsay.number}
        assert numbers("?stato=da-prendere") == set()
        spoken = hearsay.number.replace("-", " ").lower()
        assert numbers(f"?cerca={spoken}") == {hearsay.number}
        assert numbers(f"?cerca={case.card.serial}") == {proven.number, hearsay.number}
        assert numbers("?cerca=S000-0000") == set()

    def test_the_sidebar_counts_what_nobody_has_taken(self, desk, town, proven, hearsay):
        assert "2<" in counter(desk)
        support_desk.assign_request(proven.number, town.operator.pk, operator=town.operator, now=NOW)
        assert "1<" in counter(desk)

    @pytest.mark.parametrize(
        ("waited", "said"),
        [
            (timedelta(seconds=5), "1 minuto fa"),
            (timedelta(minutes=59), "59 minuti fa"),
            (timedelta(minutes=61), "1 ora fa"),
            (timedelta(hours=23), "23 ore fa"),
            (timedelta(hours=25), "ieri"),
            (timedelta(days=3), "3 giorni fa"),
        ],
    )
    def test_how_long_somebody_waits_is_said_to_the_minute_on_the_first_day(self, waited, said):
        assert age(NOW - waited, NOW) == said

    def test_an_empty_queue_says_what_would_stand_here(self, desk):
        assert "Nessuna richiesta aperta" in desk.get(reverse("admin:support")).content.decode()


def counter(client):
    shown = client.get(reverse("admin:cases")).content.decode()
    return shown[shown.index("Richieste di supporto") :][:300]


class TestOneRequest:
    """Facts, the holder's words as they are, the log where it does no harm."""

    def test_it_shows_everything_that_helps(self, desk, proven, case):
        shown = page(desk, proven).content.decode()
        for word in (case.code, case.holder.surname, "miniLector EVO", "bit4xpki 1.4.10", "Aperta con la carta"):
            assert word in shown
        assert "Si ferma a metà.<br>Che cosa faccio? &lt;b&gt;Grazie&lt;/b&gt;" in shown
        assert case.holder.email in shown

    def test_of_a_long_log_the_end_is_shown_and_the_whole_is_a_file(self, desk, proven):
        shown = page(desk, proven).content.decode()
        assert "CKR_DEVICE_ERROR" in shown
        assert "solo la fine" in shown
        file = desk.get(address("support_log", proven))
        assert file.content.decode() == LOG
        assert file.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert file.headers["Content-Disposition"] == f'attachment; filename="{proven.number}.log.txt"'
        assert file.headers["X-Content-Type-Options"] == "nosniff"

    def test_without_a_log_there_is_no_file(self, desk, hearsay):
        assert desk.get(address("support_log", hearsay)).status_code == 404

    def test_what_nobody_has_proven_is_marked_wherever_it_stands(self, desk, hearsay, case):
        shown = page(desk, hearsay).content.decode()
        assert "non ha provato di averla" in shown
        assert "della carta indicata" in shown
        assert case.code in shown
        assert "io@altrove.example.org" in shown
        assert case.holder.email not in shown

    def test_a_code_that_is_not_known_says_so(self, desk, case):
        row = open_request(asked(code="from-the-future"), case_id=case.pk, now=NOW)
        assert "non è fra quelli" in page(desk, row).content.decode()


class TestActs:
    """GET asks, POST acts; twice is once."""

    def test_taking_it_makes_it_mine(self, desk, town, proven):
        assert "Prendi in carico" in desk.get(address("take_support", proven)).content.decode()
        for _ in range(2):
            desk.post(address("take_support", proven))

        proven.refresh_from_db()
        assert (proven.state, proven.assigned_to, proven.assigned_at) == ("assigned", town.operator.pk, NOW)
        event = Event.objects.get(verb="support.assigned")
        assert (event.actor_id, event.facts) == (town.operator.pk, {"request": proven.number, "to": town.operator.pk})

    def test_it_is_handed_to_who_may_look_after_it_and_to_nobody_else(self, desk, town, proven, auditor):
        colleague = town.employ("ugo.neri@cdrl.example.org", "Ugo Neri")
        asked_whom = desk.get(address("assign_support", proven)).content.decode()
        assert "Ugo Neri" in asked_whom
        assert "Rita Corsi" not in asked_whom

        desk.post(address("assign_support", proven), {"person": auditor.pk})
        proven.refresh_from_db()
        assert proven.state == "open"
        desk.post(address("assign_support", proven), {"person": colleague.pk})
        proven.refresh_from_db()
        assert proven.assigned_to == colleague.pk

    def test_an_answer_goes_to_the_registered_mailbox_once_however_often_it_is_clicked(self, desk, town, proven, case):
        form = answer_form(desk, proven) | {"text": "Tolga la carta\r\ne la inserisca di nuovo."}
        for _ in range(3):
            assert desk.post(address("answer_support", proven), form).status_code == 302

        mail = OutboxMessage.objects.get(kind="support-answer")
        answer = SupportAnswer.objects.get()
        assert (mail.recipient, mail.case_code, mail.holder_id) == (case.holder.email, case.code, case.holder_id)
        assert mail.context["answer"] == answer.text == "Tolga la carta\ne la inserisca di nuovo."
        assert mail.context["holder_name"] == case.holder.full_name
        proven.refresh_from_db()
        assert (proven.state, proven.assigned_to, proven.answered_at) == ("assigned", town.operator.pk, NOW)
        assert Event.objects.filter(verb="support.answered").count() == 1
        assert "Tolga la carta<br>e la inserisca" in page(desk, proven).content.decode()

    def test_a_second_answer_is_a_second_mail(self, desk, proven):
        for text in ("Uno", "Due"):
            desk.post(address("answer_support", proven), answer_form(desk, proven) | {"text": text})
        assert OutboxMessage.objects.filter(kind="support-answer").count() == 2

    def test_what_was_typed_gets_an_answer_without_a_name_and_never_the_registered_mailbox(self, desk, hearsay, case):
        asked_first = desk.get(address("answer_support", hearsay)).content.decode()
        assert "nessuno l&#x27;ha verificata" in asked_first
        desk.post(address("answer_support", hearsay), answer_form(desk, hearsay) | {"text": "Ecco"})

        mail = OutboxMessage.objects.get(kind="support-answer")
        assert (mail.recipient, mail.case_code, mail.holder_id) == ("io@altrove.example.org", "", None)
        assert mail.context["holder_name"] == ""
        assert case.holder.surname not in str(mail.context)

    def test_the_answer_speaks_the_language_of_the_request(self, desk, case, mailbox):
        row = open_request(asked(language="en"), case_id=case.pk, now=NOW)
        desk.post(address("answer_support", row), answer_form(desk, row) | {"text": "Please try again."})
        notifications.deliver_due(at=NOW)

        (letter,) = [one for one in mailbox.messages() if row.number in one["subject"] and "Answer" in one["subject"]]
        assert case.centre.email in letter["Reply-To"]
        assert "Please try again." in letter.get_body(("plain",)).get_content()

    def test_an_answer_does_not_go_where_nobody_looked(self, desk, proven, case):
        form = answer_form(desk, proven)
        case.holder.email = "altra@posta.example.org"
        case.holder.save()
        shown = desk.post(address("answer_support", proven), form | {"text": "Ecco"}).content.decode()
        assert "support-mailbox-changed" in shown
        assert not OutboxMessage.objects.filter(kind="support-answer").exists()

    @pytest.mark.parametrize("text", ["", "   ", "\u200b\u202e", "x" * 4001])
    def test_an_answer_says_something_and_not_too_much(self, desk, proven, text):
        assert (
            desk.post(address("answer_support", proven), answer_form(desk, proven) | {"text": text}).status_code == 200
        )
        assert not SupportAnswer.objects.exists()

    def test_four_thousand_characters_in_many_lines_are_four_thousand(self, desk, proven):
        text = ("x" * 79 + "\r\n") * 49 + "x" * 80
        assert (
            desk.post(address("answer_support", proven), answer_form(desk, proven) | {"text": text}).status_code == 302
        )

    def test_without_a_mailbox_nothing_can_be_answered(self, desk, case):
        row = open_request(asked(card_serial=case.card.serial), case_id=None, now=NOW)
        assert "Rispondi" not in page(desk, row).content.decode()
        shown = desk.post(address("answer_support", row), answer_form(desk, row) | {"text": "Ecco"}).content.decode()
        assert "support-mailbox-missing" in shown

    def test_closed_is_closed_until_it_is_opened_again(self, desk, town, proven):
        form = answer_form(desk, proven) | {"text": "Ecco"}
        for _ in range(2):
            desk.post(address("close_support", proven))
        assert Event.objects.filter(verb="support.closed").count() == 1
        assert "support-request-closed" in desk.post(address("answer_support", proven), form).content.decode()

        desk.post(address("reopen_support", proven))
        proven.refresh_from_db()
        assert (proven.state, proven.closed_at, proven.assigned_to) == ("assigned", None, town.operator.pk)

    def test_a_get_changes_nothing(self, desk, proven):
        for name in ("take_support", "assign_support", "answer_support", "close_support", "reopen_support"):
            assert desk.get(address(name, proven)).status_code == 200
        proven.refresh_from_db()
        assert proven.state == "open"
        assert not Event.objects.filter(verb__startswith="support.").exclude(verb="support.opened").exists()


class TestWhoMay:
    """The centre's operators and managers; the provider where there is no centre; auditors look."""

    def test_another_centre_does_not_see_it(self, town, seat, proven):
        other = town.found("cdrl-siena", "Collegio dei Geometri di Esempio")
        stranger = town.employ("leo.riva@cdrl.example.org", "Leo Riva", centre=other)
        Agreement.objects.create(centre=other, service=town.service, approval="authorisation")
        client = seat(stranger, town.service)
        assert page(client, proven).status_code == 404
        assert client.post(address("close_support", proven)).status_code == 404

    def test_another_service_is_another_desk(self, town, seat, proven):
        assert page(seat(town.operator, town.other_service), proven).status_code in {302, 404}

    def test_an_auditor_reads_and_is_refused(self, town, seat, auditor, proven):
        client = seat(auditor, town.service)
        assert address("close_support", proven) not in page(client, proven).content.decode()
        client.post(address("close_support", proven))
        proven.refresh_from_db()
        assert proven.state == "open"

    def test_a_request_of_no_centre_is_the_providers(self, desk, town, seat, ownerless, administrator):
        assert page(desk, ownerless).status_code == 404
        client = seat(administrator, town.service)
        assert ownerless.number in client.get(reverse("admin:support")).content.decode()
        assert "1<" in counter(client)
        desk_says = client.post(address("answer_support", ownerless), answer_form(client, ownerless) | {"text": "Ecco"})
        assert desk_says.status_code == 302
        mail = OutboxMessage.objects.get(kind="support-answer")
        assert (mail.recipient, mail.context["centre_name"]) == ("chi@altrove.example.org", "Sigillo")
        client.post(address("close_support", ownerless))
        ownerless.refresh_from_db()
        assert ownerless.state == "closed"

    def test_an_administrator_without_a_place_in_the_centre_looks_and_does_not_act(
        self, town, seat, proven, administrator
    ):
        client = seat(administrator, town.service)
        assert "Rispondi" not in page(client, proven).content.decode()
        client.post(address("close_support", proven))
        proven.refresh_from_db()
        assert proven.state == "open"

    def test_who_has_left_the_centre_is_no_longer_asked(self, desk, town, proven):
        Membership.objects.filter(user=town.operator).update(role=Role.AUDITOR)
        desk.post(address("take_support", proven))
        proven.refresh_from_db()
        assert proven.state == "open"


class TestLogs:
    """Kept while they help, and ninety days more."""

    def test_a_log_ends_ninety_days_after_the_closing_and_the_request_stays(self, town, proven):
        support_desk.close_request(proven.number, operator=town.operator, now=NOW)
        assert support_desk.forget_logs(now=NOW + timedelta(days=90, seconds=-1)) == 0
        assert support_desk.forget_logs(now=NOW + timedelta(days=90)) == 1
        assert (SupportLog.objects.count(), SupportRequest.objects.count()) == (0, 1)
        assert support_desk.forget_logs(now=NOW + timedelta(days=91)) == 0

    def test_a_log_of_what_was_opened_again_or_never_closed_stays(self, town, proven):
        assert support_desk.forget_logs(now=NOW + timedelta(days=900)) == 0
        support_desk.close_request(proven.number, operator=town.operator, now=NOW)
        support_desk.reopen_request(proven.number, operator=town.operator, now=NOW)
        assert support_desk.forget_logs(now=NOW + timedelta(days=900)) == 0

    def test_what_nobody_has_proven_is_not_kept_for_ever_because_nobody_closed_it(self, town, proven):
        SupportRequest.objects.filter(pk=proven.pk).update(is_proven=False)
        opened = SupportRequest.objects.get(pk=proven.pk).opened_at
        assert support_desk.forget_logs(now=opened + timedelta(days=90, seconds=-1)) == 0
        assert support_desk.forget_logs(now=opened + timedelta(days=90)) == 1

    def test_beat_pokes_it(self):
        from config.schedule import SCHEDULE

        assert SCHEDULE["forget-support-logs"]["task"] == "renewals.tasks.forget_support_logs"
