"""A town with one of everything that pages show: jobs, proposals, purchases, accounts in every role, failures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from cms.models import (
    Agreement,
    Campaign,
    CampaignEntry,
    CardFamily,
    CaRequest,
    Invitation,
    Job,
    JobRow,
    PurchaseRequest,
    RevocationProposal,
    Service,
    StatusCheck,
    StatusDifference,
    Stock,
    User,
)
from cms.policy import rome_date
from cms.services import intake, registration
from cms.states import (
    ApprovalMode,
    DifferenceKind,
    Flow,
    JobKind,
    JobRowState,
    JobState,
    RequestState,
    Role,
)
from notifications.models import OutboxMessage
from renewals.models import RenewalCase, RevocationStop, SupportRequest
from renewals.services import support_desk
from renewals.services.support import Asked, open_request
from tests.cms.roster_maker import Mint, archive, table
from tests.panel.population_smime import add_smime
from tests.panel.town import NOW, Town, crowd


def populated() -> Town:
    """A Monday morning in March: something stands on every list."""
    town = Town()
    town.cases = crowd(town)  # type: ignore[attr-defined]
    _people(town)
    _failures(town)
    _waiting(town)
    _job(town)
    _roster(town)
    _watched(town)
    _campaign(town)
    _support(town)
    add_smime(town)
    return town


def _people(town: Any) -> None:
    town.manager = town.employ("anna.conti@cdrl.example.org", "Anna Conti", role=Role.MANAGER)
    town.auditor = town.employ("ugo.fabbri@cdrl.example.org", "Ugo Fabbri", role=Role.AUDITOR)
    town.administrator = town.employ("pia.serra@fornitore.example.org", "Pia Serra")
    town.administrator.memberships.all().delete()
    User.objects.filter(pk=town.administrator.pk).update(is_administrator=True)
    town.administrator.refresh_from_db()
    for user in (town.operator, town.manager, town.auditor, town.administrator):
        town.secret = town.give_totp(user)


def _support(town: Any) -> None:
    """Opened with the card and with a log; by hearsay; of no centre; and one that is closed."""
    said = {
        "code": "card-update",
        "step": "requests",
        "message": "Si è fermato quando generava le chiavi.\nLa spia del lettore lampeggia.",
        "email": "",
        "language": "it",
        "client": "sigillo-card 0.2.0",
        "system": "Windows 11 24H2",
        "card_serial": "",
        "family": "ACe 2021",
        "reader": "Bit4id miniLector EVO",
        "driver": "bit4xpki 1.4.10.647",
        "log": "",
    }
    log = "2026-03-02T08:41:07Z cardclient.flow INFO step requests\n" * 40

    def opened(minutes: int, case_id: int | None = None, **more: str) -> SupportRequest:
        asked = Asked(**said | more, request_id=UUID(int=len(said) * 1000 + minutes))
        return open_request(asked, case_id=case_id, now=NOW - timedelta(minutes=minutes))

    town.closed_support = opened(2900, town.cases[4].pk, code="server-unreachable", message="Ora funziona.")
    support_desk.close_request(town.closed_support.number, operator=town.operator, now=NOW - timedelta(minutes=2000))
    opened(300, code="card-absent", email="qualcuno@posta.example.org", card_serial=town.cases[1].card.serial)
    opened(200, code="card-absent", email="altri@posta.example.org", card_serial="7420000000000001")
    taken = opened(90, town.cases[6].pk, code="pin-locked", message="Non trovo il PUK.")
    support_desk.assign_request(taken.number, town.operator.pk, operator=town.operator, now=NOW - timedelta(minutes=60))
    town.support = opened(20, town.cases[0].pk, log=log + "2026-03-02T08:41:09Z card ERROR CKR_DEVICE_ERROR")


def _failures(town: Any) -> None:
    urged, refused = town.cases[3], town.cases[7]
    RenewalCase.objects.filter(pk=urged.pk).update(urged_at=NOW - timedelta(hours=3))
    message = OutboxMessage.objects.filter(case_code=town.cases[5].code).first()
    if message is not None:
        failed = {"state": "failed", "sent_at": None, "last_error": "mailbox-unknown"}
        OutboxMessage.objects.filter(pk=message.pk).update(**failed)
    at = NOW - timedelta(hours=20)
    CaRequest.objects.create(
        natural_key="hold:refused",
        kind="hold",
        state=RequestState.REFUSED,
        centre=refused.centre,
        service=refused.issuing_service,
        pair=refused.new_pair,
        certificate=refused.new_pair.certificates.first(),
        case_code=refused.code,
        asked_at=at,
        settled_at=at,
        last_error="ca-refused",
    )


def _waiting(town: Any) -> None:
    pair = town.cases[10].new_pair
    town.proposal = RevocationProposal.objects.create(
        pair=pair,
        centre=pair.centre,
        service=pair.service,
        certificate_ids=list(pair.certificates.values_list("pk", flat=True)),
        cause="holder-request",
        note="Ha smarrito la carta",
        proposed_by=town.operator.pk,
        proposed_at=NOW - timedelta(days=1),
    )
    town.purchase = PurchaseRequest.objects.create(
        number="RA-2026-0007",
        centre=town.centre,
        service=town.eidas,
        types=town.eidas.types,
        quantity=50,
        order_reference="ordine 118/2026",
        requested_by=town.manager.pk,
        requested_at=NOW - timedelta(days=2),
    )
    town.invitation = Invitation.objects.create(
        email="eva.neri@cdrl.example.org",
        full_name="Eva Neri",
        tax_code="NREVEA80A41A390U",
        centre=town.centre,
        role=Role.OPERATOR,
        token_sha256="0" * 64,
        invited_by=town.manager.pk,
        invited_at=NOW - timedelta(hours=5),
        expires_at=NOW + timedelta(hours=67),
    )


def _job(town: Any) -> None:
    at = NOW - timedelta(minutes=20)
    town.job = Job.objects.create(
        kind=JobKind.APPROVE,
        state=JobState.DONE,
        centre=town.centre,
        service=town.service,
        started_by=town.operator,
        created_at=at,
        finished_at=at + timedelta(seconds=9),
        total=3,
        done=2,
        refused=1,
    )
    for position, case in enumerate(town.cases[:3], 1):
        is_refused = position == 3
        JobRow.objects.create(
            job=town.job,
            position=position,
            subject_id=case.pk,
            payload={"case": case.code},
            state=JobRowState.REFUSED if is_refused else JobRowState.DONE,
            code="decision-made" if is_refused else "",
            text="Il rinnovo è già stato respinto." if is_refused else "Rinnovo approvato.",
            settled_at=at,
        )


def _roster(town: Any) -> None:
    """An import that was checked and waits for the operator's word: nine cards, three of them refused."""
    mint = Mint()
    registration.pin_issuer(mint.certificate)
    people = [mint.person(number) for number in range(1, 10)]
    people[2] = people[2].but(codice_fiscale="RSSMRA85T10A562X")
    people[5] = people[5].but(email="persona1@posta.example.org")
    people[7] = people[7].but(prima_emissione="31/02/2024")
    town.roster = intake.receive_import(
        Agreement.objects.get(centre=town.centre, service=town.service).pk,
        table=table(people),
        certificates=[archive(people)],
        operator=town.operator,
        now=NOW - timedelta(minutes=5),
    )
    intake.carry_out(town.roster.pk, at=NOW - timedelta(minutes=4))
    town.roster.refresh_from_db()


def _watched(town: Any) -> None:
    """A stop of the revocations in force, a longer one that waits for its second person, and the night's check."""
    asked = {"asked_by": town.manager.pk, "asked_at": NOW - timedelta(hours=30)}
    town.stop = RevocationStop.objects.create(
        reason="Posta del fornitore ferma da venerdì",
        ends_at=NOW + timedelta(days=1),
        confirmed_by=town.administrator.pk,
        confirmed_at=NOW - timedelta(hours=29),
        **asked,
    )
    reason = "La posta non riparte prima di giovedì"
    town.asked_stop = RevocationStop.objects.create(reason=reason, ends_at=NOW + timedelta(days=3), **asked)
    started = NOW - timedelta(hours=6)
    town.check = StatusCheck.objects.create(
        started_at=started, finished_at=started + timedelta(minutes=4), checked=48, total=48, next_attempt_at=None
    )
    certificate = town.cases[10].new_pair.certificates.first()
    StatusDifference.objects.create(
        check_run=town.check,
        certificate=certificate,
        kind=DifferenceKind.CRL,
        issuer_key_id=certificate.issuer_key_id,
        serial=certificate.serial,
        register_status="held",
        ca_status="held",
        crl_status="good",
        ocsp_status="held",
        found_at=started,
        confirmed_at=started + timedelta(minutes=3),
    )


def _campaign(town: Any) -> None:
    """A campaign of extension for two families, open since a month, for those on its list."""
    types = ["authentication"]
    extended = Service.objects.create(code="ts-cns", name="TS-CNS", flow=Flow.EXTEND, types=types)
    issuing = Service.objects.create(code="ts-cns-estensione", name="TS-CNS estensione", flow=Flow.EXTEND, types=types)
    for service in (extended, issuing):
        Agreement.objects.create(centre=town.centre, service=service, approval=ApprovalMode.AUTOMATIC)
    Stock.objects.create(centre=town.centre, service=issuing, type="authentication")
    today = rome_date(NOW)
    town.campaign = Campaign.objects.create(
        code="estensione-ts-cns",
        name="Estensione TS-CNS",
        service=extended,
        issuing_service=issuing,
        opens_on=today - timedelta(days=30),
        cutoff_on=today + timedelta(days=300),
        target_on=today + timedelta(days=301),
        is_listed=True,
    )
    town.campaign.families.set(
        [
            CardFamily.objects.get_or_create(code=code, defaults={"name": f"TS-CNS {code}"})[0]
            for code in ("AC 2018", "ID 2019")
        ]
    )
    CampaignEntry.objects.create(campaign=town.campaign, tax_code="RSSMRA85T10A562S")
    CampaignEntry.objects.create(campaign=town.campaign, card_serial="6090010000000001")
