"""The table of an import: holders and cards as a CSV, read cell by cell. Nothing of the register is asked here."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from cms.contacts import CONTROL, parse_email, parse_mobile
from cms.import_errors import (
    CellInvalid,
    CellMissing,
    ColumnsMissing,
    ColumnsTwice,
    DateInvalid,
    EncodingUnknown,
    TableBroken,
    TableEmpty,
    TableTooLong,
)
from cms.tax_code import parse_tax_code


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in the sample, other names it may carry, how it is called in a refusal, its longest text."""

    name: str
    said: str
    others: tuple[str, ...] = ()
    longest: int = 64
    is_needed: bool = False


COLUMNS = {
    "tax_code": Column("codice_fiscale", "codice fiscale", ("cf",), 32, is_needed=True),
    "surname": Column("cognome", "cognome", is_needed=True),
    "given_name": Column("nome", "nome", is_needed=True),
    "email": Column("email", "e-mail", ("e_mail", "posta_elettronica", "indirizzo_e_mail"), 254),
    "mobile": Column("cellulare", "cellulare", ("telefono_cellulare", "telefono"), 32),
    "street": Column("indirizzo", "indirizzo", ("via",), 120),
    "postcode": Column("cap", "CAP", longest=10),
    "town": Column("comune", "comune", ("citta", "localita"), 80),
    "province": Column("provincia", "provincia", ("prov",), 40),
    "card": Column("seriale_carta", "seriale della carta", ("carta", "numero_carta", "seriale"), 32, is_needed=True),
    "family": Column("famiglia_carta", "famiglia della carta", ("famiglia", "sigla"), 16, is_needed=True),
    "first_issued_on": Column("prima_emissione", "prima emissione", ("data_emissione",), 16, is_needed=True),
    "activated_on": Column("attivata_il", "data di attivazione", ("data_attivazione",), 16),
    "expires_on": Column("scadenza_carta", "scadenza della carta", ("carta_scade_il",), 16),
    "authentication": Column(
        "certificato_autenticazione", "certificato di autenticazione", ("seriale_autenticazione",), 128
    ),
    "signature": Column("certificato_firma", "certificato di firma", ("seriale_firma",), 128),
}
_BY_NAME = {name: key for key, column in COLUMNS.items() for name in (column.name, *column.others)}
_LONGEST_HEADER = 40
_PERSON = re.compile(r"[^\W\d_][\w .,'’`\-]*")
_CARD = re.compile(r"[0-9A-Za-z]{4,32}")
_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")
_FOREIGN_MARKS = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = ";,\t"


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One row: a card, its holder, the certificates it names (serial number or fingerprint; empty: by subject)."""

    tax_code: str
    surname: str
    given_name: str
    email: str | None
    mobile: str | None
    street: str
    postcode: str
    town: str
    province: str
    card: str
    family: str
    first_issued_on: date
    activated_on: date | None
    expires_on: date | None
    named: Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class RawRow:
    """One row as it stands in the file; `number` counts as a spreadsheet does, the header being row 1."""

    number: int
    cells: Mapping[str, str]
    has_surplus: bool = False

    @property
    def card(self) -> str:
        """The card as reports show it; empty when the cell is no serial at all."""
        typed = self.cells.get("card", "").strip()
        return typed if _CARD.fullmatch(typed) else ""


@dataclass(frozen=True, slots=True, repr=False)
class Roster:
    """The rows of a table, and the headers that meant nothing to us."""

    rows: list[RawRow]
    ignored: list[str]


def read_roster(content: bytes, *, most: int) -> Roster:
    """Read the table; comma, semicolon or tab, UTF-8 or Windows-1252. Raises `FileRefused` for anything else."""
    lines = _records(_decoded(content))
    keys, ignored = _columns(next(lines, []))
    rows: list[RawRow] = []
    for number, cells in enumerate(lines, start=2):
        if any(cell.strip() for cell in cells):
            named = {key: cell for key, cell in zip(keys, cells, strict=False) if key}
            rows.append(RawRow(number, named, has_surplus=any(cell.strip() for cell in cells[len(keys) :])))
        if len(rows) > most:
            raise TableTooLong(f"Il file CSV contiene più di {most} righe: lo divida in più file.")
    if not rows:
        raise TableEmpty
    return Roster(rows, ignored)


def entry_of(row: RawRow, *, today: date) -> Entry:
    """Read one row's cells, or raise the first refusal that a person can correct."""
    if row.has_surplus:
        raise CellInvalid("La riga ha più celle dell'intestazione: forse una cella contiene il separatore.")
    for key, column in COLUMNS.items():
        if column.is_needed and not row.cells.get(key, "").strip():
            raise CellMissing(f"Manca un dato necessario: {column.said}.")
    text = {key: _text(row, key) for key in COLUMNS}
    for key in ("surname", "given_name"):
        if not _PERSON.fullmatch(text[key]):
            raise _invalid(key)
    if not _CARD.fullmatch(text["card"]):
        hint = "solo cifre e lettere, per intero (un foglio di calcolo può averlo trasformato in 7,43E+15)"
        raise CellInvalid(f"Il seriale della carta non è valido: {hint}.")
    issued, activated, expires = (_day(text, key) for key in ("first_issued_on", "activated_on", "expires_on"))
    if issued is None:
        raise CellMissing
    _require_order(issued, activated, expires, today)
    return Entry(
        tax_code=parse_tax_code(text["tax_code"]),
        surname=text["surname"],
        given_name=text["given_name"],
        email=parse_email(text["email"]) if text["email"] else None,
        mobile=parse_mobile(text["mobile"]) if text["mobile"] else None,
        street=text["street"],
        postcode=text["postcode"],
        town=text["town"],
        province=text["province"],
        card=text["card"],
        family=text["family"],
        first_issued_on=issued,
        activated_on=activated,
        expires_on=expires,
        named={key: text[key] for key in ("authentication", "signature")},
    )


def _decoded(content: bytes) -> str:
    if content.startswith(_FOREIGN_MARKS):
        raise EncodingUnknown
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise EncodingUnknown


def _records(text: str) -> Iterator[list[str]]:
    first = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise TableBroken from error


def _columns(header: list[str]) -> tuple[list[str], list[str]]:
    """Say which of our columns each header means (empty for none), and which headers are passed over."""
    folded = [_folded(name) for name in header]
    keys = [_BY_NAME.get(name, "") for name in folded]
    known = [key for key in keys if key]
    if len(known) != len(set(known)):
        raise ColumnsTwice
    missing = [column.name for key, column in COLUMNS.items() if column.is_needed and key not in known]
    if missing:
        raise ColumnsMissing(f"Nella prima riga del file CSV mancano le colonne: {', '.join(missing)}.")
    ignored = [name[:_LONGEST_HEADER] for name, key in zip(folded, keys, strict=True) if name and not key]
    return keys, ignored[:20]


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.strip().casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def _text(row: RawRow, key: str) -> str:
    text = unicodedata.normalize("NFC", row.cells.get(key, "").strip(" "))
    if len(text) > COLUMNS[key].longest or CONTROL.search(text):
        raise _invalid(key)
    return " ".join(text.split())


def _day(text: Mapping[str, str], key: str) -> date | None:
    if not text[key]:
        return None
    for form in _DAYS:
        try:
            return datetime.strptime(text[key], form).date()  # noqa: DTZ007 - a calendar day has no time zone
        except ValueError:
            continue
    raise DateInvalid(f"La data non è valida: {COLUMNS[key].said}. La scriva come 31/03/2023 o 2023-03-31.")


def _require_order(issued: date, activated: date | None, expires: date | None, today: date) -> None:
    if issued > today or (activated and activated > today):
        raise DateInvalid("La prima emissione o l'attivazione della carta è nel futuro.")
    if activated and activated < issued:
        raise DateInvalid("L'attivazione della carta precede la prima emissione.")
    if expires and expires < issued:
        raise DateInvalid("La scadenza della carta precede la prima emissione.")


def _invalid(key: str) -> CellInvalid:
    return CellInvalid(f"Il dato non è valido: {COLUMNS[key].said}.")
