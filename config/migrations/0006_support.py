"""Requests for help lie behind the fence with the cases that they are about; the provider also sees those of no centre.

The lists of campaigns name persons across all centres: the provider alone reads them.
"""

from django.db import migrations

REQUESTS = (
    "centre_id = ANY ((SELECT fence_centres())::bigint[]) AND service_id = ANY ((SELECT fence_services())::bigint[])"
)
BESIDE = ("renewals_supportlog", "renewals_supportanswer")
TABLES = ("renewals_supportrequest", *BESIDE, "cms_campaignentry")


def policies():
    for table in TABLES:
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"CREATE POLICY open_field ON {table} TO sigillo_app USING (true) WITH CHECK (true)"
    yield f"CREATE POLICY panel ON renewals_supportrequest TO sigillo_panel, sigillo_provider USING ({REQUESTS})"
    yield "CREATE POLICY provider ON renewals_supportrequest TO sigillo_provider USING (centre_id IS NULL)"
    for table in BESIDE:
        yield (
            f"CREATE POLICY panel ON {table} TO sigillo_panel, sigillo_provider"
            f" USING (EXISTS (SELECT FROM renewals_supportrequest owner WHERE owner.id = {table}.request_id))"
        )
    yield "CREATE POLICY provider ON cms_campaignentry TO sigillo_provider USING (true) WITH CHECK (true)"


def undo():
    yield "DROP POLICY provider ON cms_campaignentry"
    yield "DROP POLICY provider ON renewals_supportrequest"
    for table in (*BESIDE, "renewals_supportrequest"):
        yield f"DROP POLICY panel ON {table}"
    for table in TABLES:
        yield f"DROP POLICY open_field ON {table}"
        yield f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"


class Migration(migrations.Migration):
    dependencies = [("config", "0005_visitors"), ("cms", "0015_campaigns"), ("renewals", "0011_support")]

    operations = [migrations.RunSQL(list(policies()), list(undo()))]
