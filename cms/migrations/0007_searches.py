"""Indexes of Ricerca eventi, by instant, and of the list of certificates."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("cms", "0006_overview")]

    operations = [
        migrations.RemoveIndex(model_name="event", name="event_by_scope"),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["centre", "service", "-at", "-id"], name="event_by_scope_and_time"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["centre", "service", "verb", "-at", "-id"], name="event_by_verb"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["centre", "service", "channel", "-at", "-id"], name="event_by_channel"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                fields=["centre", "service", "outcome", "-at", "-id"],
                condition=~Q(outcome="done"),
                name="event_not_done",
            ),
        ),
        migrations.AddIndex(
            model_name="certificate",
            index=models.Index(fields=["not_after"], name="certificate_by_expiry"),
        ),
        migrations.AddIndex(
            model_name="certificate",
            index=models.Index(fields=["status", "pair"], condition=~Q(status="active"), name="certificate_not_active"),
        ),
        migrations.AddIndex(
            model_name="pair",
            index=models.Index(fields=["centre", "service", "-id"], name="pair_by_scope"),
        ),
    ]
