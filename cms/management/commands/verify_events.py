"""`manage.py verify_events`: the audit chain holds, or exit status 1 with every break named."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cms import queries
from cms.chain import Finding, Link, findings_in
from cms.models import EventSeal
from cms.services import seals
from runtime import clock


def anchor(text: str) -> tuple[int, str]:
    """Read `SEQ:DIGEST`."""
    seq, _, digest = text.partition(":")
    if not seq.isdigit() or len(digest) != 64:
        message = "an anchor is SEQ:DIGEST, as the log line events.sealed and this command's last line have it"
        raise ArgumentTypeError(message)
    return int(seq), digest.lower()


class Command(BaseCommand):
    """Reads everything, changes no event; notes the outcome of a check of the database."""

    help = "Verify the chain of digests over the event trail, in the database or in an exported file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--anchor", type=anchor, action="append", default=[], metavar="SEQ:DIGEST")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--export", type=Path, metavar="FILE", help="also write the chain, one JSON line a link")
        where.add_argument("--file", type=Path, metavar="FILE", help="verify an exported chain; no database is asked")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print each finding and the chain's end; raise when there is a finding."""
        anchors = dict(options["anchor"])
        if options["file"]:
            tail = _Tail(_read(options["file"]))
            found = list(findings_in(tail, anchors))
        else:
            tail = _Tail(_written(queries.chain_links(), options["export"]))
            found = [*findings_in(tail, queries.clean_checks() | anchors), *queries.events_never_sealed()]
            _note(tail.last, found)
        for finding in found:
            self.stdout.write(str(finding))
        if tail.last:
            self.stdout.write(f"chain ends at {tail.last.seq}:{tail.last.digest}")
        if found:
            message = f"{len(found)} findings in the event trail"
            raise CommandError(message)


class _Tail:
    """Hands links on and remembers the last."""

    def __init__(self, links: Iterable[Link]) -> None:
        self._links = links
        self.last: Link | None = None

    def __iter__(self) -> Iterator[Link]:
        for link in self._links:
            self.last = link
            yield link


def _note(last: Link | None, found: list[Finding]) -> None:
    end = EventSeal(seq=last.seq, digest=last.digest) if last else EventSeal(seq=0, digest="")
    seals.note_check(last=end, findings=len(found), at=clock.now())


def _written(links: Iterable[Link], target: Path | None) -> Iterator[Link]:
    if target is None:
        yield from links
        return
    with target.open("w", encoding="utf-8") as file:
        for link in links:
            said = {name: getattr(link, name) for name in ("seq", "event_id", "sealed_at", "digest", "event")}
            file.write(json.dumps(said, sort_keys=True, ensure_ascii=False) + "\n")
            yield link


def _read(source: Path) -> Iterator[Link]:
    with source.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield Link(**json.loads(line))
            except (ValueError, TypeError) as error:
                message = f"line {number} of the file is no link of a chain"
                raise CommandError(message) from error
