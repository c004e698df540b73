"""The renewal form as PDF: every letter of a name is there, and the same data make the same bytes."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from renewals.document import render_form

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES = ["Niccolò Dell'Àquila", "Łukasz Wójcik", "Șerban Țăranu", "Gyöngyi Őszi", "Đorđe Šćekić"]


def content(name):
    """What the form of a holder of that name says."""
    return {
        "case": "R000-0000-000",
        "service": "CNS - Firma 3 anni",
        "centre": {"name": "Ordine di Esempio", "email": "cdrl@example.org", "phone": ""},
        "holder": {"name": name, "tax_code": "RSSMRA85T10A562S", "email": None, "mobile": None, "address": ["Łódź"]},
        "card": "6090010000000001",
        "certificates": [{"type": "Firma qualificata", "serial": "1f", "not_after": AT.isoformat()}],
        "texts": [["Condizioni", "2026-11", "0" * 64]],
    }


@pytest.mark.parametrize("name", NAMES)
def test_no_letter_of_a_name_is_lost(name, tmp_path):
    """Holders come from all of Europe; what they sign must carry their name."""
    if shutil.which("pdftotext") is None:
        pytest.skip("poppler-utils is missing")
    path = tmp_path / "form.pdf"
    path.write_bytes(render_form(content(name), rendered_at=AT))
    text = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
    assert name in text
    assert "Łódź" in text


def test_the_same_data_make_the_same_bytes():
    """What is hashed and shown again must not change by itself."""
    assert render_form(content("Mario Rossi"), rendered_at=AT) == render_form(content("Mario Rossi"), rendered_at=AT)
