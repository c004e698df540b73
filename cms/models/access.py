"""Who is invited to the panel."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from cms.models.organisations import Centre
from cms.states import Role


class Invitation(models.Model):
    """A single-use link to an account. The link's token is never stored, only its SHA-256.

    With `centre` it invites into a centre in `role`; without, it invites an administrator of the provider. Without
    `invited_by` the installation itself invites, by `manage.py invite_administrator`.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField("e-mail")
    full_name = models.CharField("nome e cognome", max_length=120)
    tax_code = models.CharField("codice fiscale", max_length=16)
    centre = models.ForeignKey(
        Centre, models.PROTECT, null=True, blank=True, related_name="invitations", verbose_name="CDRL"
    )
    role = models.CharField("ruolo", max_length=16, choices=Role.choices, blank=True)
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.BigIntegerField("invitato da", null=True, blank=True)
    invited_at = models.DateTimeField("invitato il")
    expires_at = models.DateTimeField("valido fino al")
    used_at = models.DateTimeField("usato il", null=True, blank=True)
    withdrawn_at = models.DateTimeField("ritirato il", null=True, blank=True)

    class Meta:
        verbose_name = "invito"
        verbose_name_plural = "inviti"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(centre__isnull=True, role="") | Q(centre__isnull=False, role__in=Role.values),
                name="invitation_has_place_and_role",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(withdrawn_at__isnull=True), name="withdrawn_invitation_is_unused"
            ),
            models.UniqueConstraint(
                fields=["email", "centre"],
                condition=Q(used_at__isnull=True, withdrawn_at__isnull=True),
                nulls_distinct=False,
                name="one_open_invitation_per_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.uid}"
