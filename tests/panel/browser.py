"""A web server in this process and a real browser before it: the panel as an operator meets it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pyotp
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.panel.town import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@contextmanager
def served() -> Iterator[str]:
    """Serve the product on a free port; commits are real, so the caller cleans up (fixture `committed`)."""
    thread = LiveServerThread("localhost", StaticFilesHandler, connections_override={})
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    try:
        yield f"http://localhost:{thread.port}"
    finally:
        thread.terminate()


@contextmanager
def launched() -> Iterator[Browser]:
    """Start the system's Chromium. The ORM stays usable in this thread: the browser's event loop is not ours."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            yield browser
            browser.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def opened(
    browser: Browser,
    address: str,
    *,
    dark: bool = False,
    size: dict[str, int] | None = None,
    session: Any = None,
    script: bool = True,
) -> Page:
    """A fresh visitor's page that collects every complaint of the console, content security policy included."""
    context = browser.new_context(
        base_url=address,
        viewport=size or WIDE,
        locale="it-IT",
        timezone_id="Europe/Rome",
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        storage_state=session,
        java_script_enabled=script,
    )
    page = context.new_page()
    page.complaints = []  # type: ignore[attr-defined]
    page.on("console", lambda said: said.type in {"error", "warning"} and _note(page, said.text))
    page.on("pageerror", lambda error: _note(page, str(error)))
    return page


def _note(page: Any, text: str) -> None:
    page.complaints.append(text)


def log_in(page: Page, email: str, secret: str) -> None:
    """Password, then the present code of the authenticator app."""
    page.goto("/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continua").click()
    page.get_by_label("Codice").fill(pyotp.TOTP(secret).at(datetime.now(UTC)))
    page.get_by_role("button", name="Accedi").click()


def choose(page: Page, service: str) -> None:
    """Choose the service after login, and go to the renewals."""
    page.get_by_role("button", name=service).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Oggi")
    page.goto("/pannello/rinnovi/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gestione rinnovi")


def sideways(page: Page) -> int:
    """How many pixels the page can be scrolled sideways, once it is there; none is right."""
    page.wait_for_load_state()  # after a click the next page may have begun and hold nothing yet
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
