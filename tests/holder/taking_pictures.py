"""Run by `python -m tests.holder.pictures`, not by the suite: the pages of a case in both widths and both looks."""

from __future__ import annotations

import pytest

from cms.states import ApprovalMode
from tests.holder.test_case_in_browser import address, browser, enter, town, visit
from tests.holder.test_case_page import FIND, HOME
from tests.panel.browser import NARROW, WIDE
from tests.panel.pictures import PICTURES

__all__ = ["address", "browser", "town", "visit"]


def test_the_pictures_are_taken(town, visit, pytestconfig):
    folder = pytestconfig.stash.get(PICTURES, None) or pytest.skip("python -m tests.holder.pictures")
    waiting = town.completed(town.case(town.person("Verdi", "Anna"), days_left=9))
    suspended = town.suspended(town.completed(town.case(days_left=-5)), days_ago=5)
    renewing, done = town.case(days_left=41), town.completed(town.case(), ApprovalMode.AUTOMATIC)
    shown = {"attesa": waiting, "sospeso": suspended, "da-rinnovare": renewing, "concluso": done}
    for width in (WIDE, NARROW):
        for dark in (False, True):
            page, end = visit(size=width, dark=dark), f"{width['width']}{'-dark' if dark else ''}.png"
            page.goto(HOME)
            page.screenshot(path=folder / f"ingresso-{end}", full_page=True)
            page.goto(FIND)
            page.get_by_role("button", name="Mostra la pratica").click()
            page.screenshot(path=folder / f"errori-{end}", full_page=True)
            for what, case in shown.items():
                enter(page, case)
                page.screenshot(path=folder / f"{what}-{end}", full_page=True)
            enter(page, renewing)
            page.goto(f"{HOME}pratica/rinuncia/")
            page.screenshot(path=folder / f"rinuncia-{end}", full_page=True)
