"""Changes of status in batches: claimed in one statement, asked in one call, settled in one transaction.

What `cms.services.requests` does with one request, done with many by the same rules (ADR 24); a test compares them.
A worker that dies between any two steps leaves its claims to lapse: another one asks again with the same ids.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from cms import ca
from cms.actors import SYSTEM
from cms.models import CaRequest
from cms.policy import REASON_OF
from cms.services import registration
from cms.services.certificates import draft_of
from cms.services.failures import FINAL, note_failure
from cms.states import RequestKind, RevocationCause
from notifications import services as notifications
from pki import batch
from pki.batch import Order, OrderKind
from pki.errors import GatewayError
from pki.gateway import CertificateRef
from runtime import nudge
from runtime.transactions import use_case

# Of one certificate the first open wish alone, and none before its revocation, which overtakes (ADR 3): so no
# certificate comes twice in a batch.
_TAKE = """
    WITH picked AS MATERIALIZED (
        SELECT wish.id
          FROM cms_carequest AS wish
         WHERE wish.state IN ('planned', 'sent') AND wish.next_attempt_at <= %(at)s AND wish.kind <> 'issue'
           AND (wish.claimed_until IS NULL OR wish.claimed_until <= %(at)s)
           AND (wish.kind = 'revoke' OR NOT EXISTS (
                SELECT FROM cms_carequest AS other
                 WHERE other.certificate_id = wish.certificate_id AND other.state IN ('planned', 'sent')
                   AND (other.id < wish.id OR other.kind = 'revoke')))
         ORDER BY wish.next_attempt_at
         LIMIT %(most)s
           FOR NO KEY UPDATE OF wish SKIP LOCKED)
    UPDATE cms_carequest AS wish
       SET state = 'sent', fence = wish.fence + 1, attempts = wish.attempts + 1, claimed_until = %(until)s
      FROM picked, cms_certificate AS certificate
     WHERE wish.id = picked.id AND certificate.id = wish.certificate_id
 RETURNING wish.id, wish.fence, wish.uid, wish.kind, wish.cause, wish.certificate_id, certificate.issuer_key_id,
           certificate.serial
"""
# The planner, which last saw no open wishes, would read and sort all of them for each batch: two at a time or
# twenty thousand look the same to it.
_IN_ORDER_OF_THE_INDEX = "SET LOCAL enable_sort = off"
_LOCK_CERTIFICATES = "SELECT id FROM cms_certificate WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE"
_SETTLE = """
    WITH settled AS (
        UPDATE cms_carequest AS wish
           SET state = 'done', settled_at = %(at)s, last_error = '', claimed_until = NULL, next_attempt_at = NULL
          FROM unnest(%(ids)s::bigint[], %(fences)s::bigint[]) AS mine (id, fence)
         WHERE wish.id = mine.id AND wish.fence = mine.fence
     RETURNING wish.id, wish.uid, wish.kind, wish.type, wish.cause, wish.case_code, wish.centre_id, wish.service_id,
               wish.pair_id, wish.certificate_id, wish.announcement IS NOT NULL AS is_told
    ), moved AS (
        UPDATE cms_certificate AS certificate
           SET status = CASE settled.kind WHEN 'hold' THEN 'held' WHEN 'release' THEN 'active' ELSE 'revoked' END,
               held_at = CASE settled.kind WHEN 'hold' THEN %(at)s WHEN 'release' THEN NULL
                                           ELSE certificate.held_at END,
               revoked_at = CASE settled.kind WHEN 'revoke' THEN %(at)s ELSE certificate.revoked_at END,
               revocation_cause = CASE settled.kind WHEN 'revoke' THEN settled.cause
                                                    ELSE certificate.revocation_cause END
          FROM settled
         WHERE certificate.id = settled.certificate_id
           AND CASE settled.kind WHEN 'hold' THEN certificate.status = 'active'
                                 WHEN 'release' THEN certificate.status = 'held'
                                 ELSE certificate.status <> 'revoked' END
     RETURNING certificate.id, settled.id AS wish_id
    ), told AS (
        INSERT INTO cms_event (verb, at, recorded_at, actor_kind, actor_id, channel, outcome, centre_id, service_id,
                               case_code, holder_id, card_id, certificate_id, reason, facts)
        SELECT CASE settled.kind WHEN 'hold' THEN 'certificate.held' WHEN 'release' THEN 'certificate.released'
                                 ELSE 'certificate.revoked' END,
               %(at)s, statement_timestamp(), %(actor_kind)s, %(actor_id)s, %(channel)s, 'done', settled.centre_id,
               settled.service_id, settled.case_code, pair.holder_id, pair.card_id, moved.id,
               CASE settled.kind WHEN 'release' THEN '' ELSE settled.cause END,
               jsonb_build_object('type', settled.type, 'request', settled.uid)
          FROM moved JOIN settled ON settled.id = moved.wish_id JOIN cms_pair AS pair ON pair.id = settled.pair_id
         ORDER BY settled.id
    )
    SELECT id, pair_id, certificate_id, kind, is_told FROM settled
"""
_END_HOLDS = """
    UPDATE cms_hold SET ended_at = %(at)s
     WHERE certificate_id = ANY (%(revoked)s) AND coalesce(lifted_at, ended_at) IS NULL
"""
_LOCK_PAIRS = "SELECT id FROM cms_pair WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE"
# The pair is named too: what is asked outside a renewal has no case, and would wait for everybody else's. The state is
# hidden from the indexes of open wishes: they were empty when the planner last looked, and hold thousands on the
# morning after an outage, which it would read through for each row.
_TO_ANNOUNCE = """
    SELECT wish.case_code, wish.announcement::text
      FROM cms_carequest AS wish
     WHERE wish.id = ANY (%s) AND NOT EXISTS (
           SELECT FROM cms_carequest AS other
            WHERE other.pair_id = wish.pair_id AND other.case_code = wish.case_code AND other.kind = wish.kind
              AND other.state || '' IN ('planned', 'sent'))
     ORDER BY wish.id
"""
_POSTPONE = """
    UPDATE cms_carequest AS wish
       SET last_error = %(code)s, claimed_until = NULL,
           next_attempt_at = %(at)s + make_interval(
               secs => (%(waits)s::int[])[least(wish.attempts, cardinality(%(waits)s::int[]))])
      FROM unnest(%(ids)s::bigint[], %(fences)s::bigint[]) AS mine (id, fence)
     WHERE wish.id = mine.id AND wish.fence = mine.fence
"""


class Taken(NamedTuple):
    """A wish under our claim, with what the CA must be told."""

    pk: int
    fence: int
    uid: UUID
    kind: str
    cause: str
    certificate_id: int
    issuer_key_id: str
    serial: str

    @property
    def order(self) -> Order:
        """The same as the port takes it."""
        ref = CertificateRef(bytes.fromhex(self.issuer_key_id), int(self.serial, 16))
        reason = REASON_OF[RevocationCause(self.cause)] if self.kind == RequestKind.REVOKE else None
        return Order(OrderKind(self.kind), ref, self.uid, reason)


class _Settled(NamedTuple):
    """A wish that is done."""

    pk: int
    pair_id: int
    certificate_id: int
    kind: str
    is_told: bool


def carry_out_batch(*, at: datetime) -> int:
    """Carry out one batch of what is due and free; returns how many were tried, 0 when there is nothing."""
    gateway = ca.gateway()
    most = settings.CMS.ca_batch if batch.takes_batches(gateway) else settings.CMS.ca_batch_one_by_one
    taken = _take(at, most)
    if not taken:
        return 0
    try:
        outcomes = batch.change_many(gateway, [wish.order for wish in taken], at=at)
    except GatewayError as failure:
        _note_broken_line(taken, failure, at)
        return len(taken)
    failures = {outcome.request_id: outcome.failure for outcome in outcomes if outcome.failure is not None}
    # The refused ones first: the letter of a pair waits for as long as anything of it is open.
    for wish in taken:
        if wish.uid in failures:
            note_failure(_request(wish), wish.fence, failures[wish.uid], at=at)
    settle([wish for wish in taken if wish.uid not in failures], at=at)
    return len(taken)


def _take(at: datetime, most: int) -> list[Taken]:
    """Claim and mark as sent, committed before the CA hears of it; inside a transaction Django refuses this."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_IN_ORDER_OF_THE_INDEX)
        cursor.execute(_TAKE, {"at": at, "most": most, "until": at + settings.CMS.ca_lease})
        return sorted(Taken(*row) for row in cursor.fetchall())


@use_case
def settle(taken: Sequence[Taken], *, at: datetime) -> None:
    """Store that the CA has done these: status, holds, events, and the letters of pairs that wait for nothing more.

    Certificates are locked before wishes, as every use case does. A lost claim (another fence) changes nothing.
    """
    if not taken:
        return
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_CERTIFICATES, [[wish.certificate_id for wish in taken]])
        cursor.execute(_SETTLE, _mine(taken) | {"at": at} | _SYSTEM)
        settled = [_Settled(*row) for row in cursor.fetchall()]
        revoked = [wish.certificate_id for wish in settled if wish.kind == RequestKind.REVOKE]
        if revoked:
            cursor.execute(_END_HOLDS, {"at": at, "revoked": revoked})
    registration.expect_windows([wish.pair_id for wish in settled if wish.kind == RequestKind.RELEASE])
    _announce([wish for wish in settled if wish.is_told], at)
    nudge.after_commit("authority.tasks.publish_crls")


_SYSTEM: dict[str, Any] = {"actor_kind": SYSTEM.kind, "actor_id": SYSTEM.id, "channel": SYSTEM.channel.value}


def _mine(taken: Sequence[Taken]) -> dict[str, Any]:
    return {"ids": [wish.pk for wish in taken], "fences": [wish.fence for wish in taken]}


def _announce(settled: list[_Settled], at: datetime) -> None:
    """Tell the holders of pairs of which nothing of the same kind is open any more, each fact once."""
    if not settled:
        return
    with connection.cursor() as cursor:
        # Halves may settle in two batches at once; the second waits here and sees the first one done.
        cursor.execute(_LOCK_PAIRS, [list({wish.pair_id for wish in settled})])
        cursor.execute(_TO_ANNOUNCE, [[wish.pk for wish in settled]])
        drafts = (draft_of(json.loads(said), case_code) for case_code, said in cursor.fetchall())
        notifications.post_each({draft.key: draft for draft in drafts}.values(), at=at)


def _note_broken_line(taken: Sequence[Taken], failure: GatewayError, at: datetime) -> None:
    """Nothing is known of any order: all wait, each by its own number of attempts; what is final, each is told."""
    if isinstance(failure, FINAL):
        for wish in taken:
            note_failure(_request(wish), wish.fence, failure, at=at)
        return
    waits = list(settings.CMS.ca_retry_seconds)
    with connection.cursor() as cursor:
        cursor.execute(_POSTPONE, _mine(taken) | {"at": at, "code": failure.code, "waits": waits})


def _request(wish: Taken) -> CaRequest:
    return CaRequest.objects.select_related("certificate", "pair").get(pk=wish.pk)
