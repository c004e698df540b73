"""Holds that are standing get a warning to look at: the sweep plans them by the rule, and tells what is due."""

from django.db import migrations

PLAN = """
UPDATE cms_hold SET notice_at = now()
WHERE lifted_at IS NULL AND ended_at IS NULL AND notice_at IS NULL AND cause <> 'missing-approval'
"""


class Migration(migrations.Migration):
    dependencies = [("cms", "0011_clock")]

    operations = [migrations.RunSQL(PLAN, migrations.RunSQL.noop)]
