"""Cases that are under way get a notice to look at: the sweep plans them by the rule, and tells what is due."""

from django.db import migrations

PLAN = """
UPDATE renewals_renewalcase
SET notice_kind = CASE due_kind WHEN 'expire' THEN 'renewal' WHEN 'suspend' THEN 'suspension-warning'
                  ELSE 'revocation-warning' END,
    notice_at = now()
WHERE due_kind <> '' AND notice_kind = ''
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0007_clock")]

    operations = [migrations.RunSQL(PLAN, migrations.RunSQL.noop)]
