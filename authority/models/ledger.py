"""What the CA has issued, in which state it is, and the journal of every order that it carried out."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.lookups import Exact

from authority.models.authorities import CertificationAuthority
from authority.models.crls import PART_BITS, Crl
from authority.models.fields import SERIAL_BITS, SerialNumberField, octets
from authority.states import CHANGES, HOLD_REASON, NEVER_HELD, REVOCATION_REASONS, Effect, Kind, State
from pki.gateway import Profile

DIGEST_OCTETS = 32
CHANGEABLE = ["state", "reason", "since", "invalid_since", "crl_entry"]
_LISTED = ~Q(state=State.GOOD)
_UNLISTED_FACTS = Q(reason="", since__isnull=True, invalid_since__isnull=True, crl_entry__isnull=True)
_LISTED_FACTS = Q(since__isnull=False, invalid_since__isnull=False, crl_entry__isnull=False)


class LedgerEntry(models.Model):
    """One certificate. What it is never changes; its state moves good <-> held, and to revoked for good.

    `since` is the instant of the present state, `invalid_since` the revocation date that relying parties read: a
    certificate revoked out of a hold was invalid from the hold on. `crl_entry` is the DER that the next CRLs carry.
    """

    request_id = models.UUIDField(unique=True)
    request_sha256 = models.BinaryField(max_length=DIGEST_OCTETS)
    issuer = models.ForeignKey(CertificationAuthority, on_delete=models.PROTECT, related_name="ledger", db_index=False)
    shard = models.ForeignKey(Crl, on_delete=models.PROTECT, related_name="ledger", db_index=False)
    serial = SerialNumberField()
    profile = models.CharField(max_length=32, choices=[(each.value, each.value) for each in Profile])
    spki_sha256 = models.BinaryField(max_length=DIGEST_OCTETS)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    issued_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.GOOD)
    reason = models.CharField(max_length=24, blank=True, default="")
    since = models.DateTimeField(null=True)
    invalid_since = models.DateTimeField(null=True)
    crl_entry = models.BinaryField(null=True)

    class Meta:
        """The database refuses what RFC 5280 and eIDAS 28(4) refuse."""

        verbose_name_plural = "ledger entries"
        constraints = (
            models.UniqueConstraint(fields=["issuer", "serial"], name="ledger_serial_once_per_issuer"),
            models.CheckConstraint(
                condition=Q(serial__gt=0, serial__lt=1 << SERIAL_BITS), name="ledger_serial_positive_159_bits"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="ledger_state_known"),
            models.CheckConstraint(
                condition=Q(profile__in=[each.value for each in Profile]), name="ledger_profile_known"
            ),
            models.CheckConstraint(
                condition=(Q(state=State.GOOD) & _UNLISTED_FACTS)
                | (Q(state=State.HELD, reason=HOLD_REASON) & _LISTED_FACTS)
                | (Q(state=State.REVOKED, reason__in=REVOCATION_REASONS) & _LISTED_FACTS),
                name="ledger_state_has_its_facts",
            ),
            models.CheckConstraint(
                condition=Q(invalid_since__isnull=True) | Q(invalid_since__lte=models.F("since")),
                name="ledger_invalid_no_later_than_state",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.HELD, profile__in=NEVER_HELD), name="ledger_strict_is_never_held"
            ),
            models.CheckConstraint(condition=Q(not_before__lt=models.F("not_after")), name="ledger_validity_in_order"),
            models.CheckConstraint(
                condition=Exact(octets("spki_sha256"), models.Value(DIGEST_OCTETS)), name="ledger_spki_digest_size"
            ),
        )
        indexes = (
            models.Index(fields=["spki_sha256"], name="ledger_by_public_key"),
            models.Index(fields=["shard", "id"], condition=_LISTED, name="ledger_listed_by_shard"),
            models.Index(fields=["issuer", "id"], condition=_LISTED, name="ledger_listed_by_issuer"),
        )
        triggers = (
            pgtrigger.Protect(name="ledger_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="ledger_identity_fixed", exclude=CHANGEABLE),
            pgtrigger.Protect(
                name="ledger_revoked_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state=State.REVOKED),
            ),
            pgtrigger.FSM(
                name="ledger_state_moves",
                field="state",
                transitions=[
                    (State.GOOD, State.HELD),
                    (State.HELD, State.GOOD),
                    (State.GOOD, State.REVOKED),
                    (State.HELD, State.REVOKED),
                ],
                condition=pgtrigger.Condition('OLD."state" IS DISTINCT FROM NEW."state"'),
            ),
        )

    def __str__(self) -> str:
        """Name the certificate as relying parties do."""
        return f"{self.serial:040x}"

    @property
    def part(self) -> int:
        """The part of a CRL that this certificate is listed in."""
        return self.pk >> PART_BITS


class IssuedDer(models.Model):
    """The certificate's bytes, apart from the ledger so that scans of states stay small."""

    entry = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT, primary_key=True, related_name="issued")
    certificate = models.BinaryField()

    class Meta:
        """Never altered."""

        triggers = (pgtrigger.Protect(name="issued_der_fixed", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        """Name the ledger entry."""
        return f"DER {self.entry_id}"


class JournalEntry(models.Model):
    """One thing that the CA did or refused, with the order's id. Append-only; kept 20 years (CAD art. 32(3)(j))."""

    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    effect = models.CharField(max_length=8, choices=Effect.choices, default=Effect.DONE)
    request_id = models.UUIDField(unique=True, null=True)
    entry = models.ForeignKey(LedgerEntry, on_delete=models.PROTECT, null=True, related_name="journal")
    authority = models.ForeignKey(
        CertificationAuthority, on_delete=models.PROTECT, related_name="journal", db_index=False
    )
    reason = models.CharField(max_length=24, blank=True, default="")
    facts = models.JSONField(default=dict)

    class Meta:
        """An order has its id and its certificate; publications and ceremonies have neither."""

        verbose_name_plural = "journal entries"
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="journal_kind_known"),
            models.CheckConstraint(condition=Q(effect__in=Effect.values), name="journal_effect_known"),
            models.CheckConstraint(
                condition=Q(kind__in=[Kind.ISSUE, *CHANGES], request_id__isnull=False, entry__isnull=False)
                | Q(kind__in=[Kind.CEREMONY, Kind.PUBLISH], request_id__isnull=True, entry__isnull=True),
                name="journal_order_has_its_id",
            ),
        )
        triggers = (pgtrigger.Protect(name="journal_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        """Say what and when."""
        return f"{self.kind} {self.at:%Y-%m-%dT%H:%M:%SZ}"
