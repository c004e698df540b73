"""A morning at the officers' desk: each kind of evidence waits beside the data that it proves, other orders are over.

What strangers send is as real as tests can make it: a filled-in letter, an extract, photos of the provider's stand-in,
a form with a qualified signature.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db.models import F
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from cms.models import Agreement, Centre, Membership, Service, Stock, User
from cms.states import SMIME_TYPES, Flow
from notifications.models import OutboxMessage
from smime import attestation_letter
from smime.idp_stand_in import page
from smime.idp_stand_in.payloads import Session, data_reply
from smime.models import CaOrder, Check, EvidenceFile, Order, SmimeCertificate
from smime.policy_desk import Call, Registered
from smime.services import attestation, checks, desk, evidence, idp, slots
from smime.services.attestation import Upload
from tests.smime import identified
from tests.smime.desk import office
from tests.smime.mailed import NOW, check_of, order_of
from tests.smime.provider import FakeProvider
from tests.smime.signature import orders as alternative
from tests.smime.test_attestation import FIELDS, Says

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EXTRACT = ("Denominazione", "Esempio S.r.l."), ("Sede legale", "Via Roma 1, 00100 Roma RM")
EXTRACT += ("Codice fiscale e n. iscrizione", "07643520567"), ("Partita IVA", "07643520567")
EXTRACT += ("Stato attività", "attiva"), ("Telefono", "+39 06 1234567")


@dataclass
class Morning:
    """Who works there, and the orders by what waits in them."""

    centre: Centre
    service: Service
    officer: User
    manager: User
    orders: dict[str, Order] = field(default_factory=dict)
    slot_code: str = ""

    def check(self, name: str, kind: str) -> Check:
        """A check of one of the orders."""
        return check_of(self.orders[name], kind)


class Photographer(FakeProvider):
    """A provider whose photos and data are those of the stand-in, for the person of the session."""

    def pictures(self, scan_ref):
        return {each: page.picture(self._session(scan_ref), each.value) for each in idp.Picture}

    def document(self, scan_ref):
        said = data_reply(self._session(scan_ref))
        return {name: str(value) for name, value in said.items() if value not in {None, False}}

    def _session(self, scan_ref: str) -> Session:
        wish = self.wishes[int(scan_ref.rpartition("-")[2]) - 1]
        said = {"firstName": wish.given_name, "lastName": wish.surname, "clientId": wish.client_id}
        return Session(scan_ref, "", said, 0, "", mismatch_tags=list(self.outcomes[scan_ref].tags))


def begun(folder: Path, settings: Any) -> Morning:
    """Monday at ten: the queue is full. `folder` takes the trusted lists."""
    morning = _opened()
    with idp.installed(Photographer()) as provider:
        _organisation(morning)
        _authority(morning)
        _letter(morning)
        _face(morning, provider)
        _doubtful(morning, provider)
    _signature(morning, folder, settings)
    _papers(morning)
    _ready(morning)
    _issued(morning)
    _closed(morning)
    _credited(morning)
    sent = {"state": "sent", "sent_at": F("created_at") + timedelta(seconds=4), "next_attempt_at": None}
    OutboxMessage.objects.filter(state="queued").update(**sent, sealed_context=None)
    return morning


def extract() -> bytes:
    """A page as a register hands it out (PDF)."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True)
    canvas.setFont("Helvetica-Bold", 16)
    canvas.drawString(25 * mm, 265 * mm, "Registro delle Imprese - Visura di prova")
    for line, (name, value) in enumerate(EXTRACT):
        height = (245 - 12 * line) * mm
        canvas.setFont("Helvetica", 10)
        canvas.drawString(25 * mm, height, name)
        canvas.setFont("Helvetica-Bold", 11)
        canvas.drawString(90 * mm, height, value)
    canvas.save()
    return out.getvalue()


def _opened() -> Morning:
    centre = Centre.objects.create(code="cdrl-esempio", name="Ordine di Esempio", email="cdrl@cdrl.example.org")
    types = [type_.value for type_ in SMIME_TYPES]
    service = Service.objects.create(code="smime-esempio", name="S/MIME", flow=Flow.SMIME, types=types)
    Agreement.objects.create(centre=centre, service=service, approval="automatic")
    Stock.objects.bulk_create(Stock(centre=centre, service=service, type=each, free=18) for each in types)
    people = [_colleague(centre, "olga.riva@cdrl.example.org", "Olga Riva", "operator")]
    people += [_colleague(centre, "mara.testa@cdrl.example.org", "Mara Testa", "manager")]
    return Morning(centre, service, *people)


def _colleague(centre: Centre, email: str, name: str, role: str) -> User:
    user = User.objects.create_user(email, full_name=name, is_staff=True)
    Membership.objects.create(user=user, centre=centre, role=role)
    return user


def _arrived(morning: Morning, name: str, validation: str, person: str, days: float) -> Order:
    """An order that was sent so many days ago; the recipient has confirmed his mailbox."""
    given_name, surname = person.split(" ", 1)
    mailbox = f"{given_name}.{surname}@posta.example.org".lower().replace("'", "").replace(" ", "")
    data = {"given_name": given_name, "surname": surname, "mailbox": mailbox}
    data |= {"technical_given_name": given_name, "technical_surname": surname, "technical_email": mailbox}
    data |= office.COMPANY if validation in {"ov", "sv"} else {}
    order = order_of(validation, at=NOW - timedelta(days=days), **data)
    order.slot.take()
    order.slot.save()
    User.objects.filter(pk=order.buyer_id).update(full_name="Bice Acquisti")
    morning.orders[name] = order
    _prove(order, "mailbox")
    return order


def _prove(order: Order, *kinds: str) -> None:
    for kind in kinds:
        at = (order.submitted_at or NOW) + 30 * MINUTE
        checks.pass_check(check_of(order, kind), at=at, method="SBR 3.2.2.2 v1.0.16")


def _accept(morning: Morning, order: Order, *kinds: str) -> None:
    at = (order.submitted_at or NOW) + 2 * HOUR
    call = replace(office.CALL, called_at=at - 20 * MINUTE)
    for kind in kinds:
        registered = office.EXTRACT if kind == "organisation" else Registered()
        office.record(order, kind, morning.officer, at=at, registered=registered, call=call)


def _attach(order: Order, morning: Morning) -> None:
    at = (order.submitted_at or NOW) + HOUR
    desk.add_evidence(order.uid, name="visura.pdf", content=extract(), operator=morning.officer, now=at)
    _scanned(order)


def _scanned(order: Order) -> None:
    for file in EvidenceFile.objects.filter(order=order, scan="pending"):
        evidence.scan(file.pk, at=file.uploaded_at, scanner=Says())


def _organisation(morning: Morning) -> None:
    order = _arrived(morning, "organisation", "ov", "Nadia Marchetti", 3.2)
    _attach(order, morning)
    check = check_of(order, "organisation")
    desk.take_check(check.pk, operator=morning.officer, now=NOW - HOUR)


def _authority(morning: Morning) -> None:
    order = _arrived(morning, "authority", "ov", "Sandro Vitale", 2.1)
    _attach(order, morning)
    _accept(morning, order, "organisation")
    vain = replace(office.CALL, called_at=NOW - DAY, answered_by="", outcome="not-reached")
    at = NOW - DAY + 5 * MINUTE
    office.record(order, "authority", morning.officer, outcome="note", at=at, registered=Registered(), call=vain)


def _letter(morning: Morning) -> None:
    order = _arrived(morning, "letter", "sv", "Livia D'Amico", 1.6)
    _accept(morning, order, "organisation", "authority")
    content = attestation_letter.render(order, FIELDS)
    upload = Upload("attestazione.pdf", content, "application/pdf")
    sent_at = NOW - 3 * HOUR
    attestation.submit_attestation(order.uid, fields=FIELDS, upload=upload, buyer=order.buyer, now=sent_at)
    _scanned(order)


def _face(morning: Morning, provider: FakeProvider) -> None:
    _identified(_arrived(morning, "face", "iv", "Enrica Palumbo", 1.2), provider, "approved")


def _doubtful(morning: Morning, provider: FakeProvider) -> None:
    order = _arrived(morning, "doubtful", "sv", "Nicola Ferri", 1.1)
    _identified(order, provider, "suspected", "NAME")


def _identified(order: Order, provider: FakeProvider, overall: str, *tags: str) -> None:
    at = (order.submitted_at or NOW) + HOUR
    _prove(order, "consent")
    checks.begin(check_of(order, "identity"), at=at)
    identified.work(at)
    identified.ends(order, provider, overall, at + HOUR, *tags)
    _scanned(order)


def _signature(morning: Morning, folder: Path, settings: Any) -> None:
    alternative.policy(settings, "with-officer")
    alternative.lists_loaded(folder, settings)
    morning.orders["signature"] = order = alternative.order_of("iv", at=NOW - 4 * HOUR)
    Order.objects.filter(pk=order.pk).update(mailbox="giulia.bianchi@posta.example.org")
    User.objects.filter(pk=order.buyer_id).update(full_name="Bice Acquisti")
    order.refresh_from_db()
    report = alternative.judged(order, alternative.signed(alternative.form_of(order)))
    assert report.verdict == "accepted", report.report


def _papers(morning: Morning) -> None:
    order = _arrived(morning, "papers", "ov", "Gaia Lombardi", 5)
    said = "Nel registro la società risulta con un'altra denominazione: invii una visura aggiornata."
    at = NOW - 4 * DAY
    office.record(order, "organisation", morning.officer, outcome="papers", at=at, reason=said, call=Call())


def _ready(morning: Morning) -> None:
    order = _arrived(morning, "ready", "ov", "Bruno Sala", 6)
    _attach(order, morning)
    _accept(morning, order, "organisation", "authority")


def _issued(morning: Morning) -> None:
    order = _arrived(morning, "issued", "ov", "Rita Valentini", 20)
    _accept(morning, order, "organisation", "authority")
    desk.approve_order(order.uid, operator=morning.manager, now=NOW - 19 * DAY)
    order.refresh_from_db()
    order.issue(at=NOW - 19 * DAY)
    order.save()
    CaOrder.objects.filter(order=order).update(state="done", next_attempt_at=None)
    for edition, status in enumerate(("revoked", "active", "held"), 1):
        _certificate(order, edition, status)


def _certificate(order: Order, edition: int, status: str) -> None:
    since = NOW - (20 - edition) * DAY
    states = {"held": {"held_at": NOW - DAY}, "revoked": {"revoked_at": NOW - 18 * DAY, "ground": "superseded"}}
    SmimeCertificate.objects.create(
        order=order,
        edition=edition,
        serial=f"{edition:02x}5a7c31e0b94d26f8a1{edition:02x}",
        issuer_key_id="0" * 40,
        fingerprint=f"{edition:064x}",
        spki_sha256=f"{edition:064x}",
        der=b"",
        not_before=since,
        not_after=since + timedelta(days=365),
        issued_at=since,
        status=status,
        **states.get(status, {}),
    )


def _closed(morning: Morning) -> None:
    order = _arrived(morning, "rejected", "ov", "Teresa Grassi", 9)
    reason = "L'organizzazione risulta cessata nel Registro delle Imprese."
    desk.reject_order(order.uid, reason=reason, operator=morning.manager, now=NOW - 8 * DAY)
    _arrived(morning, "waiting", "iv", "Ivo Moretti", 0.1)


def _credited(morning: Morning) -> None:
    scope = {"centre_id": morning.centre.pk, "service_id": morning.service.pk, "term_days": 365}
    who = {"email": "acquisti@azienda.example.org", "full_name": "Bice Acquisti", "operator": morning.manager}
    said = scope | who | {"reference": "ORD-2026-11", "now": NOW - DAY}
    morning.slot_code = slots.credit_slots(validation="sv", quantity=2, **said)[0].code
    (withdrawn,) = slots.credit_slots(validation="mv", quantity=1, **said)
    slots.withdraw_slot(withdrawn.code, operator=morning.manager, now=NOW - HOUR)
