"""Where the values of a story have come to lie: in the database by table and column, in Redis, logs, files.

What a story knows (its links, passwords, photos) is looked for at its end; each value has the columns in which it may
stand, and everything else that holds it is a leak.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import redis

from runtime.embedded.postgres import PostgresAddress
from smime.idp_stand_in import page
from smime.idp_stand_in.payloads import PICTURES
from tests.plugin import services
from tests.smime.stories import bundle
from tests.smime.stories.stage import Stage, text_of

LARGEST_FILE = 20 * 1024 * 1024
MAILED_LINK = re.compile(r"/area-clienti/link/[a-z]+/([\w-]{20,})")
THE_CAS_OWN = "authority_"  # its ledger holds certificates and what was asked for, as a CA's must
_OTHERS = ("playwright", "org.chromium", ".org.chromium", "pytest-of", "sigillo-tests")
"""The browser's folders, those of other tests, and the servers of this run: their content is asked for elsewhere."""


@dataclass(frozen=True)
class Sought:
    """A value, and the columns where it may stand.

    `in_files` is false for what stands in the sources of these tests, copies of which may lie about. A short number is
    a `word`: digits inside of longer ones, or behind a point, are another's; no file is asked for it.
    """

    value: bytes
    columns: Collection[str] = ()
    in_files: bool = True
    is_word: bool = False

    def stands_in(self, content: bytes) -> bool:
        """Whether the value is there."""
        if self.is_word:
            return re.search(rb"(?<![\w.])" + re.escape(self.value) + rb"(?!\w)", content) is not None
        return self.value in content


class Canary:
    """What a story has written anywhere since it began."""

    def __init__(self, superuser: PostgresAddress, caplog, capfd) -> None:
        self._superuser, self._caplog, self._capfd = superuser, caplog, capfd
        self._begun_at = time.time()

    def require_silence(self, stage: Stage, sought: Mapping[str, Sought]) -> None:
        """Every value stands in its columns alone; neither log nor broker holds one, nor a file that was left behind."""
        found = self.places_of(sought, apart_from=stage.folder)
        assert not found, found

    def places_of(self, sought: Mapping[str, Sought], *, apart_from: Path) -> dict[str, set[str]]:
        """Where values stand that should not: the column, `log`, `broker` or the file, by the value's name."""
        found = columns_with(self._superuser, sought)
        places = {name: columns - set(sought[name].columns) for name, columns in found.items()}
        for place, content in (("log", self._logged()), ("broker", redis_content())):
            for name in (name for name, each in sought.items() if each.stands_in(content)):
                places[name].add(place)
        for name, path in files_with(sought, self._begun_at, apart_from=apart_from):
            places[name].add(path)
        return {name: there for name, there in places.items() if there}

    def _logged(self) -> bytes:
        """All log lines, but for those by which the stand-in of the mail server says where it keeps the mails."""
        said = (self._caplog.text + self._capfd.readouterr().err).splitlines(keepends=True)
        return "".join(line for line in said if "mail.log" not in line).encode()


def links_of(stage: Stage) -> dict[str, Sought]:
    """The values of all mailed links."""
    texts = [text_of(mail) for mail in stage.mailbox.messages()]
    return {f"link {token[:4]}": Sought(token.encode()) for text in texts for token in MAILED_LINK.findall(text)}


def codes_of(stage: Stage) -> dict[str, Sought]:
    """The codes that were mailed to the buyer before a download."""
    codes = [code for mail in stage.mailbox.messages() for code in bundle.CODE.findall(text_of(mail))]
    return {f"code {number}": Sought(code.encode(), is_word=True) for number, code in enumerate(codes)}


def provider_of(stage: Stage) -> dict[str, Sought]:
    """What the identification provider knows and has shown: secrets, tokens of its sessions, document and photos."""
    account = stage.provider.sessions.account
    sought = {f"provider's {name}": getattr(account, name) for name in ("key", "secret", "webhook_secret")}
    for number, session in enumerate(stage.provider.sessions.all()):
        sought |= {f"session {number}": session.auth_token, f"document {number}": session.document_number}
        sought |= {f"photo {number} {name}": page.mark(session, name).decode() for name in PICTURES}
    return {name: Sought(value.encode()) for name, value in sought.items()}


def columns_with(superuser: PostgresAddress, sought: Mapping[str, Sought]) -> dict[str, set[str]]:
    """For each value, the columns `table.column` of the whole database in which it stands, as text or as bytes.

    Without the CA's ledger for what has columns of its own here: what it certifies it must hold.
    """
    found: dict[str, set[str]] = {name: set() for name in sought}
    with superuser.connect() as connection:
        for table, column, is_bytes in list(_columns(connection)):
            here = {name: each for name, each in sought.items() if not (each.columns and table.startswith(THE_CAS_OWN))}
            for name in _standing(connection, table, column, here, is_bytes=is_bytes):
                found[name].add(f"{table}.{column}")
    return found


def redis_content() -> bytes:
    """Everything that the broker and cache hold."""
    with redis.Redis.from_url(services.redis.url) as client:
        return b"\n".join(key + b"\0" + (client.dump(key) or b"") for key in client.scan_iter())


def files_with(sought: Mapping[str, Sought], start: float, *, apart_from: Path) -> set[tuple[str, str]]:
    """Names and paths: which values stand in which temporary file."""
    asked = {name: each for name, each in sought.items() if each.in_files and not each.is_word}
    files = files_since(start, apart_from=apart_from)
    return {(name, str(path)) for path, content in files for name, each in asked.items() if each.stands_in(content)}


def files_since(start: float, *, apart_from: Path) -> Iterator[tuple[Path, bytes]]:
    """Temporary files written after an instant, without the test's own and the browser's."""
    for folder, inner, names in os.walk(tempfile.gettempdir()):  # what vanishes meanwhile is passed over
        inner[:] = [name for name in inner if not name.startswith(_OTHERS)]
        for path in (Path(folder, name) for name in names):
            try:
                is_new = path.is_file() and path.stat().st_mtime >= start and path.stat().st_size < LARGEST_FILE
                if is_new and not path.is_relative_to(apart_from):
                    yield path, path.read_bytes()
            except OSError:
                continue


def _columns(connection) -> Iterator[tuple[str, str, bool]]:
    rows = connection.execute(
        "SELECT c.table_name, c.column_name, c.data_type = 'bytea' FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
        " AND c.data_type IN ('bytea', 'text', 'character varying', 'json', 'jsonb', 'ARRAY')"
    )
    return iter(rows.fetchall())


def _standing(connection, table: str, column: str, sought: Mapping[str, Sought], *, is_bytes: bool) -> Iterator[str]:
    """Ask a column once for all values; text that is no ASCII is asked for as bytes alone."""
    asked = {name: each for name, each in sought.items() if is_bytes or each.value.isascii()}
    cells = f'"{column}"' if is_bytes else f'lower("{column}"::text)'
    tests = [_test(cells, each, is_bytes=is_bytes) for each in asked.values()]
    if not tests:
        return
    query = f'SELECT {", ".join(f"bool_or({said})" for said, _ in tests)} FROM "{table}"'  # noqa: S608 - our names
    row = connection.execute(query, [value for _, value in tests]).fetchone()
    yield from (name for name, stands in zip(asked, row, strict=True) if stands)


def _test(cells: str, sought: Sought, *, is_bytes: bool) -> tuple[str, bytes | str]:
    if is_bytes:
        return f"position(%s::bytea IN {cells}) > 0", sought.value
    text = sought.value.decode().lower()
    if sought.is_word:
        return f"{cells} ~ %s", f"(^|[^[:alnum:]_.]){text}($|[^[:alnum:]_])"
    return f"position(%s IN {cells}) > 0", text
