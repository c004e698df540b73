"""The two dates leave the services: campaigns hold them (0016)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("cms", "0016_campaigns_of_services")]

    operations = [
        migrations.RemoveConstraint(model_name="service", name="extension_has_campaign_dates"),
        migrations.RemoveField(model_name="service", name="campaign_cutoff_on"),
        migrations.RemoveField(model_name="service", name="campaign_target_on"),
    ]
