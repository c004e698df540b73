"""Files that prove something, forms to be signed, what validation said of them, and the lists it trusted."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cms.fsm import append_only
from runtime.claims import Claimable
from smime.models.orders import Order
from smime.states import FileKind, ScanState, Verdict


class EvidenceFile(Claimable):
    """An uploaded or collected file. Its bytes lie sealed beside it, untouched: signatures do not survive re-saving.

    `next_attempt_at` is due while the virus scanner has not answered; only clean files are shown. `signature_hint`: of
    a letter that is signed digitally, the validation's code and the signer; a hint for the officer, never a proof.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="files")
    kind = models.CharField(max_length=20, choices=FileKind.choices)
    round = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    pages = models.PositiveSmallIntegerField(null=True, blank=True)
    scan = models.CharField(max_length=12, choices=ScanState.choices, default=ScanState.PENDING)
    scan_note = models.CharField(max_length=120, blank=True)
    signature_hint = models.CharField(max_length=300, blank=True)
    uploaded_by = models.BigIntegerField(null=True, blank=True)
    uploaded_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="smime_file_due"),
            models.Index(fields=["order", "kind", "-id"], name="smime_file_by_order"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=FileKind.values), name="smime_file_kind_known"),
            models.CheckConstraint(condition=Q(scan__in=ScanState.values), name="smime_file_scan_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"

    @property
    def sealing_context(self) -> str:
        """What the sealed bytes are bound to."""
        return f"smime.file:{self.uid}"


class EvidenceContent(models.Model):
    """The sealed bytes of a file, apart from the row that lists read; deleted when the file is erased."""

    file = models.OneToOneField(EvidenceFile, models.CASCADE, primary_key=True, related_name="content")
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)


class SignatureForm(models.Model):
    """A form of the alternative path, exactly as it was handed out: one in force per order, the older ones void.

    `tax_code_sealed`: the codice fiscale given for matching; nobody needs it once the order is closed.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="signature_forms")
    round = models.PositiveSmallIntegerField(default=1)
    nonce = models.CharField(max_length=32)
    data_sha256 = models.CharField(max_length=64)
    pdf_sha256 = models.CharField(max_length=64)
    sealed_pdf = models.BinaryField()
    tax_code_sealed = models.BinaryField()
    created_at = models.DateTimeField()
    downloaded_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(voided_at__isnull=True), name="one_form_in_force_per_order"
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)


class SignatureReport(Claimable):
    """What validation said of a signed form: verdict, ground, report, list and its hash. Due while it is pending."""

    file = models.OneToOneField(EvidenceFile, models.PROTECT, related_name="signature_report")
    form = models.ForeignKey(SignatureForm, models.PROTECT, related_name="reports")
    verdict = models.CharField(max_length=12, choices=Verdict.choices, default=Verdict.PENDING)
    code = models.CharField(max_length=40, blank=True)
    matches_person = models.BooleanField(default=False)
    report = models.JSONField(default=dict)
    trusted_list = models.ForeignKey("smime.TrustedList", models.PROTECT, null=True, blank=True, related_name="reports")
    validated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="smime_report_due"
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="smime_verdict_known"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.code}".strip()


class TrustedList(models.Model):
    """A trusted list (ETSI TS 119 612) whose signature was verified at loading; kept as evidence, never altered."""

    territory = models.CharField(max_length=8)
    sequence = models.PositiveIntegerField()
    issued_at = models.DateTimeField()
    next_update_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)
    xml = models.BinaryField()
    source = models.CharField(max_length=300, blank=True)
    loaded_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = append_only("smime_trusted_list")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["territory", "sha256"], name="one_trusted_list_per_content"),
        ]

    def __str__(self) -> str:
        return f"{self.territory} {self.sequence}"
