"""The two dates leave the services: campaigns hold them (0016).

The table keeps the columns, empty from now on, so that the release before still runs beside this one; they are dropped
with a later one. The constraint goes at once: a service of extension has no dates any more.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("cms", "0016_campaigns_of_services")]

    operations = [
        migrations.RemoveConstraint(model_name="service", name="extension_has_campaign_dates"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name="service", name="campaign_cutoff_on"),
                migrations.RemoveField(model_name="service", name="campaign_target_on"),
            ]
        ),
    ]
