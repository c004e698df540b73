"""The audit chain: whoever may write past every trigger still leaves a mark that the offline check names."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from cms import chain, events, queries
from cms.actors import SYSTEM
from cms.models import Event, EventSeal
from cms.services import seals
from tests.panel.town import NOW

EVENTS = 12


@pytest.fixture
def trail(committed, clock):
    """Twelve sealed events; returns their ids."""
    clock.instant = NOW
    return write_and_seal(EVENTS, at=NOW)


def write_and_seal(count, *, at):
    written = [
        events.record("case.opened", actor=SYSTEM, at=at, case_code=f"R{number}", facts={"number": number})
        for number in range(count)
    ]
    seals.seal_events(at=at)
    return [event.pk for event in written]


@pytest.fixture
def tamper(superuser):
    """Run statements as nobody in the product can: as superuser, with triggers and foreign keys silent."""

    def run(*statements, **values):
        with superuser.connect() as boss:
            boss.execute("SET session_replication_role = replica")
            for statement in statements:
                boss.execute(statement.format(**values))

    return run


def verified(*arguments) -> tuple[list[str], bool]:
    """Lines of the command, and whether it ended well."""
    out = io.StringIO()
    try:
        call_command("verify_events", *arguments, stdout=out)
    except CommandError:
        return out.getvalue().splitlines()[:-1], False
    return out.getvalue().splitlines()[:-1], True


def end_of_chain() -> str:
    last = EventSeal.objects.latest("seq")
    return f"{last.seq}:{last.digest}"


def test_a_chain_that_nobody_touched_holds(trail):
    assert verified("--anchor", end_of_chain()) == ([], True)
    assert EventSeal.objects.count() == EVENTS


def test_sealing_goes_on_where_it_ended_and_seals_nothing_twice(trail):
    write_and_seal(3, at=NOW + timedelta(minutes=1))
    assert seals.seal_events(at=NOW + timedelta(minutes=2)) == 0

    assert EventSeal.objects.count() == EVENTS + 3
    assert verified() == ([], True)


def test_batches_catch_up_with_a_long_trail(committed, clock):
    clock.instant = NOW
    events.record_many(
        [events.built("case.opened", actor=SYSTEM, at=NOW, facts={}, case_code=f"R{number}") for number in range(25)]
    )

    assert seals.seal_events(at=NOW, batch=10) == 25
    assert verified() == ([], True)


def test_an_event_that_commits_after_later_ones_is_sealed_too(trail, superuser):
    """Numbers are given at the insert, seals at the commit: the next round looks behind its own end."""
    with superuser.connect() as boss:
        boss.execute("BEGIN")
        boss.execute(
            "INSERT INTO cms_event (verb, at, recorded_at, actor_kind, channel, outcome, case_code, reason, facts)"
            " VALUES ('case.opened', now(), now(), 'system', 'automatic', 'done', '', '', '{}')"
        )
        write_and_seal(2, at=NOW + timedelta(minutes=1))
        boss.execute("COMMIT")
    assert seals.seal_events(at=NOW + timedelta(minutes=2)) == 1

    assert verified() == ([], True)


def test_one_sealer_at_a_time(trail, superuser):
    events.record("case.opened", actor=SYSTEM, at=NOW)
    with superuser.connect() as other:
        other.execute("BEGIN")
        other.execute(f"SELECT pg_advisory_xact_lock({seals.SEALING})")
        assert seals.seal_events(at=NOW) == 0
    assert seals.seal_events(at=NOW) == 1


# Six ways to lie: what is done, and what the check says of it.


def test_an_edit_is_found(trail, tamper):
    tamper("UPDATE cms_event SET outcome = 'refused' WHERE id = {id}", id=trail[4])

    assert verified() == ([f"event-changed seal=5 event={trail[4]}"], False)


OTHERWISE = {
    **{name: "4711" for name in chain.COLUMNS if name.endswith("_id")},
    "at": "at + '1us'",
    "recorded_at": "recorded_at + '1us'",
    "new_not_after": "now()",
    "facts": """'{"number": 5}'""",
    "channel": "'panel'",
    "outcome": "'failed'",
}


@pytest.mark.parametrize("column", [column for column in chain.COLUMNS if column != "id"])
def test_an_edit_of_any_column_is_found(trail, tamper, column):
    value = OTHERWISE.get(column, "'x'")
    tamper("UPDATE cms_event SET {column} = {value} WHERE id = {id}", column=column, value=value, id=trail[4])

    assert verified() == ([f"event-changed seal=5 event={trail[4]}"], False)


def test_a_deletion_is_found(trail, tamper):
    tamper("DELETE FROM cms_event WHERE id = {id}", id=trail[4])

    assert verified() == ([f"event-missing seal=5 event={trail[4]}"], False)


def test_a_deletion_with_its_seal_is_found(trail, tamper):
    tamper("DELETE FROM cms_event WHERE id = {id}", "DELETE FROM cms_eventseal WHERE seq = 5", id=trail[4])

    assert verified() == (["seals-missing seal=5"], False)


def test_a_swap_of_two_events_is_found(trail, tamper):
    a, b = trail[2], trail[7]
    tamper(
        "UPDATE cms_event SET id = -1 WHERE id = {a}",
        "UPDATE cms_event SET id = {a} WHERE id = {b}",
        "UPDATE cms_event SET id = {b} WHERE id = -1",
        a=a,
        b=b,
    )

    assert verified() == ([f"events-swapped seal=3 event={a}", f"events-swapped seal=8 event={b}"], False)


def test_a_swap_of_what_two_seals_point_to_is_found(trail, tamper):
    a, b = trail[2], trail[7]
    tamper(
        "UPDATE cms_eventseal SET event_id = -1 WHERE seq = 3",
        "UPDATE cms_eventseal SET event_id = {a} WHERE seq = 8",
        "UPDATE cms_eventseal SET event_id = {b} WHERE seq = 3",
        a=a,
        b=b,
    )

    assert verified() == ([f"events-swapped seal=3 event={b}", f"events-swapped seal=8 event={a}"], False)


OLD = (
    "INSERT INTO cms_event (id, verb, at, recorded_at, actor_kind, channel, outcome, case_code, reason, facts)"
    " OVERRIDING SYSTEM VALUE SELECT {id}, verb, at, timestamp '2026-01-01', actor_kind, channel, outcome, 'R9', reason, facts"
    " FROM cms_event WHERE id = {like}"
)


def test_an_insertion_before_the_end_is_found_unsealed(trail, tamper):
    tamper(
        "UPDATE cms_event SET id = id + 100 WHERE id > {before}",
        "UPDATE cms_eventseal SET event_id = event_id + 100 WHERE seq > 6",
        OLD,
        before=trail[5],
        id=trail[5] + 1,
        like=trail[0],
    )

    lines, held = verified()

    assert f"event-unsealed event={trail[5] + 1}" in lines
    assert not held


def test_an_insertion_that_the_sealer_took_for_a_late_commit_is_found(committed, clock, tamper):
    clock.instant = NOW
    first = write_and_seal(2, at=NOW)
    with connection.cursor() as cursor:  # a number that a transaction took and gave up
        cursor.execute("SELECT nextval(pg_get_serial_sequence('cms_event', 'id'))")
        (gap,) = cursor.fetchone()
    write_and_seal(2, at=NOW + timedelta(minutes=1))
    tamper(OLD, id=gap, like=first[0])
    seals.seal_events(at=NOW + timedelta(hours=1))

    assert verified() == ([f"event-inserted seal=5 event={gap}"], False)


def test_a_forged_seal_is_found(trail, tamper):
    tamper(
        OLD,
        "INSERT INTO cms_eventseal (seq, event_id, digest, sealed_at)"
        " SELECT 13, {id}, digest, sealed_at FROM cms_eventseal WHERE seq = 12",
        id=trail[-1] + 50,
        like=trail[0],
    )

    assert verified() == ([f"event-changed seal=13 event={trail[-1] + 50}"], False)


def test_a_truncation_is_found_by_an_anchor(trail, tamper):
    noted = end_of_chain()
    tamper("DELETE FROM cms_event WHERE id > {id}", "DELETE FROM cms_eventseal WHERE seq > 9", id=trail[8])

    assert verified() == ([], True)
    assert verified("--anchor", noted) == (["chain-cut-off seal=12"], False)


def test_a_truncation_is_found_by_the_last_sound_check(trail, tamper):
    assert verified() == ([], True)
    tamper("DELETE FROM cms_event WHERE id > {id}", "DELETE FROM cms_eventseal WHERE seq > 9", id=trail[8])

    assert verified() == (["chain-cut-off seal=12"], False)


def test_a_reordering_is_found(trail, tamper):
    tamper(
        "UPDATE cms_eventseal SET seq = -1 WHERE seq = 3",
        "UPDATE cms_eventseal SET seq = 3 WHERE seq = 4",
        "UPDATE cms_eventseal SET seq = 4 WHERE seq = -1",
    )

    lines, held = verified()

    assert {line.split(" event")[0] for line in lines} >= {"event-changed seal=3", "event-changed seal=4"}
    assert not held


def test_a_chain_written_anew_from_an_edit_on_is_found_by_an_anchor(trail, tamper):
    noted = end_of_chain()
    tamper("UPDATE cms_event SET reason = 'x' WHERE id = {id}", "DELETE FROM cms_eventseal WHERE seq > 4", id=trail[4])
    seals.seal_events(at=NOW)

    assert verified() == ([], True)
    assert verified("--anchor", noted)[0] == [f"anchor-differs seal=12 event={trail[-1]}"]


def test_an_exported_chain_is_verified_without_the_database(trail, tmp_path, tamper):
    file = tmp_path / "chain.jsonl"
    assert verified("--export", str(file)) == ([], True)
    assert len(file.read_text().splitlines()) == EVENTS
    connections.close_all()

    assert verified("--file", str(file)) == ([], True)
    file.write_text(file.read_text().replace('"case_code": "R4"', '"case_code": "R5"'))
    assert verified("--file", str(file)) == ([f"event-changed seal=5 event={trail[4]}"], False)
    assert connection.connection is None


def test_the_chain_covers_every_column_of_an_event():
    assert {field.attname for field in Event._meta.concrete_fields} == set(chain.COLUMNS)


def test_the_page_learns_where_the_chain_ends_and_how_much_waits(trail, clock):
    events.record("case.opened", actor=SYSTEM, at=NOW)
    verified()

    state = queries.seal_state()

    assert (state.seq, state.waiting, state.checked_seq, state.is_sound) == (EVENTS, 1, EVENTS, True)
    assert (state.sealed_at, state.checked_at) == (NOW, NOW)


def test_the_state_of_the_chain_is_the_same_behind_the_fence(trail):
    from config.fence import CLOSED
    from runtime import fence

    events.record("case.opened", actor=SYSTEM, at=NOW)
    fence.stand_behind(CLOSED)
    try:
        assert (queries.seal_state().seq, queries.seal_state().waiting) == (EVENTS, 1)
    finally:
        fence.stand_in_the_open()
