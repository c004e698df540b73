"""The stage of the stories: the product served as it is, a browser before it, a worker behind it, a town at an instant.

Nothing is stood in for but the holder's card: login, sessions, row policies, jobs, mails and the CA are the product's own.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from config.celery import app
from config.schedule import SCHEDULE
from tests.panel.browser import WIDE, launched, opened, served
from tests.panel.conftest import seated
from tests.panel.stories.person import carry_session
from tests.panel.town import NOW, Town

PATIENCE, USUAL_PATIENCE = 20_000, 5_000  # milliseconds: stories also run on a busy machine


@pytest.fixture(scope="package")
def browser():
    expect.set_options(timeout=PATIENCE)
    with launched() as browser:
        yield browser
    expect.set_options(timeout=USUAL_PATIENCE)


@pytest.fixture
def town(committed, clock):
    """Rows with real commits, so that the server's threads see them."""
    clock.instant = NOW
    return Town()


@pytest.fixture
def address(committed, clock):
    with served() as address:
        yield address


@pytest.fixture
def visit(browser, address):
    """Open a stranger's page: `visit(size=NARROW)`. When the story ends no page may have had anything to complain of."""
    pages = []

    def stranger(size=WIDE):
        pages.append(opened(browser, address, size=size))
        return pages[-1]

    yield stranger
    complaints = [complaint for page in pages for complaint in page.complaints]
    for page in pages:
        page.context.close()
    assert complaints == []


@pytest.fixture
def sit(visit, address):
    """Open the page of an operator who logged in a while ago: what is final asks him again who he is."""

    def operator(user, service=None, size=WIDE):
        page = visit(size)
        carry_session(page, seated(user, service), address)
        return page

    return operator


@pytest.fixture
def work(clock, mailbox):
    """Do once what the schedule pokes, half a minute later: jobs, requests to the CA, lists, seals, mails."""
    app.loader.import_default_modules()

    def round_of_the_worker():
        clock.instant += timedelta(seconds=30)
        for entry in SCHEDULE.values():
            app.tasks[entry["task"]]()

    return round_of_the_worker
