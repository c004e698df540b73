"""Purchased activations (slots) and the orders that customers make of them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import transition

from cms.fsm import StateField, StatefulModel, append_only, transition_trigger
from cms.models import Centre, Service, User
from smime.states import (
    BundleFormat,
    Generation,
    KeyKind,
    KeyOrigin,
    OrderState,
    SameContact,
    SlotState,
    Validation,
)

ORDER_MOVES = {
    (OrderState.DRAFT, OrderState.CHECKING),
    (OrderState.CHECKING, OrderState.APPROVED),
    (OrderState.APPROVED, OrderState.CHECKING),
    (OrderState.APPROVED, OrderState.ISSUED),
    (OrderState.ISSUED, OrderState.APPROVED),
    (OrderState.CHECKING, OrderState.ISSUED),
    (OrderState.CHECKING, OrderState.REJECTED),
    (OrderState.APPROVED, OrderState.REJECTED),
    (OrderState.DRAFT, OrderState.CANCELLED),
    (OrderState.CHECKING, OrderState.CANCELLED),
    (OrderState.APPROVED, OrderState.CANCELLED),
    (OrderState.DRAFT, OrderState.LAPSED),
    (OrderState.CHECKING, OrderState.LAPSED),
}
SLOT_MOVES = {(SlotState.FREE, SlotState.USED), (SlotState.USED, SlotState.FREE), (SlotState.FREE, SlotState.WITHDRAWN)}


class Slot(StatefulModel):
    """One activation that a customer has bought: the type is fixed by the purchase. It holds a reserved unit of stock.

    The unit is debited when the certificate is issued, and given back when the slot is withdrawn.
    """

    code = models.CharField("codice", max_length=16, unique=True)
    owner = models.ForeignKey(User, models.PROTECT, related_name="smime_slots", verbose_name="cliente")
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="+", verbose_name="CDRL")
    service = models.ForeignKey(Service, models.PROTECT, related_name="+", verbose_name="servizio")
    validation = models.CharField("tipo", max_length=4, choices=Validation.choices)
    term_days = models.PositiveSmallIntegerField("durata (giorni)", default=365)
    state = StateField("stato", max_length=12, choices=SlotState.choices, default=SlotState.FREE)
    reference = models.CharField("riferimento ordine", max_length=48, blank=True)
    credited_by = models.BigIntegerField("accreditato da", null=True, blank=True)
    credited_at = models.DateTimeField("accreditato il")
    withdrawn_at = models.DateTimeField("ritirato il", null=True, blank=True)

    class Meta:
        verbose_name = "attivazione S/MIME"
        verbose_name_plural = "attivazioni S/MIME"
        triggers: ClassVar = [
            transition_trigger("smime_slot_moves", "state", SLOT_MOVES),
            pgtrigger.Protect(name="smime_slot_kept", operation=pgtrigger.Delete),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "state", "-id"], name="smime_slot_by_owner"),
            models.Index(fields=["service", "centre", "-id"], name="smime_slot_by_scope"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=SlotState.values), name="smime_slot_state_known"),
            models.CheckConstraint(condition=Q(validation__in=Validation.values), name="smime_slot_type_known"),
            models.CheckConstraint(condition=Q(term_days__in=[365, 730]), name="smime_slot_term_known"),
        ]

    def __str__(self) -> str:
        return self.code

    @transition(state, source=SlotState.FREE, target=SlotState.USED)
    def take(self) -> None:
        """An order was begun with it."""

    @transition(state, source=SlotState.USED, target=SlotState.FREE)
    def give_back(self) -> None:
        """Its order ended without a certificate: it can be started again."""

    @transition(state, source=SlotState.FREE, target=SlotState.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        """The purchase was undone."""
        self.withdrawn_at = at


class Order(StatefulModel):
    """One activation from the wizard to the certificate. Buyer, recipient and the two contacts are four roles.

    Empty fields are what has not been asked yet; the wizard's next page follows from them. `organisation_name` and
    `organisation_identifier` are what the officer has verified, never what the customer typed.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField("pratica", max_length=16, unique=True)
    slot = models.ForeignKey(Slot, models.PROTECT, related_name="orders", verbose_name="attivazione")
    buyer = models.ForeignKey(User, models.PROTECT, related_name="smime_orders", verbose_name="cliente")
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="+", verbose_name="CDRL", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="+", verbose_name="servizio", db_index=False)
    validation = models.CharField("tipo", max_length=4, choices=Validation.choices)
    generation = models.CharField("profilo", max_length=16, choices=Generation.choices, default=Generation.MULTIPURPOSE)
    term_days = models.PositiveSmallIntegerField("durata (giorni)", default=365)
    state = StateField("stato", max_length=12, choices=OrderState.choices, default=OrderState.DRAFT)
    language = models.CharField("lingua", max_length=2, default="it")
    renews = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="renewed_by")

    given_name = models.CharField("nome", max_length=64, blank=True)
    surname = models.CharField("cognome", max_length=64, blank=True)
    mailbox = models.CharField("casella e-mail", max_length=254, blank=True)
    recipient_is_buyer = models.BooleanField("il destinatario è il cliente", default=False)
    recipient_confirmed_at = models.DateTimeField(null=True, blank=True)

    technical_given_name = models.CharField("nome", max_length=64, blank=True)
    technical_surname = models.CharField("cognome", max_length=64, blank=True)
    technical_email = models.CharField("e-mail", max_length=254, blank=True)
    technical_phone = models.CharField("telefono", max_length=32, blank=True)

    contact_given_name = models.CharField("nome", max_length=64, blank=True)
    contact_surname = models.CharField("cognome", max_length=64, blank=True)
    contact_email = models.CharField("e-mail", max_length=254, blank=True)
    same_contact_ground = models.CharField(max_length=16, choices=SameContact.choices, blank=True)

    vat_number = models.CharField("partita IVA o codice fiscale", max_length=28, blank=True)
    register_number = models.CharField("numero Registro Imprese", max_length=32, blank=True)
    rea_number = models.CharField("numero REA", max_length=16, blank=True)
    country = models.CharField("Paese di costituzione", max_length=2, blank=True)
    duns = models.CharField("D-U-N-S", max_length=9, blank=True)
    organisation_name = models.CharField("denominazione verificata", max_length=64, blank=True)
    organisation_identifier = models.CharField("identificativo verificato", max_length=64, blank=True)

    attestation_later = models.BooleanField("attestazione inviata dopo", default=False)
    attested = models.JSONField("dati dell'attestazione", null=True, blank=True)
    role_title = models.CharField("funzione verificata", max_length=64, blank=True)

    key_origin = models.CharField("chiave", max_length=8, choices=KeyOrigin.choices, default=KeyOrigin.SERVER)
    key_kind = models.CharField("tipo di chiave", max_length=12, choices=KeyKind.choices, default=KeyKind.RSA_2048)
    bundle_format = models.CharField(
        "formato", max_length=12, choices=BundleFormat.choices, default=BundleFormat.MODERN
    )
    csr = models.BinaryField(null=True, blank=True)

    created_at = models.DateTimeField("creata il")
    submitted_at = models.DateTimeField("inviata il", null=True, blank=True)
    approved_at = models.DateTimeField("approvata il", null=True, blank=True)
    changed_at = models.DateTimeField("dati modificati il", null=True, blank=True)  # after submission
    issued_at = models.DateTimeField("emessa il", null=True, blank=True)
    closed_at = models.DateTimeField("chiusa il", null=True, blank=True)
    close_reason = models.CharField("motivo di chiusura", max_length=300, blank=True)
    reminder_at = models.DateTimeField("prossimo promemoria", null=True, blank=True)

    class Meta:
        verbose_name = "pratica S/MIME"
        verbose_name_plural = "Pratiche S/MIME"
        triggers: ClassVar = [
            transition_trigger("smime_order_moves", "state", ORDER_MOVES),
            pgtrigger.Protect(name="smime_order_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="smime_order_starts_as_draft",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__state__df=OrderState.DRAFT.value),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["service", "centre", "state", "-id"], name="smime_order_by_scope"),
            models.Index(fields=["buyer", "-id"], name="smime_order_by_buyer"),
            models.Index(
                fields=["reminder_at"], condition=Q(reminder_at__isnull=False), name="smime_order_by_reminder"
            ),
            models.Index(
                fields=["state", "created_at"],
                condition=Q(state__in=[OrderState.DRAFT, OrderState.CHECKING, OrderState.APPROVED]),
                name="smime_order_open",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=OrderState.values), name="smime_order_state_known"),
            models.CheckConstraint(condition=Q(validation__in=Validation.values), name="smime_order_type_known"),
            models.CheckConstraint(condition=Q(generation__in=Generation.values), name="smime_order_generation_known"),
            models.CheckConstraint(condition=Q(term_days__in=[365, 730]), name="smime_order_term_known"),
            models.CheckConstraint(
                condition=Q(state__in=[OrderState.DRAFT, OrderState.CANCELLED, OrderState.LAPSED])
                | (~Q(mailbox="") & Q(submitted_at__isnull=False)),
                name="submitted_smime_order_is_complete",
            ),
            models.UniqueConstraint(
                fields=["slot"],
                condition=~Q(state__in=[OrderState.REJECTED, OrderState.CANCELLED, OrderState.LAPSED]),
                name="one_living_order_per_slot",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @transition(state, source=OrderState.DRAFT, target=OrderState.CHECKING)
    def submit(self, *, at: datetime) -> None:
        """The customer has accepted the terms; the checks begin."""
        self.submitted_at = at

    @transition(state, source=[OrderState.CHECKING, OrderState.ISSUED], target=OrderState.APPROVED)
    def approve(self, *, at: datetime) -> None:
        """All checks have passed and whoever must approve has; from `ISSUED` it is a reissue with a new key."""
        self.approved_at = at

    @transition(state, source=OrderState.APPROVED, target=OrderState.CHECKING)
    def send_back(self) -> None:
        """Evidence became too old, or CAA forbids: something must be checked again before issuance."""
        self.approved_at = None

    @transition(state, source=OrderState.APPROVED, target=OrderState.ISSUED)
    def issue(self, *, at: datetime) -> None:
        """The certificate is in the register."""
        self.issued_at = at

    @transition(state, source=OrderState.CHECKING, target=OrderState.ISSUED)
    def keep_issued(self) -> None:
        """A reissue goes no further: the certificate that is there stays what it was."""

    @transition(state, source=[OrderState.CHECKING, OrderState.APPROVED], target=OrderState.REJECTED)
    def reject(self, *, reason: str, at: datetime) -> None:
        """An officer has refused it, for good."""
        self.closed_at, self.close_reason = at, reason

    @transition(state, source=[OrderState.DRAFT, OrderState.CHECKING, OrderState.APPROVED], target=OrderState.CANCELLED)
    def cancel(self, *, reason: str, at: datetime) -> None:
        """The customer has given it up; the slot is free again."""
        self.closed_at, self.close_reason = at, reason

    @transition(state, source=[OrderState.DRAFT, OrderState.CHECKING], target=OrderState.LAPSED)
    def lapse(self, *, at: datetime) -> None:
        """Nobody went on with it for too long."""
        self.closed_at = at


class TermsAcceptance(models.Model):
    """Who accepted which text: version and hash of what was shown, when, from where, and as whom (`role`).

    The buyer accepts with the order; where he is not the recipient, the recipient is the subscriber and accepts too, as
    the reader of `mailbox` (empty for the buyer): another mailbox is another recipient.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="acceptances")
    text = models.CharField(max_length=32)
    version = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64)
    role = models.CharField(max_length=12, choices=[("buyer", "Cliente"), ("recipient", "Destinatario")])
    mailbox = models.CharField(max_length=254, blank=True)
    actor_id = models.BigIntegerField(null=True, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only("smime_acceptance")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["order", "text", "version", "role", "mailbox"], name="one_acceptance_per_text"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.text} {self.version}"
