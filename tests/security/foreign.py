"""Rows of another centre and of another service, each with texts that must never leave the database for the wrong desk."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cms import events
from cms.actors import operator as operator_actor
from cms.models import (
    CaRequest,
    Centre,
    Event,
    Invitation,
    Job,
    JobFile,
    JobRow,
    PurchaseRequest,
    RevocationProposal,
    Service,
    StockMovement,
    User,
)
from cms.states import JobKind, JobRowState, JobState, Role
from notifications.models import OutboxMessage
from renewals.models import RenewalCase, SupportLog, SupportRequest
from runtime.embedded.postgres import PostgresAddress
from tests.panel.town import NOW, Town

# Further with each call: what one test has taken, the next one's own rows go on from.
APART = itertools.count(50_000_000, 10_000_000)


@dataclass
class Abroad:
    """What lies outside: ids by the parameter of a route, and the texts that tell."""

    case: RenewalCase
    operator: User
    centre: Centre
    service: Service
    is_other_centre: bool
    ids: dict[str, list[Any]] = field(default_factory=dict)
    fenced: set[str] = field(default_factory=set)
    """Texts that row policies alone must hold back."""
    asked: set[str] = field(default_factory=set)
    """Texts that the pages' own questions hold back: accounts, names of centres."""


def set_apart(superuser: PostgresAddress) -> None:
    """Let every table count from a number of its own, so that an id of one table names no row of another."""
    with superuser.connect() as boss:
        boss.execute(
            "SELECT setval(pg_get_serial_sequence(quote_ident(table_name), column_name),"
            " %s + 100000 * row_number() OVER (ORDER BY table_name)::bigint)"
            " FROM information_schema.columns WHERE table_schema = 'public' AND is_identity = 'YES'",
            [next(APART)],
        )


def abroad(town: Town, centre: Centre, service: Service, tag: str) -> Abroad:
    """One of everything in that centre under that service; `tag` is in every text that can hold it, reversed in names."""
    person = tag[::-1]  # a centre knows its holders and its people whatever the service
    operator = town.employ(
        f"{person}@altrove.example.org".lower(), f"Operatore {person}", centre=centre, role=Role.MANAGER
    )
    holder = town.person(f"Cognome{person}", f"Nome{person}")
    town.buy(centre, service.issuing, 5)
    case = town.suspended(town.completed(town.case(holder, days_left=-5, centre=centre, service=service), days_ago=20))
    waiting = town.completed(town.case(holder, days_left=11, centre=centre, service=service), days_ago=4)
    here = Abroad(case, operator, centre, service, is_other_centre=centre != town.centre)
    _requests(here, tag)
    _business(here, tag)
    _long_work(here, tag)
    _collect(here, [case, waiting], tag)
    return here


def _requests(here: Abroad, tag: str) -> None:
    pair = here.case.new_pair
    CaRequest.objects.create(
        natural_key=f"hold:{tag}", kind="hold", state="refused", centre=pair.centre, service=pair.service, pair=pair,
        certificate=pair.certificates.first(), case_code=here.case.code, asked_at=NOW, settled_at=NOW,
        last_error=f"errore-{tag}",
    )  # fmt: skip
    here.proposal = RevocationProposal.objects.create(  # type: ignore[attr-defined]
        pair=pair, centre=pair.centre, service=pair.service, cause="holder-request", note=f"nota {tag}",
        certificate_ids=list(pair.certificates.values_list("pk", flat=True)), proposed_by=here.operator.pk,
        proposed_at=NOW,
    )  # fmt: skip
    events.record(
        "case.refused", actor=operator_actor(here.operator), at=NOW, reason=f"motivo {tag}", centre_id=pair.centre_id,
        service_id=pair.service_id, case_code=here.case.code, holder_id=pair.holder_id, card_id=pair.card_id,
    )  # fmt: skip
    OutboxMessage.objects.filter(case_code=here.case.code).update(
        recipient=f"{tag}@posta.example.org", state="failed", sent_at=None, next_attempt_at=None, last_error=f"x-{tag}"
    )


def _business(here: Abroad, tag: str) -> None:
    here.purchase = PurchaseRequest.objects.create(  # type: ignore[attr-defined]
        number=f"RA-{tag}", centre=here.centre, service=here.service.issuing, types=here.service.types, quantity=7,
        order_reference=f"ordine {tag}", note=f"nota {tag}", requested_by=here.operator.pk, requested_at=NOW,
    )  # fmt: skip
    here.support = SupportRequest.objects.create(  # type: ignore[attr-defined]
        number=f"S-{tag}"[:16], case=here.case, centre=here.centre, service=here.service, holder=here.case.holder,
        is_proven=True, code="card-absent", message=f"parole {tag}", reader=f"lettore {tag}", opened_at=NOW,
    )  # fmt: skip
    SupportLog.objects.create(request=here.support, text=f"log {tag}")  # type: ignore[attr-defined]
    here.invitation = Invitation.objects.create(  # type: ignore[attr-defined]
        email=f"invito-{tag[::-1]}@altrove.example.org", full_name=f"Invitato {tag[::-1]}", tax_code="RSSMRA85T10A562S",
        centre=here.centre, role=Role.OPERATOR, token_sha256=tag.ljust(64, "0"), invited_by=here.operator.pk,
        invited_at=NOW, expires_at=NOW + timedelta(days=2),
    )  # fmt: skip


def _long_work(here: Abroad, tag: str) -> None:
    here.jobs = []  # type: ignore[attr-defined]
    for kind, state in ((JobKind.APPROVE, JobState.DONE), (JobKind.IMPORT, JobState.CHECKED)):
        job = Job.objects.create(
            kind=kind, state=state, centre=here.centre, service=here.service, started_by=here.operator, created_at=NOW,
            parameters={"nota": tag}, total=1, refused=1,
        )  # fmt: skip
        JobRow.objects.create(
            job=job, position=1, subject_id=here.case.pk, payload={"case": here.case.code, "name": f"riga {tag}"},
            state=JobRowState.REFUSED, code="decision-made", text=f"spiegazione {tag}", settled_at=NOW,
        )  # fmt: skip
        JobFile.objects.create(job=job, name=f"file-{tag}.csv", content=tag.encode())
        here.jobs.append(job)  # type: ignore[attr-defined]


def _collect(here: Abroad, cases: list[RenewalCase], tag: str) -> None:
    pairs = [pair for case in cases for pair in (case.old_pair, case.new_pair)]
    certificates = [half for pair in pairs for half in pair.certificates.all()]
    codes = [case.code for case in cases]
    holder = here.case.holder
    letters = list(OutboxMessage.objects.filter(case_code__in=codes).values_list("pk", flat=True))
    numbers = [
        holder.pk, here.case.pk, here.case.card_id, pairs[1].pk, certificates[2].pk,
        Event.objects.filter(case_code=here.case.code).latest("pk").pk,
        StockMovement.objects.filter(case_code=here.case.code).latest("pk").stock_id,
        *([here.operator.pk, here.centre.pk] if here.is_other_centre else []),  # of the own centre they are no strangers
    ]  # fmt: skip
    uids = [
        pairs[1].public_id, here.proposal.uid, here.purchase.uid, here.invitation.uid, *(job.uid for job in here.jobs),  # type: ignore[attr-defined]
        letters[0],
    ]  # fmt: skip
    here.ids = {
        "int": numbers,
        "uuid": uids,
        "str": [
            codes[0], here.purchase.number, here.support.number,  # type: ignore[attr-defined]
            *([here.centre.code] if here.is_other_centre else []),
        ],
    }  # fmt: skip
    here.fenced = {tag, *codes, *(case.card.serial for case in cases), *(half.serial for half in certificates)}
    if not here.is_other_centre:
        # Of another service of the own centre, people and invitations are no strangers.
        here.ids["uuid"].remove(here.invitation.uid)  # type: ignore[attr-defined]
        here.asked = {holder.tax_code, holder.surname, str(holder.mobile)}
        return
    here.asked = {holder.tax_code, tag[::-1], tag[::-1].lower(), str(holder.mobile)}
