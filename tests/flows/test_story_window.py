"""The window against the product as `make run` starts it: real clicks, real card process, real HTTP, real mail.

A renewal, an extension, and a holder whose card fails, who asks for help and reads the operator's answer.
"""

from __future__ import annotations

from contextlib import closing

import pytest
from django.db import connections

from cardclient.contract import Slot
from cardclient.ui.pages.acceptance import PrivacyPage, TermsPage
from cardclient.ui.pages.codes import CodePage
from cardclient.ui.pages.ending import ResultPage
from cardclient.ui.pages.holder import DiagnosisPage
from cardclient.ui.pages.start import StartPage
from cms.models import Certificate, StockMovement
from renewals.models import RenewalCase
from tests.cardclient import shimmed
from tests.cardclient.conftest import PIN
from tests.cardclient.faults.media import environment
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
    from contextlib import ExitStack

    with ExitStack() as opened:

        def sit_down(card):
            opened.enter_context(environment(card.environment))
            return opened.enter_context(window(qtbot, tmp_path, product.address, f"--module={card.module}"))

        yield sit_down


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
