"""What a person does at the panel, told once for all stories."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyotp
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

STEP = 30


class App:
    """An authenticator app. A code opens once, so it shows the next one early rather than the same one twice."""

    def __init__(self, secret: str) -> None:
        self.secret, self.last = secret, 0

    def code(self) -> str:
        """The present code; the next after that, which the server takes too (a clock may be half a minute off)."""
        self.last = max(self.last + 1, int(time.time()) // STEP)
        return pyotp.TOTP(self.secret).at(self.last * STEP)


def carry_session(page: Page, client: Client, address: str) -> None:
    """Give the browser the session of a test client."""
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])


def confirm_identity(page: Page, app: App) -> None:
    """Show the second factor again, as what is final demands."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Confermi che è lei")
    page.get_by_label("Codice").fill(app.code())
    page.get_by_role("button", name="Conferma").click()


def expect_title(page: Page, title: str) -> None:
    """Wait for the page of this name."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def go(page: Page, entry: str) -> None:
    """Follow an entry of the sidebar."""
    page.get_by_role("navigation", name="Pannello").get_by_role("link", name=entry).click()
    expect_title(page, entry)


def tally(page: Page) -> dict[str, int]:
    """The figures of a job's progress, by their words."""
    words, figures = page.locator(".tally dt").all_inner_texts(), page.locator(".tally dd").all_inner_texts()
    return {word: int(figure) for word, figure in zip(words, figures, strict=True)}


def add_passkey_device(page: Page) -> Any:
    """Plug a virtual authenticator with user verification into the browser; returns the session that holds it."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devices


def saved(page: Page, button: str, folder: Path) -> str:
    """Press a button that hands out a file; returns the file's text."""
    with page.expect_download() as awaited:
        page.get_by_role("button", name=button).or_(page.get_by_role("link", name=button)).click()
    path = folder / awaited.value.suggested_filename
    awaited.value.save_as(path)
    return path.read_bytes().decode("utf-8-sig")
