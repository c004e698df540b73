"""What a register of years has left beside its cases: events and their seals, the ledger, the CA's answers, mails."""

from __future__ import annotations

import psycopg

from benchmarks.panel_rows import array, insert
from cms.models import CaRequest, Event, EventSeal, StockMovement
from notifications.models import OutboxMessage

TYPES = ["authentication", "signature"]

_LAST_VERB = (
    "CASE state WHEN 'completed' THEN 'case.completed' WHEN 'expired' THEN 'case.expired'"
    " WHEN 'cancelled' THEN 'case.cancelled' ELSE 'case.diagnosed' END"
)


def make_trail(connection: psycopg.Connection, cases: int) -> None:
    """Two events a case, sealed; what the last year has left at the CA, in the ledger and in the outbox."""
    _make_events(connection)
    both = "renewals_renewalcase c, generate_series(0, 1) AS half"
    recent = f"(SELECT c.*, half FROM {both} WHERE c.id > {cases * 7 // 8}) AS c"
    done = recent.replace("WHERE", "WHERE c.new_pair_id IS NOT NULL AND")
    _make_movements(connection, done)
    _make_requests(connection, done)
    _make_messages(connection, recent)


def _make_events(connection: psycopg.Connection) -> None:
    common = {
        "actor_kind": "'system'",
        "channel": "'automatic'",
        "centre_id": "centre_id",
        "service_id": "issuing_service_id",
        "case_code": "code",
        "holder_id": "holder_id",
        "card_id": "card_id",
        "facts": "'{}'",
    }
    for turn, (verb, at) in enumerate(
        [
            ("'case.opened'", "opened_at"),
            (_LAST_VERB, "coalesce(completed_at, closed_at, opened_at + interval '1 hour')"),
        ]
    ):
        insert(
            connection,
            Event,
            common | {"id": f"id * 2 - {1 - turn}", "verb": verb, "at": at, "recorded_at": at},
            "renewals_renewalcase",
        )
    insert(
        connection,
        EventSeal,
        {"seq": "id", "event_id": "id", "digest": "md5(id::text) || md5(id::text)", "sealed_at": "at"},
        "cms_event",
    )


def _make_movements(connection: psycopg.Connection, done: str) -> None:
    insert(
        connection,
        StockMovement,
        {
            "id": "c.id * 2 + half",
            "stock_id": "agreement_id * 2 + half",
            "kind": "'debit'",
            "free_change": "0",
            "reserved_change": "-1",
            "case_code": "code",
            "at": "completed_at",
        },
        done,
    )


def _make_requests(connection: psycopg.Connection, done: str) -> None:
    insert(
        connection,
        CaRequest,
        {
            "id": "c.id * 2 + half",
            "uid": "md5('r' || c.id * 2 + half)::uuid",
            "natural_key": "'issue:' || code || ':' || half",
            "kind": "'issue'",
            "state": "'done'",
            "centre_id": "centre_id",
            "service_id": "issuing_service_id",
            "pair_id": "new_pair_id",
            "certificate_id": "new_pair_id * 2 + half",
            "type": f"({array(TYPES)})[half + 1]",
            "subject": "'{}'",
            "not_after": "completed_at + interval '1096 days'",
            "case_code": "code",
            "asked_at": "completed_at",
            "settled_at": "completed_at",
        },
        done,
    )


def _make_messages(connection: psycopg.Connection, recent: str) -> None:
    insert(
        connection,
        OutboxMessage,
        {
            "id": "md5('m' || c.id * 2 + half)::uuid",
            "key": "(ARRAY['renewal-notice', 'renewal-done'])[half + 1] || ':' || code",
            "kind": "(ARRAY['renewal-notice', 'renewal-done'])[half + 1]",
            "recipient": "'t' || holder_id || '@posta.example.org'",
            "context": "'{}'",
            "message_id": "'<' || md5(c.id || '-' || half) || '@example.org>'",
            "case_code": "code",
            "holder_id": "holder_id",
            "centre_id": "centre_id",
            "service_id": "issuing_service_id",
            "state": "'sent'",
            "created_at": "opened_at",
            "queued_at": "opened_at",
            "sent_at": "opened_at",
            "next_attempt_at": "NULL",
        },
        recent,
    )
