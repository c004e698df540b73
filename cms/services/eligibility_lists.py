"""Who a listed campaign is for: a file with a codice fiscale or a card's serial number a line, taken in as it comes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db import connection

from cms import events, policy
from cms.actors import operator as operator_actor
from cms.errors import ListUnreadable, NotFound, TaxCodeInvalid
from cms.models import Campaign, CampaignEntry, User
from cms.tax_code import parse_tax_code
from runtime.transactions import use_case

MOST_LINES = 200_000
MOST_SHOWN = 50
BATCH = 20_000
COLUMNS = ("tax_code", "card_serial")
_SERIAL = re.compile(r"[0-9A-Za-z]{1,32}", re.ASCII)
_LIKE_TAX_CODE = re.compile(r"[A-Z]{6}[0-9A-Z]{10}", re.ASCII)
_HEADS = frozenset({"codice_fiscale", "codice fiscale", "seriale", "seriale_carta", "tax_code", "card_serial"})


@dataclass(slots=True)
class Report:
    """What became of a file: new entries, entries that were there already, lines that say nothing usable (number each).

    Of wrong lines the first fifty are named; their text is not kept, because it may name a person.
    """

    added: int = 0
    known: int = 0
    wrong: int = 0
    wrong_lines: list[int] = field(default_factory=list)


@use_case
def extend_list(campaign_id: int, content: bytes, *, operator: User, now: datetime) -> Report:
    """Add the lines of a file to a campaign's list; nothing is taken off, and the same file again adds nothing.

    Raises `ListUnreadable`, with nothing added, for more lines than may be or for what is no text.
    """
    policy.require_administrator(operator)
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound
    report = Report()
    values = _read(_lines(content), report)
    while batch := list(islice(values, BATCH)):
        added = sum(_add(campaign, column, [value for kind, value in batch if kind == column]) for column in COLUMNS)
        report.added += added
        report.known += len(batch) - added
    facts = {"campaign": campaign.code, "added": report.added, "known": report.known, "wrong": report.wrong}
    events.record(
        "campaign.list-extended",
        actor=operator_actor(operator),
        at=now,
        service_id=campaign.issuing_service_id,
        facts=facts,
    )
    return report


def _lines(content: bytes) -> list[str]:
    """Lines of a text in UTF-8 or Windows-1252, as spreadsheets write them."""
    if b"\0" in content:
        raise ListUnreadable
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    lines = text.splitlines()
    if len(lines) > MOST_LINES + 1:  # a head is none of them
        raise ListUnreadable
    return lines


def _read(lines: Iterable[str], report: Report) -> Iterator[tuple[str, str]]:
    """Yield the column and the value of each line that names somebody; count and number the others."""
    for number, line in enumerate(lines, start=1):
        value = line.strip().rstrip(";,").strip().strip('"').strip()
        if not value or (number == 1 and value.casefold() in _HEADS):
            continue
        named = _named(value)
        if named is None:
            report.wrong += 1
            report.wrong_lines += [number] if len(report.wrong_lines) < MOST_SHOWN else []
            continue
        yield named


def _named(value: str) -> tuple[str, str] | None:
    """A person or a card; None for what is neither."""
    if _LIKE_TAX_CODE.fullmatch(value.upper()):
        try:
            return "tax_code", parse_tax_code(value)
        except TaxCodeInvalid:
            return None
    return ("card_serial", value) if _SERIAL.fullmatch(value) else None


def _add(campaign: Campaign, column: str, values: list[str]) -> int:
    """Insert what the list has not yet; returns how many. One statement: rows one by one take ten times as long."""
    other = next(each for each in COLUMNS if each != column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {CampaignEntry._meta.db_table} (campaign_id, {column}, {other})"  # noqa: S608 - our own names
            " SELECT %s, value, '' FROM unnest(%s::text[]) AS value ON CONFLICT DO NOTHING",
            [campaign.pk, values],
        )
        return int(cursor.rowcount)
