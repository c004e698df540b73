"""The card families that a new installation knows, from the file that ships with the product."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from cms.models import CardFamily
from runtime.transactions import use_case

FILE = Path(__file__).resolve().parent.parent / "families.toml"


def shipped() -> list[dict[str, Any]]:
    """The families of the file, each by the names of the register's columns; what it leaves out has their default."""
    families: list[dict[str, Any]] = tomllib.loads(FILE.read_text("utf-8"))["families"]
    return families


@use_case
def load_families(*, anew: frozenset[str] = frozenset()) -> list[str]:
    """Add the shipped families whose code the register lacks; return the codes that were written.

    What is there stays as it is, so that nothing that a provider has set is lost at the next start; a code that is
    named `anew` takes the shipped values again, all of them.
    """
    known = set(CardFamily.objects.values_list("code", flat=True))
    written = [values for values in shipped() if values["code"] not in known or values["code"] in anew]
    for values in written:
        _store(CardFamily.objects.filter(code=values["code"]).first() or CardFamily(), values)
    return [values["code"] for values in written]


def _store(family: CardFamily, values: dict[str, Any]) -> None:
    for field in CardFamily._meta.concrete_fields:
        if not field.primary_key:
            setattr(family, field.name, values.get(field.name, field.get_default()))
    family.save()
