"""Which days the centres have been told of."""

from __future__ import annotations

from django.db import models


class DigestDay(models.Model):
    """A day (Europe/Rome) whose digests were all posted; the next ones tell of what has happened since."""

    day = models.DateField(primary_key=True)
    told_at = models.DateTimeField()

    class Meta:
        verbose_name = "giorno riepilogato"
        verbose_name_plural = "giorni riepilogati"

    def __str__(self) -> str:
        return f"{self.day}"
