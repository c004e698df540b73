"""An extension names its campaign, a renewal none; a holder who stops his case may say what is wrong."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("renewals", "0013_campaigns_of_cases")]

    operations = [
        migrations.AddField(
            model_name="renewalcase",
            name="close_note",
            field=models.CharField(blank=True, db_default="", max_length=300, verbose_name="nota del titolare"),
        ),
        migrations.AddConstraint(
            model_name="renewalcase",
            constraint=models.CheckConstraint(
                condition=Q(("campaign__isnull", True), ("flow", "enroll"))
                | Q(("campaign__isnull", False), ("flow", "extend")),
                name="extension_has_campaign",
            ),
        ),
    ]
