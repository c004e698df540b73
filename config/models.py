"""The one row that shows that beat, broker, worker and database work together."""

from __future__ import annotations

from django.db import models


class Canary(models.Model):
    """Written by a task that beat pokes: as long as it is young, the whole chain works. One row per name."""

    name = models.CharField(max_length=16, primary_key=True)
    sang_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
