"""`python -m tests.plugin python -m tests.docs`: write the documents that are made from the code."""

from __future__ import annotations

import os

import django

from tests.docs.markdown import ROOT


def main() -> None:
    """Write the files; needs the settings, and nothing of the database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.docs import client_codes, error_codes, roles, states

    for name, made in (("states", states), ("error-codes", error_codes), ("roles", roles)):
        (ROOT / f"docs/{name}.md").write_text(made.document(), encoding="utf-8")
    (ROOT / "renewals/client_codes.json").write_text(client_codes.document(), encoding="utf-8")


if __name__ == "__main__":
    main()
