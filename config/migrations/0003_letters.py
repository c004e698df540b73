"""Messages say themselves whose they are: the fence reads that instead of asking for their case."""

from django.db import migrations

OLD = "EXISTS (SELECT FROM renewals_renewalcase owner WHERE owner.code = notifications_outboxmessage.case_code)"
NEW = (
    "centre_id = ANY ((SELECT fence_centres())::bigint[]) AND service_id = ANY ((SELECT fence_services())::bigint[])"
)


class Migration(migrations.Migration):
    dependencies = [("config", "0002_fence"), ("notifications", "0002_scope_and_channel"), ("renewals", "0004_scope_and_channel")]

    operations = [
        migrations.RunSQL(
            f"ALTER POLICY panel ON notifications_outboxmessage USING ({NEW})",
            f"ALTER POLICY panel ON notifications_outboxmessage USING ({OLD})",
        )
    ]
