"""Pictures of the panel: the suite takes them to hold that they can be taken, `python -m tests.panel.pictures` keeps them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.models import CaRequest
from cms.states import RequestState
from notifications.models import OutboxMessage
from tests.panel.browser import CHROMIUM, NARROW, WIDE, choose, launched, log_in, opened, served
from tests.panel.town import NOW, Town, crowd

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing"),
]

LOOKS = {"1280": (False, WIDE), "1280-dark": (True, WIDE), "390": (False, NARROW), "390-dark": (True, NARROW)}


def morning() -> Town:
    """A Monday morning: cases in every state, one urged, a mail that came back, a wish that the CA refused."""
    town = Town()
    town.cases = crowd(town)
    urged, refused = town.cases[3], town.cases[7]
    type(urged).objects.filter(pk=urged.pk).update(urged_at=NOW - timedelta(hours=3))
    message = OutboxMessage.objects.filter(case_code=town.cases[5].code).first()
    OutboxMessage.objects.filter(pk=message.pk).update(state="failed", sent_at=None, last_error="mailbox-unknown")
    half = refused.new_pair.certificates.first()
    CaRequest.objects.create(
        natural_key="hold:picture",
        kind="hold",
        state=RequestState.REFUSED,
        centre=refused.centre,
        service=refused.issuing_service,
        pair=refused.new_pair,
        certificate=half,
        case_code=refused.code,
        asked_at=NOW - timedelta(hours=20),
        settled_at=NOW - timedelta(hours=20),
        last_error="ca-refused",
    )
    return town


@pytest.fixture
def address(committed, clock):
    clock.instant = NOW
    with served() as address:
        yield address


def pages(town: Town) -> dict[str, str]:
    """What is pictured, by name."""
    return {
        "dashboard": "/pannello/oggi/",
        "list": "/pannello/rinnovi/",
        "case": f"/pannello/rinnovi/{town.cases[0].code}/",
        "events": "/pannello/eventi/",
        "stock": "/pannello/contatori/",
    }


def test_pictures_of_the_pages(address, picture_folder):
    """Not a judgement but a record."""
    town = morning()
    secret = town.give_totp(town.operator)
    with launched() as browser:
        page = opened(browser, address)
        page.goto("/")
        page.screenshot(path=picture_folder / "login-1280.png")
        log_in(page, town.operator.email, secret)
        choose(page, str(town.service))
        session = page.context.storage_state()
        for look, (dark, size) in LOOKS.items():
            page = opened(browser, address, dark=dark, size=size, session=session)
            for name, path in pages(town).items():
                page.goto(path)
                page.screenshot(path=picture_folder / f"{name}-{look}.png", full_page=True)

    assert len(list(picture_folder.glob("*.png"))) >= len(LOOKS) * len(pages(town))
