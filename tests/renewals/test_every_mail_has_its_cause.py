"""Every kind of mail in the catalogue is posted by something that really happens, and by nothing outside the catalogue."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client

from cms.actors import SYSTEM
from cms.errors import CodeRefused
from cms.models import Stock, User
from cms.policy import days_before
from cms.services import access, codes, halves, links, low_stock, requests
from cms.services.halves import Choice
from cms.services.invitations import Invitee, invite
from cms.states import LinkPurpose, RevocationCause, Role
from config import watch
from notifications.catalog import CATALOG, Message
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase, SupportRequest
from renewals.services import cases, decisions, digest, reminders, revocations, support_desk
from renewals.services.support import Asked, mailbox_of, open_request
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import Enrolment
from tests.renewals.quick import completed, opened, signed
from tests.renewals.test_clock import DAY_121, DUE
from tests.renewals.world import OLD_NOT_AFTER, World, tax_code

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("cms", "renewals", "smime", "config", "authority", "notifications")
# Where kinds are named to be shown, drawn or rendered; a mail is posted elsewhere.
SHOWN_IN = ("notifications/", "renewals/admin/")


@dataclass
class Stage:
    """What a story finds: a world, and a browser for what only a page can start."""

    world: World
    client: Client

    def administrator(self) -> User:
        """Somebody of the provider."""
        return User.objects.create_user(
            "ada@provider.example.org", full_name="Ada Radice", is_staff=True, is_administrator=True
        )

    def suspended(self) -> RenewalCase:
        """A case that nobody approved in time."""
        case = completed(self.world, 1)
        sweeps.suspend_unauthorised(now=DUE)
        requests.carry_out_due(at=DUE)
        return RenewalCase.objects.get(pk=case.pk)


def window_opens(stage: Stage) -> None:
    stage.world.card(1)
    sweeps.open_windows(now=NOW)


def seven_days_are_left_to_renew(stage: Stage) -> None:
    opened(stage.world, 1)
    reminders.tell_due(now=days_before(OLD_NOT_AFTER, 7))


def holder_signs_the_form(stage: Stage) -> None:
    Enrolment(stage.world.card(1)).until("requests")


def holder_installs_under_an_automatic_agreement(stage: Stage) -> None:
    stage.world.agreement.approval = "automatic"
    stage.world.agreement.save()
    Enrolment(stage.world.card(1)).until("done")


def holder_installs(stage: Stage) -> None:
    Enrolment(stage.world.card(1)).until("done")


def centre_approves(stage: Stage) -> None:
    decisions.approve_renewal(completed(stage.world, 1).pk, operator=stage.world.operator, now=NOW)


def centre_refuses(stage: Stage) -> None:
    decisions.refuse_renewal(completed(stage.world, 1).pk, operator=stage.world.operator, reason="Cessato", now=NOW)


def seven_days_are_left_to_approve(stage: Stage) -> None:
    completed(stage.world, 1)
    reminders.tell_due(now=days_before(OLD_NOT_AFTER, 7))


def nobody_approves(stage: Stage) -> None:
    stage.suspended()


def thirty_days_are_left_before_revocation(stage: Stage) -> None:
    stage.suspended()
    reminders.tell_due(now=days_before(DAY_121, 30))


def centre_approves_late(stage: Stage) -> None:
    decisions.approve_renewal(stage.suspended().pk, operator=stage.world.operator, now=DUE)
    requests.carry_out_due(at=DUE)


def operator_revokes(stage: Stage) -> None:
    pair = stage.world.card(1).pair
    choice = Choice(pair.pk, halves.ids(pair.certificates.all()))
    cause = RevocationCause.KEY_COMPROMISED
    revocations.revoke_certificates(choice, cause=cause, note="", operator=stage.world.operator, now=NOW)
    requests.carry_out_due(at=NOW)


def old_certificate_expires(stage: Stage) -> None:
    opened(stage.world, 1)
    sweeps.expire_cases(now=DUE)


def holder_gives_another_mailbox(stage: Stage) -> None:
    Enrolment(stage.world.card(1)).until("contacts").contacts(email="nuova@posta.example.org")


def holder_gives_another_address(stage: Stage) -> None:
    address = {"street": "Via Roma 1", "postcode": "52100", "town": "Arezzo", "province": "AR"}
    Enrolment(stage.world.card(1)).until("contacts").contacts(address=address)


def ten_wrong_codes_are_typed(stage: Stage) -> None:
    holder = stage.world.card(1).pair.holder
    codes.renew_user_code(holder, at=NOW)
    for _ in range(10):
        with pytest.raises(CodeRefused):
            codes.enter_with_code(holder.tax_code, "AAAAAAAAAAAAAA", now=NOW)
    codes.tell_closed(now=NOW)


def holder_asks_for_a_link(stage: Stage) -> None:
    holder = stage.world.card(1).pair.holder
    links.ask_link(holder.tax_code, LinkPurpose.REOPEN, origin="192.0.2.1", now=NOW)
    links.answer_requests(now=NOW)


def operator_issues_the_code_anew(stage: Stage) -> None:
    pair = stage.world.card(1).pair
    codes.reissue_code(pair.holder_id, centre_id=pair.centre_id, operator=stage.world.operator, now=NOW)


def operator_cancels(stage: Stage) -> None:
    cases.cancel_case(signed(stage.world, 1).pk, reason="holder-declines", actor=SYSTEM, at=NOW)


def holder_is_turned_away_for_want_of_stock(stage: Stage) -> None:
    enrolment = Enrolment(stage.world.card(1)).until("diagnosis")
    Stock.objects.update(free=0)
    enrolment.diagnose()


def holder_calls_his_data_wrong(stage: Stage) -> None:
    enrolment = Enrolment(stage.world.card(1)).until("acceptance")
    enrolment.call("post", "/case/cancellation", {"reason": "holder-data-wrong", "note": "via errata", "confirm": True})


def holder_asks_for_help(stage: Stage) -> None:
    asked = Asked(
        request_id=UUID(int=1), code="card-update", step="requests", message="", email="", language="it", client="",
        system="", card_serial="", family="", reader="", driver="", log="",
    )  # fmt: skip
    open_request(asked, case_id=opened(stage.world, 1).pk, now=NOW)


def operator_answers_a_request_for_help(stage: Stage) -> None:
    holder_asks_for_help(stage)
    request = SupportRequest.objects.get()
    to, _is_registered = mailbox_of(request)
    support_desk.answer_request(request.number, UUID(int=2), "Ecco.", to=to, operator=stage.world.operator, now=NOW)


def a_counter_falls(stage: Stage) -> None:
    low_stock.warn_of_low_stock(now=NOW)


def morning_comes(stage: Stage) -> None:
    completed(stage.world, 1)
    digest.tell_day(now=NOW + timedelta(days=1))


def the_clock_stands_still(stage: Stage) -> None:
    stage.administrator()
    completed(stage.world, 1)
    watch.look(now=DUE + timedelta(hours=1))


def administrator_invites(stage: Stage) -> None:
    person = Invitee("nuovo@cdrl.example.org", "Nino Nuovo", tax_code(77), stage.world.centre.pk, Role.OPERATOR)
    invite(person, operator=stage.administrator(), now=NOW)


def operator_has_forgotten_the_password(stage: Stage) -> None:
    stage.world.operator.set_password("una-frase-lunga")
    stage.world.operator.save()
    stage.client.post("/accesso/password/reset/", {"email": stage.world.operator.email})


def administrator_closes_an_account(stage: Stage) -> None:
    access.close_account(stage.world.operator.pk, operator=stage.administrator(), now=NOW)


CAUSES: dict[Message, Callable[[Stage], None]] = {
    Message.RENEWAL_NOTICE: window_opens,
    Message.RENEWAL_REMINDER: seven_days_are_left_to_renew,
    Message.SIGNED_FORM: holder_signs_the_form,
    Message.RENEWAL_DONE: holder_installs_under_an_automatic_agreement,
    Message.RENEWAL_DONE_TO_AUTHORISE: holder_installs,
    Message.AUTHORISED: centre_approves,
    Message.SUSPENSION_WARNING: seven_days_are_left_to_approve,
    Message.SUSPENDED: nobody_approves,
    Message.REVOCATION_WARNING: thirty_days_are_left_before_revocation,
    Message.REACTIVATED: centre_approves_late,
    Message.REVOKED: operator_revokes,
    Message.CASE_EXPIRED: old_certificate_expires,
    Message.CONTACT_CONFIRMATION: holder_gives_another_mailbox,
    Message.CONTACT_CHANGED: holder_gives_another_mailbox,
    Message.DATA_CHANGED: holder_gives_another_address,
    Message.CODE_CLOSED: ten_wrong_codes_are_typed,
    Message.HOLDER_LINK: holder_asks_for_a_link,
    Message.USER_CODE: operator_issues_the_code_anew,
    Message.CASE_CANCELLED: operator_cancels,
    Message.REFUSED: centre_refuses,
    Message.STOCK_EMPTY: holder_is_turned_away_for_want_of_stock,
    Message.DATA_REPORTED: holder_calls_his_data_wrong,
    Message.LOW_STOCK: a_counter_falls,
    Message.SUPPORT_OPENED: holder_asks_for_help,
    Message.SUPPORT_ANSWER: operator_answers_a_request_for_help,
    Message.DAILY_DIGEST: morning_comes,
    Message.ALARM: the_clock_stands_still,
    Message.INVITATION: administrator_invites,
    Message.PASSWORD_LINK: operator_has_forgotten_the_password,
    Message.ACCOUNT_CHANGED: administrator_closes_an_account,
}


def test_every_entry_of_the_catalogue_has_a_story_and_every_story_an_entry():
    assert set(CAUSES) == {message for message in CATALOG if not message.startswith("smime-")}
    assert set(CATALOG) == set(Message)


@pytest.mark.parametrize("message", CAUSES)
def test_it_is_posted_when_this_happens(message, world, client):
    """The story runs through use cases, sweeps or pages; the outbox then holds a mail of the kind, and before did not."""
    assert not OutboxMessage.objects.filter(kind=message).exists()

    CAUSES[message](Stage(world, client))

    assert OutboxMessage.objects.filter(kind=message).exists()


def named_kinds() -> dict[str, set[str]]:
    """Kinds of mail that the product's code names, by file."""
    found: dict[str, set[str]] = {}
    for package in PRODUCT:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                is_kind = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
                if is_kind and node.value.id == "Message" and node.attr.isupper():
                    found.setdefault(str(path.relative_to(ROOT)), set()).add(node.attr)
    return found


def test_what_is_posted_stands_in_the_catalogue_and_what_stands_there_is_posted_somewhere():
    """Beside the stories: a trigger without an entry, or an entry that only pages speak of, is seen in the code."""
    posting = {kind for name, kinds in named_kinds().items() if not name.startswith(SHOWN_IN) for kind in kinds}

    assert posting == {message.name for message in Message}
