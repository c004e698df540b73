"""Fill a register for the panel's benchmark: millions of cases and events, by the database itself.

    fill(superuser, database, cases)        (imported once the settings stand; the database is prepared and empty)

Written past triggers and foreign keys, but not past the check constraints; the indexes of the big tables are made
afterwards. Eight years of renewals: a person has two or three cases, each begins with the pair that the one before has
made; two of 100 are under way, of the rest 97 of 100 are completed. Fifty centres, of which one holds a fifth of
everything.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from django.db.models import Model
from psycopg import sql

from benchmarks.panel_rows import array, insert, is_numbered
from benchmarks.panel_trail import TYPES, make_trail
from cms.models import (
    Agreement,
    Card,
    CardFamily,
    CaRequest,
    Centre,
    Certificate,
    Event,
    EventSeal,
    Hold,
    Holder,
    HolderWord,
    Pair,
    Registration,
    Service,
    Stock,
    StockMovement,
)
from cms.policy import hold_lapses_at
from cms.states import ApprovalMode
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from runtime import clock
from runtime.embedded.postgres import PostgresAddress

CENTRES, YEARS = 50, 8
PERSONS_PER_CASE = 0.4
BIG = (
    Holder,
    Registration,
    HolderWord,
    Card,
    Pair,
    Certificate,
    RenewalCase,
    Event,
    EventSeal,
    StockMovement,
    CaRequest,
    OutboxMessage,
    Hold,
)
SURNAMES = """
Rossi Bianchi Ferrari Esposito Romano Colombo Ricci Marino Greco Bruno Gallo Conti DeLuca Mancini Costa Giordano
Rizzo Lombardi Moretti Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini Leone Longo Gentile
Martinelli Vitale Lombardo Serra Coppola DeSantis DAngelo Marchetti Parisi Villa Conte Ferraro Ferri Fabbri
Bianco Marini Grasso Valentini Messina Sala DeAngelis Gatti Pellegrini Palumbo Sanna Farina Rizzi Monti Cattaneo
Morelli Amato Silvestri Mazza Testa Grassi Pellegrino Carbone Giuliani Benedetti Barone Rossetti Caputo
Montanari Guerra Palmieri Bernardi Martino Fiore DeRosa Ferretti Bellini Basile Riva Donati Piras Vitali
Battaglia Sartori Neri Costantini Milani Pagano Ruggiero Sorrentino DAmico Orlando Damico Negri Zanetti
""".split()  # noqa: SIM905 - a list of words is read as words
NAMES = """
Mario Lucia Paolo Anna Davide Elena Stefano Chiara Antonio Francesca Giorgio Silvia Roberto Marta Luca Giulia
Marco Sara Andrea Laura Matteo Valentina Alessandro Federica Simone Paola Fabio Monica Giovanni Elisa
""".split()  # noqa: SIM905 - the same
RARE_SURNAME = "Zanardelli"

# The centre of a person, the service of a case, and what has become of it, all from its number.
_SPREAD = "((j * 2654435761) % 1000)"
_CENTRE = f"CASE WHEN {_SPREAD} < 200 THEN 1 WHEN {_SPREAD} < 208 THEN 2 ELSE 3 + j % {CENTRES - 2} END"
_MINE = """
CREATE TEMP TABLE mine AS
SELECT i, j, centre, k, days, automatic,
    CASE WHEN class < 55 AND i <= {persons} THEN 1 WHEN class < 80 THEN 2 WHEN class < 95 THEN 3 ELSE 4 END AS service,
    CASE WHEN days < 60 AND k < 500 THEN 'notified' WHEN days < 60 AND k < 600 THEN 'awaiting-installation'
         WHEN days >= 60 AND k < 15 THEN 'expired' WHEN days >= 60 AND k < 25 THEN 'cancelled'
         ELSE 'completed' END AS state,
    opened, opened + interval '60 days' AS ends
FROM (
    SELECT i, j, class, k, days, {centre} AS centre, ({centre}) % 5 > 2 AS automatic,
        date_trunc('second', now()) - days * interval '1 day' AS opened
    FROM (SELECT i, (i - 1) % {persons} + 1 AS j, ((i - 1) % {persons}) % 100 AS class, (i * 7919) % 1000 AS k,
          {years} * 365.0 * (1 - i / {cases}::float8) AS days
          FROM generate_series(1::bigint, {cases}) AS i) AS numbered
) AS placed
"""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXY"
_BODY = "'R' || upper(lpad(to_hex((i * 2654435761) % 68719476736), 9, '0'))"


def _check(body: str) -> str:
    """Compute the check character of a case code as `renewals.codes.check_character` does."""
    total = " + ".join(
        f"{weight} * (strpos('{_ALPHABET}', substr({body}, {weight}, 1)) - 1)" for weight in range(1, 11)
    )
    return f"substr('{_ALPHABET}', (({total}) % 31)::int + 1, 1)"


def fill(superuser: PostgresAddress, database: str, cases: int) -> None:
    """Write so many cases, twice as many events, and everything that hangs on them."""
    found_centres()
    persons = int(cases * PERSONS_PER_CASE)
    with superuser.connect(database=database) as connection:
        connection.execute(
            "SET session_replication_role = replica; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB';"
            "SET synchronous_commit = off; SET max_parallel_maintenance_workers = 2"
        )
        indexes = take_indexes(connection, BIG)
        _make_persons(connection, persons)
        _make_cases(connection, cases, persons)
        _suspend(connection)
        make_trail(connection, cases)
        for definition in indexes:
            connection.execute(definition)  # type: ignore[call-overload] # as the database itself wrote it
        move_sequences(connection, (*BIG, Centre, Service, Agreement, Stock, CardFamily))
        connection.execute("VACUUM ANALYZE")


def found_centres() -> None:
    """Fifty centres, four services of which the second succeeds the first, an agreement and counters for each."""
    family = CardFamily.objects.create(pk=1, code="ACe 2021", name="IDEMIA 2021")
    names = {1: "CNS - Firma 3 anni", 2: "CNS - eIDAS Firma 3 anni", 3: "CNS Like - Firma 3 anni", 4: "TS-CNS Firma"}
    for pk, name in names.items():
        Service.objects.create(pk=pk, code=f"servizio-{pk}", name=name, types=TYPES)
    Service.objects.filter(pk=1).update(successor_id=2)
    for pk in range(1, CENTRES + 1):
        Centre.objects.create(pk=pk, code=f"cdrl-{pk}", name=f"Ordine di Esempio {pk}", email=f"cdrl{pk}@example.org")
    Agreement.objects.bulk_create(
        Agreement(
            pk=(centre - 1) * 4 + service,
            centre_id=centre,
            service_id=service,
            approval=ApprovalMode.AUTOMATIC if centre % 5 > 2 else ApprovalMode.AUTHORISATION,
        )
        for centre in range(1, CENTRES + 1)
        for service in names
    )
    Stock.objects.bulk_create(
        Stock(pk=((centre - 1) * 4 + service) * 2 + half, centre_id=centre, service_id=service, type=type_, free=500)
        for centre in range(1, CENTRES + 1)
        for service in names
        for half, type_ in enumerate(TYPES)
    )
    del family


def _make_persons(connection: psycopg.Connection, persons: int) -> None:
    surnames, names = array(SURNAMES), array(NAMES)
    surname = (
        f"CASE WHEN j % 100000 = 8 THEN '{RARE_SURNAME}' ELSE ({surnames})[1 + (j * 31 + j / 97) % {len(SURNAMES)}] END"
    )
    letters = "upper(rpad(left({0}, 3), 3, 'X'))"
    insert(
        connection,
        Holder,
        {
            "id": "j",
            "surname": "surname",
            "given_name": "given",
            "tax_code": f"{letters.format('surname')} || {letters.format('given')} || lpad((j % 100)::text, 2, '0')"
            " || 'T' || lpad((j / 100 % 100)::text, 2, '0') || 'A' || lpad((j / 10000 % 1000)::text, 3, '0') || 'X'",
            "email": "'t' || j || '@posta.example.org'",
            "email_key": "'t' || j || '@posta.example.org'",
            "mobile": "'+39' || 3000000000 + j",
            "user_code_set_at": "NULL",
        },
        f"(SELECT j, {surname} AS surname, ({names})[1 + (j / 3) % {len(NAMES)}] AS given"
        f" FROM generate_series(1::bigint, {persons}) AS j) AS person",
    )
    series = f"generate_series(1::bigint, {persons}) AS j"
    insert(
        connection,
        Registration,
        {"id": "j", "holder_id": "j", "centre_id": _CENTRE, "created_at": "now() - interval '8 years'"},
        series,
    )
    connection.execute(
        "INSERT INTO cms_holderword (centre_id, holder_id, word)"
        " SELECT centre_id, holder_id, unnest(folded_words(concat_ws(' ', h.surname, h.given_name, h.tax_code)))"
        " FROM cms_registration JOIN cms_holder h ON h.id = holder_id"
    )
    insert(
        connection,
        Card,
        {
            "id": "j",
            "serial": "'7' || lpad(j::text, 15, '0')",
            "family_id": "1",
            "holder_id": "j",
            "first_issued_on": "current_date - 2900",
            "activated_on": "current_date - 2900",
        },
        series,
    )


def _make_cases(connection: psycopg.Connection, cases: int, persons: int) -> None:
    numbers = {"cases": str(cases), "persons": str(persons), "centre": _CENTRE, "years": str(YEARS)}
    connection.execute(_MINE.format(**numbers))
    _make_pairs(connection, persons)
    service = "CASE WHEN service = 1 THEN 2 ELSE service END"
    is_signed = "state IN ('awaiting-installation', 'completed')"
    answer = (
        f"CASE WHEN NOT {is_signed} THEN 'undecided' WHEN automatic THEN 'not-required'"
        f" WHEN {_IS_PENDING} THEN 'pending' WHEN k = 999 THEN 'refused' ELSE 'approved' END"
    )
    is_decided = f"{is_signed} AND NOT automatic AND NOT ({_IS_PENDING})"
    is_suspended = f"state = 'completed' AND NOT automatic AND {_IS_PENDING} AND days >= 60"
    lapse = hold_lapses_at(clock.now(), 120).strftime("%H:%M")
    kind = (
        "CASE WHEN state IN ('notified', 'awaiting-installation') THEN 'expire'"
        f" WHEN {is_suspended} THEN 'revoke'"
        f" WHEN state = 'completed' AND NOT automatic AND {_IS_PENDING} THEN 'suspend' ELSE '' END"
    )
    due = (
        "CASE WHEN state IN ('notified', 'awaiting-installation') THEN ends + interval '1 second'"
        f" WHEN {is_suspended} THEN date_trunc('day', ends) + interval '121 days' + time '{lapse}'"
        f" WHEN state = 'completed' AND NOT automatic AND {_IS_PENDING} THEN ends + interval '1 second' END"
    )
    insert(
        connection,
        RenewalCase,
        {
            "id": "i",
            "code": f"left(body, 4) || '-' || substr(body, 5, 4) || '-' || substr(body, 9, 2) || {_check('body')}",
            "old_pair_id": "i",
            "new_pair_id": f"CASE WHEN state = 'completed' THEN i + {persons} END",
            "holder_id": "j",
            "card_id": "j",
            "centre_id": "centre",
            "service_id": "service",
            "issuing_service_id": service,
            "agreement_id": f"(centre - 1) * 4 + {service}",
            "flow": "'enroll'",
            "state": "state",
            "authorisation": answer,
            "approval_mode": f"CASE WHEN NOT {is_signed} THEN ''"
            " WHEN automatic THEN 'automatic' ELSE 'authorisation' END",
            "old_not_after": "ends",
            "opened_at": "opened",
            "signed_at": f"CASE WHEN {is_signed} THEN opened + interval '1 day' END",
            "completed_at": "CASE WHEN state = 'completed' THEN opened + interval '2 days' END",
            "closed_at": "CASE WHEN state IN ('expired', 'cancelled') THEN ends END",
            "close_reason": "CASE state WHEN 'expired' THEN 'old-certificate-expired' WHEN 'cancelled'"
            " THEN 'holder-declines' ELSE '' END",
            "decided_by": f"CASE WHEN {is_decided} THEN 1 END",
            "decided_at": f"CASE WHEN {is_decided} THEN opened + interval '3 days' END",
            "decision_reason": f"CASE WHEN {is_decided} AND k = 999 THEN 'Cessato' ELSE '' END",
            "suspended_at": f"CASE WHEN {is_suspended} THEN ends + interval '1 second' END",
            "due_kind": kind,
            "due_at": due,
        },
        f"(SELECT *, {_BODY} AS body FROM mine) AS coded",
    )


_IS_PENDING = "((days < 60 AND k < 800) OR (days BETWEEN 60 AND 179 AND k < 45))"


def _make_pairs(connection: psycopg.Connection, persons: int) -> None:
    """The pair of each case, and the one that it has made where no later case begins with that."""
    insert(
        connection,
        Pair,
        {
            "id": "id",
            "public_id": "md5('pair' || id)::uuid",
            "card_id": "j",
            "holder_id": "j",
            "agreement_id": "(centre - 1) * 4 + service",
            "centre_id": "centre",
            "service_id": "service",
            "predecessor_id": "before",
            "window_opens_at": "CASE WHEN before IS NOT NULL AND id > (SELECT max(i) FROM mine)"
            " THEN ends + interval '1036 days' END",
            "created_at": "opened",
        },
        f"(SELECT i AS id, j, centre, service, CASE WHEN i > {persons} THEN i - {persons} END AS before, opened, ends"
        " FROM mine UNION ALL"
        f" SELECT i + {persons}, j, centre, CASE WHEN service = 1 THEN 2 ELSE service END, i, opened, ends FROM mine"
        f" WHERE state = 'completed' AND i + {persons} > (SELECT max(i) FROM mine)) AS pairs",
    )
    for half, type_ in enumerate(TYPES):
        insert(
            connection,
            Certificate,
            {
                "id": f"id * 2 + {half}",
                "pair_id": "id",
                "type": f"'{type_}'",
                "serial": f"md5('s{half}' || id)",
                "issuer_key_id": f"md5('{type_}')",
                "fingerprint": f"md5('f{half}' || id) || md5('g' || id)",
                "spki_sha256": f"md5('k{half}' || id) || md5('l' || id)",
                "key_kind": "'rsa'",
                "key_bits": "2048",
                "not_before": "created_at",
                "not_after": "created_at + interval '1096 days'",
                "status": "'active'",
                "proven_at": "created_at",
            },
            "cms_pair",
        )


def _suspend(connection: psycopg.Connection) -> None:
    """Hold the new certificates of the cases that nobody has approved in time."""
    held = "renewals_renewalcase c JOIN cms_certificate x ON x.pair_id = c.new_pair_id WHERE c.suspended_at IS NOT NULL"
    connection.execute(
        f"CREATE TEMP TABLE held AS SELECT x.id, c.suspended_at, c.due_at FROM {held}"  # type: ignore[call-overload]
    )
    connection.execute(
        "UPDATE cms_certificate x SET status = 'held', held_at = suspended_at FROM held WHERE held.id = x.id"
    )
    insert(
        connection,
        Hold,
        {
            "id": "id",
            "certificate_id": "id",
            "cause": "'missing-approval'",
            "placed_at": "suspended_at",
            "lapses_at": "due_at",
        },
        "held",
    )


def take_indexes(connection: psycopg.Connection, models: Sequence[type[Model]]) -> list[str]:
    """Drop every index of these tables but the primary keys; return the statements that make them again."""
    tables = [model._meta.db_table for model in models]
    constraints = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'u' AND conrelid::regclass::text = ANY (%s)",
        [tables],
    ).fetchall()
    again = [f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}' for table, name, definition in constraints]
    for table, name, _definition in constraints:
        connection.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(name))
        )
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE NOT indisprimary AND indrelid::regclass::text = ANY (%s)",
        [tables],
    ).fetchall()
    for name, _definition in indexes:
        connection.execute(f"DROP INDEX {name}")  # type: ignore[call-overload] # as the database names it
    return again + [definition for _name, definition in indexes]


def move_sequences(connection: psycopg.Connection, models: Sequence[type[Model]]) -> None:
    """Let the database number on after the rows that were written with numbers of ours."""
    for model in models:
        if not is_numbered(model._meta.pk):
            continue
        table, key = model._meta.db_table, model._meta.pk.column
        connection.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), (SELECT max({key}) FROM {table}) + 1)"  # type: ignore[call-overload]
            f" WHERE pg_get_serial_sequence('{table}', '{key}') IS NOT NULL"
        )
