"""The window against the product as `make run` starts it: real clicks, real card process, real HTTP, real mail.

A renewal, an extension, and a holder whose card fails, who asks for help and reads the operator's answer.
"""

from __future__ import annotations

import html
import re
from contextlib import ExitStack, closing

import pytest
from django.db import connections
from PySide6.QtWidgets import QApplication

from cardclient import __version__
from cardclient.contract import Slot
from cardclient.office import HttpOffice
from cardclient.ui.pages.acceptance import EncryptionPage, PrivacyPage, TermsPage
from cardclient.ui.pages.codes import CodePage
from cardclient.ui.pages.ending import FailurePage, ResultPage
from cardclient.ui.pages.holder import DiagnosisPage
from cardclient.ui.pages.start import StartPage
from cardclient.ui.support_dialog import SupportDialog
from cms.models import Certificate, StockMovement
from renewals.models import RenewalCase, SupportRequest
from renewals.versions import parse_version
from tests.cardclient import shimmed
from tests.cardclient.conftest import PIN
from tests.cardclient.faults.media import environment
from tests.cardclient.shimmed import CKR_DEVICE_MEMORY
from tests.cardclient.ui.test_enroll_story import renew_from_contacts, renew_until_contacts
from tests.flows.demonstration import running_demo
from tests.flows.installation import eventually
from tests.flows.window import window
from tests.plugin.tables import Tables

LACK = shimmed.missing()
pytestmark = [pytest.mark.softhsm, pytest.mark.skipif(LACK is not None, reason=f"package missing: {LACK}")]

MARINA, DAVIDE = "marina.conti@example.org", "davide.ferri@example.org"


@pytest.fixture(scope="module")
def product(django_db_setup, django_db_blocker, superuser, tmp_path_factory):
    """One running product for all stories of this file."""
    folder = tmp_path_factory.mktemp("holders")
    with django_db_blocker.unblock():
        try:
            with running_demo(shimmed.build(folder), folder) as running:
                yield running
        finally:
            connections.close_all()
            Tables(superuser).empty()


@pytest.fixture
def at_home(product, qtbot, dressed, tmp_path):
    """Open the window of a holder who has this card in the reader."""
    with ExitStack() as opened:

        def sit_down(card):
            opened.enter_context(environment(card.environment))
            return opened.enter_context(window(qtbot, tmp_path, product.address, f"--module={card.module}"))

        yield sit_down


def test_it_serves_the_client_of_the_same_checkout(product):
    with closing(HttpOffice(product.address)) as office:
        told = office.capabilities()
    assert told.current == __version__
    assert parse_version(told.minimum) <= parse_version(__version__)
    assert told.download == f"{product.address}/scarica/"
    assert told.support


def test_a_renewal_from_the_first_click_to_the_user_code_in_the_mail(product, at_home):
    story = at_home(product.marina)
    story.sees(StartPage, product.marina.serial)
    assert story.buttons == ["Scansiona di nuovo", "Rinnova"]
    renew_until_contacts(story, PIN)
    renew_from_contacts(story)
    story.reads("Rinnovo concluso solo in parte", "CDRL Demo Lombardia")

    case = require_completed(product.marina, slots=tuple(Slot))
    story.reads(case.code)
    eventually(lambda: [mail for mail in product.mails_to(MARINA) if "codice utente" in body(mail)])
    assert any(
        mail.get_content_type() == "application/pdf" for each in product.mails_to(MARINA) for mail in each.walk()
    )


def test_an_extension_from_rinnova_to_its_result(product, at_home):
    story = at_home(product.nina)
    story.sees(StartPage, "Certificato rinnovabile presente nella carta")
    assert story.buttons == ["Scansiona di nuovo", "RINNOVA"]
    story.goes()
    story.sees(TermsPage)
    story.goes()
    story.sees(PrivacyPage)
    story.goes()
    story.sees(CodePage)
    story.types(PIN)
    story.sees(DiagnosisPage)
    story.goes()
    story.sees(ResultPage)
    story.reads("Rinnovo completato.")

    require_completed(product.nina, slots=(Slot.AUTHENTICATION,))


ANSWER = "Tolga la carta, la rimetta e prema RIPROVA: la memoria si libera da sola."


def test_a_holder_whose_card_fails_is_helped_and_goes_on(product, at_home):
    card, operator = product.davide, product.operator
    story = at_home(card)
    fail_at_the_keys(story, card)
    number = ask_for_help(story)

    case = RenewalCase.objects.get(card__serial=card.serial)
    queue = f"{product.address}/pannello/supporto/"
    operator.go_to(queue)
    assert number in operator.text
    operator.go_to(f"{queue}{number}/")
    told = html.unescape(operator.text)
    for fact in ("card-memory", card.serial, case.code, "Generazione delle chiavi", "Non capisco.", "asked: SignForm"):
        assert fact in told, fact
    assert PIN not in re.sub(r'"[^"]*"', "", told)
    assert SupportRequest.objects.get(number=number).is_proven

    operator.go_to(f"{queue}{number}/rispondi/")
    assert DAVIDE in operator.text
    operator.submit(uid=operator.first_value("uid"), to=operator.first_value("to"), text=ANSWER)
    eventually(lambda: [mail for mail in product.mails_to(DAVIDE) if ANSWER in flat(body(mail))])

    story.goes()
    renew_again(story)
    require_completed(card, slots=tuple(Slot))


def fail_at_the_keys(story, card):
    """Everything goes well until the card has no room for the second pair."""
    renew_until_contacts(story, PIN)
    card.plan("C_GenerateKeyPair", CKR_DEVICE_MEMORY, nth=2)
    renew_from_contacts(story, to=FailurePage)
    story.reads("Errore aggiornamento carta", "[card-memory]")


def ask_for_help(story) -> str:
    """Fill the request in and send it; gives its number."""
    next(each for each in story.links() if each.text() == "Apri richiesta di supporto").click()
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, SupportDialog)
    dialog.message.setPlainText("Non capisco.")
    dialog.send_button.click()
    story.qtbot.waitUntil(lambda: not dialog.errands.is_busy, timeout=story.patience)
    (number,) = re.findall(r"Richiesta aperta: (\S+)", dialog.notice.text) or [dialog.notice.text]
    assert "d…@example.org" in dialog.notice.text
    dialog.close()
    return number


def renew_again(story):
    """The second run asks the warning and the PIN, and goes on where the first one stopped."""
    story.sees(EncryptionPage).tick.box.setChecked(True)
    story.goes()
    story.sees(CodePage)
    story.types(PIN)
    story.sees(ResultPage)


def require_completed(card, *, slots):
    """Completato in the register, one debit a certificate, and on the card the very certificates that were issued."""
    case = RenewalCase.objects.get(card__serial=card.serial)
    assert case.get_state_display() == "Completato"
    issued = {bytes(half.body.der) for half in Certificate.objects.filter(pair=case.new_pair_id).select_related("body")}
    assert len(issued) == len(slots)
    assert StockMovement.objects.filter(case_code=case.code, kind="debit").count() == len(slots)
    with closing(card.card()) as opened:
        (view,) = opened.scan()
    assert {each.der for each in view.certificates} >= issued
    return case


def body(mail) -> str:
    """What a person reads of it."""
    part = mail.get_body(("plain",))
    return part.get_content() if part else ""


def flat(text: str) -> str:
    """Without the ends of lines that a mail puts in."""
    return " ".join(text.split())
