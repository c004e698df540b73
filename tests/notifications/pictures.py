"""`python -m tests.notifications.pictures [FOLDER]`: take the pictures of docs/mail/ anew.

Every message at 600 px in light colours; some also on a telephone and in dark colours.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from notifications.catalog import Message

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "mail"
WIDE, NARROW = 600, 360
ALSO_NARROW = (Message.RENEWAL_NOTICE, Message.SUSPENSION_WARNING, Message.SUSPENDED, Message.DAILY_DIGEST)
ALSO_DARK = (Message.SUSPENSION_WARNING, Message.SUSPENDED, Message.RENEWAL_DONE, Message.ALARM)
COLOURS = 32
BASE_URL = "https://sigillo.example"


def wanted(*, everything: bool = False) -> Iterator[tuple[str, Message, int, str]]:
    """File name, message, width in pixels and colour scheme of each picture."""
    for message in Message:
        yield f"{message}.png", message, WIDE, "light"
        if everything or message in ALSO_NARROW:
            yield f"{message}-{NARROW}.png", message, NARROW, "light"
        if everything or message in ALSO_DARK:
            yield f"{message}-dark.png", message, WIDE, "dark"
        if everything:
            yield f"{message}-{NARROW}-dark.png", message, NARROW, "dark"


def take(folder: Path, *, everything: bool = False, language: str = "it") -> None:
    """Render the examples of the catalogue in Chromium and keep small pictures of them."""
    from django.test import override_settings
    from playwright.sync_api import sync_playwright

    from notifications import rendering, samples

    # Playwright keeps a loop in this thread; Django then takes everything for asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    folder.mkdir(parents=True, exist_ok=True)
    with override_settings(BASE_URL=BASE_URL), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, message, width, scheme in wanted(everything=everything):
            page = browser.new_page(viewport={"width": width, "height": 400}, color_scheme=scheme)
            page.set_content(rendering.render(samples.example(message, language=language)).html)
            page.screenshot(path=folder / name, full_page=True)
            page.close()
            _lighten(folder / name)
        browser.close()


def _lighten(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    if len(sys.argv) > 1:
        take(Path(sys.argv[1]), everything=True, language=(sys.argv[2:] or ["it"])[0])
    else:
        take(FOLDER)
