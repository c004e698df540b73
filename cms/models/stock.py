"""Stock as a ledger: the balance is the sum of its movements and never below zero."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from cms.fsm import append_only
from cms.models.organisations import Centre, Service
from cms.states import CertificateType, MovementKind, PurchaseState


class Stock(models.Model):
    """Units of one certificate type of a centre and service: `free` can be reserved, `reserved` is promised."""

    centre = models.ForeignKey(Centre, models.PROTECT, related_name="stocks", verbose_name="CDRL")
    service = models.ForeignKey(Service, models.PROTECT, related_name="stocks", verbose_name="servizio")
    type = models.CharField("certificato", max_length=16, choices=CertificateType.choices)
    free = models.IntegerField("disponibili", default=0)
    reserved = models.IntegerField("prenotati", default=0)
    low_since = models.DateTimeField("sotto soglia dal", null=True, blank=True)

    class Meta:
        verbose_name = "contatore"
        verbose_name_plural = "contatori"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["centre", "service", "type"], name="one_stock_per_centre_service_type"),
            models.CheckConstraint(condition=Q(free__gte=0), name="stock_free_not_negative"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="stock_reserved_not_negative"),
            models.CheckConstraint(condition=Q(type__in=CertificateType.values), name="stock_type_known"),
        ]

    def __str__(self) -> str:
        return f"{self.centre} · {self.service} · {self.get_type_display()}"


class StockMovement(models.Model):
    """One change of a stock, for ever. A case has at most one movement of each kind and type: nothing counts twice.

    `free_after` is what could still be reserved once it had happened: the running balance costs nothing to read.
    """

    stock = models.ForeignKey(Stock, models.PROTECT, related_name="movements", db_index=False)  # movement_by_stock
    kind = models.CharField("tipo", max_length=16, choices=MovementKind.choices)
    free_change = models.IntegerField("variazione disponibili")
    free_after = models.IntegerField("saldo disponibili", null=True, blank=True)
    reserved_change = models.IntegerField("variazione prenotati")
    case_code = models.CharField("pratica", max_length=16, blank=True)
    reference = models.CharField("riferimento", max_length=64, blank=True)
    reason = models.CharField("motivo", max_length=200, blank=True)
    actor_id = models.BigIntegerField(null=True, blank=True)
    at = models.DateTimeField("data")

    class Meta:
        verbose_name = "movimento"
        verbose_name_plural = "movimenti"
        triggers: ClassVar = append_only("stock_movement")
        indexes: ClassVar = [
            models.Index(fields=["case_code"], name="movement_by_case"),
            models.Index(fields=["stock", "-id"], name="movement_by_stock"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["stock", "kind", "case_code"], condition=~Q(case_code=""), name="one_movement_per_case_and_kind"
            ),
            models.UniqueConstraint(
                fields=["stock", "reference"], condition=~Q(reference=""), name="one_movement_per_reference"
            ),
            models.CheckConstraint(
                condition=(
                    Q(kind=MovementKind.PURCHASE, free_change__gt=0, reserved_change=0)
                    | Q(kind=MovementKind.RESERVATION, free_change=-1, reserved_change=1)
                    | Q(kind=MovementKind.RELEASE, free_change=1, reserved_change=-1)
                    | Q(kind=MovementKind.DEBIT, free_change=0, reserved_change=-1)
                    | (Q(kind=MovementKind.CORRECTION, reserved_change=0) & ~Q(reason=""))
                ),
                name="movement_changes_fit_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.free_change:+d}/{self.reserved_change:+d}"


class PurchaseRequest(models.Model):
    """Certificates that a centre's manager wants to buy; the provider credits them (four eyes where a setting says so).

    `types` are credited with `quantity` each: a pair service buys pairs.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField("numero", max_length=20, unique=True)
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="purchases", verbose_name="CDRL")
    service = models.ForeignKey(Service, models.PROTECT, related_name="purchases", verbose_name="servizio")
    types = models.JSONField("certificati", default=list)
    quantity = models.PositiveIntegerField("quantità")
    order_reference = models.CharField("riferimento ordine", max_length=48)
    note = models.CharField("nota", max_length=200, blank=True)
    state = models.CharField("stato", max_length=12, choices=PurchaseState.choices, default=PurchaseState.REQUESTED)
    requested_by = models.BigIntegerField("richiesta da")
    requested_at = models.DateTimeField("richiesta il")
    confirmed_by = models.BigIntegerField("confermata da", null=True, blank=True)
    confirmed_at = models.DateTimeField("confermata il", null=True, blank=True)
    decided_by = models.BigIntegerField("decisa da", null=True, blank=True)
    decided_at = models.DateTimeField("decisa il", null=True, blank=True)
    refusal_reason = models.CharField("motivo del rifiuto", max_length=200, blank=True)

    class Meta:
        verbose_name = "richiesta di acquisto"
        verbose_name_plural = "richieste di acquisto"
        indexes: ClassVar = [
            models.Index(fields=["service", "centre", "-id"], name="purchase_by_scope"),
            models.Index(fields=["id"], condition=Q(state__in=["requested", "confirmed"]), name="purchase_waiting"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=PurchaseState.values), name="purchase_state_known"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="purchase_of_something"),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True)
                | Q(decided_by__isnull=True)
                | ~Q(confirmed_by=F("decided_by"))
                | ~Q(state=PurchaseState.CREDITED),
                name="confirmed_purchase_has_two_persons",
            ),
            models.UniqueConstraint(
                fields=["centre", "order_reference"],
                condition=~Q(state__in=["refused", "withdrawn"]),
                name="one_purchase_per_order",
            ),
        ]

    def __str__(self) -> str:
        return self.number
