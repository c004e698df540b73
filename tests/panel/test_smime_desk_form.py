"""The form of a check: what an officer types reaches the register, whichever button he presses."""

from __future__ import annotations

import re

from smime.models import Finding
from tests.panel.test_smime_desk import desk, order, page, smime  # noqa: F401 - fixtures
from tests.smime.mailed import check_of

FORM = re.compile(r'<form(?:(?!</form>).)*name="seen_round".*?</form>', re.DOTALL)
CONTROL = re.compile(r'<(?:input|select|textarea|button)[^>]* name="(\w+)"')


def test_no_button_has_the_name_of_a_field(desk, order):  # noqa: F811 - pytest's way
    form = FORM.search(desk.get(page(order, "authority")).content.decode())
    names = CONTROL.findall(form[0])
    assert {"note", "accept"} < set(names)
    assert len(names) == len(set(names)), names


def test_an_annotation_is_kept_as_it_was_typed(desk, order):  # noqa: F811 - pytest's way
    answer = desk.get(page(order, "authority")).content.decode()
    (button,) = re.findall(r'<button[^>]* name="(\w+)"[^>]*>(?:(?!</button>).)*senza decidere', answer)
    said = {"seen_round": check_of(order, "authority").round, "note": "Richiamare lunedì.", button: "1"}
    desk.post(page(order, "authority"), said)
    assert Finding.objects.get().note == "Richiamare lunedì."
