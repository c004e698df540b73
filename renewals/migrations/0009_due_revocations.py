"""How many automatic revocations are due, for the page that stops them: a number over all centres."""

from django.db import migrations

# Counted up to a bound, from the partial indexes of the sweeps. A number tells nobody's data: the fence does not apply.
DUE = """
CREATE FUNCTION due_revocations(at timestamptz, most integer) RETURNS integer LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT count(*)::integer FROM (
        SELECT 1 FROM renewals_renewalcase waiting WHERE waiting.due_kind = 'revoke' AND waiting.due_at <= $1
        UNION ALL
        SELECT 1 FROM cms_hold standing
        WHERE standing.lapses_at <= $1 AND standing.lifted_at IS NULL AND standing.ended_at IS NULL
          AND standing.cause <> 'missing-approval'
        LIMIT $2
    ) AS bounded
$$
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0008_plan_notices"), ("cms", "0011_clock")]

    operations = [migrations.RunSQL(DUE, "DROP FUNCTION due_revocations(timestamptz, integer)")]
