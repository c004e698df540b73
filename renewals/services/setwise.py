"""Suspending and revoking many cases in one statement: what `rounds` decides for one row, written for a thousand.

All cases of a batch move in the same way at the same instant, so what they become is computed once, by the same rules
(`rounds.suspend`, `rounds.lapse`), and so are the letters, but for the facts of each case, which the statement fills
in. A test holds these statements and `rounds` to each other, row by row (ADR 24).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from cms.actors import SYSTEM
from cms.models import Card, Centre, Holder, Service
from cms.services.certificates import WITHOUT_EFFECT, Announcement, draft_of
from cms.states import HoldCause, RequestKind, RevocationCause
from notifications import services as outbox
from renewals.models import RenewalCase
from renewals.services import notices, rounds
from renewals.states import Authorisation, CaseState

# As Python writes an instant (ISO 8601, UTC), microseconds where there are any.
_INSTANT = (
    "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS'"
    " || CASE WHEN {0} = date_trunc('second', {0}) THEN '' ELSE '.US' END) || '+00:00'"
)
# The facts of a case in its letters, by the name that `notices.context` gives them.
FACTS = {
    "holder_name": "holder.given_name || ' ' || holder.surname",
    "case_code": "moved.code",
    "centre_name": "centre.name",
    "centre_email": "centre.email",
    "centre_phone": "centre.phone",
    "purchase_url": "centre.purchase_url",
    "service_name": "service.name",
    "card_serial": "card.serial",
    "old_not_after": _INSTANT.format("moved.old_not_after"),
    "certificate_types": "%(types)s::jsonb ->> moved.issuing_service_id::text",
}

_MOVED = """
    WITH moved AS (
        UPDATE renewals_renewalcase
           SET {changes}
         WHERE id = ANY (%(cases)s)
     RETURNING id, code, new_pair_id, holder_id, card_id, centre_id, service_id, issuing_service_id, old_not_after
    ), half AS (
        SELECT moved.id AS case_id, pair.id AS pair_id, pair.centre_id, pair.service_id, certificate.id,
               certificate.type, {wished} AS is_wished
          FROM moved
          JOIN cms_pair AS pair ON pair.id = moved.new_pair_id
          JOIN cms_certificate AS certificate ON certificate.pair_id = pair.id
         WHERE certificate.status = ANY (%(working)s)
    ), letter AS (
        SELECT moved.id AS case_id, moved.code,
               CASE WHEN holder.email <> '' THEN %(letter)s::jsonb || jsonb_build_object(
                   'key', (%(letter)s::jsonb ->> 'message') || ':' || moved.code, 'to', holder.email,
                   'language', holder.language, 'holder_id', moved.holder_id, 'centre_id', moved.centre_id,
                   'service_id', moved.service_id, 'context', %(context)s::jsonb || jsonb_build_object({facts})) END
               AS announcement
          FROM moved
          JOIN cms_holder AS holder ON holder.id = moved.holder_id
          JOIN cms_card AS card ON card.id = moved.card_id
          JOIN cms_centre AS centre ON centre.id = moved.centre_id
          JOIN cms_service AS service ON service.id = moved.service_id
    ), wished AS (
        INSERT INTO cms_carequest (uid, natural_key, kind, state, centre_id, service_id, pair_id, certificate_id, type,
                                   profile, subject, spki_sha256, cause, case_code, announcement, asked_at, last_error,
                                   attempts, fence, next_attempt_at)
        SELECT gen_random_uuid(), {key}, %(kind)s, 'planned', half.centre_id, half.service_id, half.pair_id, half.id,
               half.type, '', '{{}}', '', %(cause)s, letter.code, letter.announcement, %(now)s, '', 0, 0, %(now)s
          FROM half JOIN letter ON letter.case_id = half.case_id
         WHERE half.is_wished
         ORDER BY half.id
    ), told AS (
        INSERT INTO cms_event (verb, at, recorded_at, actor_kind, actor_id, channel, outcome, centre_id, service_id,
                               case_code, holder_id, card_id, reason, facts)
        SELECT %(verb)s, %(now)s, statement_timestamp(), %(actor_kind)s, %(actor_id)s, %(channel)s, 'done', centre_id,
               issuing_service_id, code, holder_id, card_id, '', '{{}}'
          FROM moved
         ORDER BY id
    ), {also}
    SELECT (SELECT count(*) FROM moved), (
           SELECT json_agg(json_build_array(code, announcement)) FROM letter WHERE announcement IS NOT NULL AND {told})
"""
_PLACED = """placed AS (
        INSERT INTO cms_hold (certificate_id, cause, placed_at, lapses_at)
        SELECT id, %(cause)s, %(now)s, %(due_at)s FROM half ORDER BY id
    )"""
# Unsent holds and releases would only delay a revocation. Here and below, a state is hidden from the partial indexes:
# they were empty when the planner last looked, hold thousands in the middle of a long sweep, and would be read through
# for each half.
_CANCELLED = """cancelled AS (
        UPDATE cms_carequest AS wish
           SET state = 'cancelled', settled_at = %(now)s, next_attempt_at = NULL
          FROM half
         WHERE half.is_wished AND wish.certificate_id = half.id AND wish.state || '' = 'planned'
           AND wish.kind IN ('hold', 'release')
    )"""
# What stands before this statement: what it inserts itself, it does not see. Counted for each half, because the planner
# may turn NOT EXISTS into a hash of all holds and revocations there are.
_NOT_HELD = """0 = (
                   SELECT count(*) FROM cms_hold AS hold WHERE hold.certificate_id = certificate.id
                      AND coalesce(hold.lifted_at, hold.ended_at) IS NULL)"""
# Another cause holds all that there is: the CA, whose answer would send the letter, is asked for nothing.
_ALL_HELD = "case_id IN (SELECT half.case_id FROM half GROUP BY half.case_id HAVING NOT bool_or(half.is_wished))"
_NOT_REVOKED = """0 = (
                   SELECT count(*) FROM cms_carequest AS wish WHERE wish.certificate_id = certificate.id
                      AND wish.kind = 'revoke' AND wish.state <> ALL (%(without_effect)s))"""
_REVOCATIONS = """(
                   SELECT count(*) FROM cms_carequest AS wish
                    WHERE wish.certificate_id = half.id AND wish.kind = 'revoke')"""


@dataclass(frozen=True, slots=True)
class Move:
    """One way for a case to move by the clock: what is decided of it, and the parts of the statement that differ.

    `decide` and `letter` are what `rounds` asks, too; `wished` says of which halves the CA is asked for something,
    `told` whose letters leave at once.
    """

    decide: Callable[[RenewalCase, datetime], None]
    fields: Sequence[str]
    letter: Callable[..., Announcement | None]
    kind: RequestKind
    cause: HoldCause | RevocationCause
    verb: str
    wished: str
    key: str
    also: str
    told: str


SUSPENSION = Move(
    rounds.suspend,
    rounds.SUSPENDED_FIELDS,
    notices.suspension,
    RequestKind.HOLD,
    HoldCause.MISSING_APPROVAL,
    "case.suspension-due",
    wished=_NOT_HELD,
    key="'hold:' || half.id || ':' || to_char(%(now)s AT TIME ZONE 'UTC', 'YYYYMMDD\"T\"HH24MISS')",
    also=_PLACED,
    told=_ALL_HELD,
)
LAPSE = Move(
    rounds.lapse,
    rounds.LAPSED_FIELDS,
    notices.revocation,
    RequestKind.REVOKE,
    RevocationCause.APPROVAL_LAPSED,
    "case.revocation-due",
    wished=_NOT_REVOKED,
    key=f"'revoke:' || half.id || '/' || {_REVOCATIONS} + 1",
    also=_CANCELLED,
    told="false",
)


def carry_out(move: Move, case_ids: Collection[int], *, now: datetime) -> int:
    """Move these cases, which the caller has locked together with their new certificates. Returns how many moved."""
    case = _any_case(now)
    move.decide(case, now)
    said = move.letter(case, at=now)
    letter = asdict(said) if said else {}
    context = letter.pop("context", {})
    values: dict[str, Any] = {
        "cases": list(case_ids),
        "now": now,
        "due_at": case.due_at,
        "letter": json.dumps(letter),
        "context": json.dumps(context),
        "types": json.dumps(_types()),
        "kind": move.kind.value,
        "cause": move.cause.value,
        "verb": move.verb,
        "working": [status.value for status in rounds.WORKING],
        "without_effect": [state.value for state in WITHOUT_EFFECT],
        "actor_kind": SYSTEM.kind,
        "actor_id": SYSTEM.id,
        "channel": SYSTEM.channel.value,
    }
    values |= {f"new_{name}": getattr(case, name) for name in move.fields}
    with connection.cursor() as cursor:
        cursor.execute(_statement(move, context), values)
        moved, told = cursor.fetchone()
    outbox.post_each([draft_of(said, code) for code, said in _read(told)], at=now)
    return int(moved)


def _read(told: Any) -> list[tuple[str, dict[str, Any]]]:
    """Letters that leave at once, as the driver gives them: JSON, text of JSON, or nothing."""
    return json.loads(told) if isinstance(told, str) else told or []


def _statement(move: Move, context: Mapping[str, Any]) -> str:
    return _MOVED.format(
        changes=", ".join(f"{name} = %(new_{name})s" for name in move.fields),
        facts=", ".join(f"'{name}', {FACTS[name]}" for name in FACTS if name in context),
        wished=move.wished,
        key=move.key,
        also=move.also,
        told=move.told,
    )


def _any_case(now: datetime) -> RenewalCase:
    """A case about to move, of nobody: the letters' facts of a case are filled in row by row."""
    return RenewalCase(
        state=CaseState.COMPLETED,
        authorisation=Authorisation.PENDING,
        holder=Holder(email="nobody@example.org"),
        card=Card(),
        centre=Centre(),
        service=Service(),
        issuing_service=Service(types=[]),
        old_not_after=now,
        opened_at=now,
        completed_at=now,
    )


def _types() -> dict[str, str]:
    """Certificate types of each service as letters name them."""
    return {str(service.pk): notices.types_of(service) for service in Service.objects.only("types")}
