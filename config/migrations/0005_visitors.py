"""Links and visits of holders lie behind the fence with the persons that they belong to."""

from django.db import migrations

TABLES = ("cms_holderlink", "cms_holdervisit")


def policies():
    for table in TABLES:
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"CREATE POLICY open_field ON {table} TO sigillo_app USING (true) WITH CHECK (true)"
        yield (
            f"CREATE POLICY panel ON {table} TO sigillo_panel, sigillo_provider"
            f" USING (EXISTS (SELECT FROM cms_holder owner WHERE owner.id = {table}.holder_id))"
        )


def undo():
    for table in TABLES:
        yield f"DROP POLICY panel ON {table}"
        yield f"DROP POLICY open_field ON {table}"
        yield f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"


class Migration(migrations.Migration):
    dependencies = [("config", "0004_alarms"), ("cms", "0011_clock")]

    operations = [migrations.RunSQL(list(policies()), list(undo()))]
