"""How campaigns of extension go, for the administrators' pages: numbers over all centres."""

from django.db import migrations

# Numbers tell nobody's data, so the panel's fence does not apply to them.
DONE = """
CREATE FUNCTION campaign_cases(campaigns bigint[]) RETURNS TABLE (campaign bigint, completed bigint, running bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT extension.campaign_id, count(*) FILTER (WHERE extension.completed_at IS NOT NULL),
           count(*) FILTER (WHERE extension.state IN ('notified', 'awaiting-installation'))
      FROM renewals_renewalcase extension WHERE extension.campaign_id = ANY ($1) GROUP BY extension.campaign_id
$$
"""
# Cards that could still be extended, counted up to a bound: of the service, expiring by the cut-off, of a family that the
# campaign names, on its list where it has one, with a working authentication certificate and no completed renewal.
LEFT = """
CREATE FUNCTION campaign_left(chosen bigint, at timestamptz, most integer) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT count(*)::integer FROM (
        SELECT 1
          FROM cms_campaign campaign
          JOIN cms_pair pair ON pair.service_id = campaign.service_id
          JOIN cms_card card ON card.id = pair.card_id
          JOIN cms_certificate half ON half.pair_id = pair.id
         WHERE campaign.id = $1 AND card.expires_on <= campaign.cutoff_on
           AND half.type = 'authentication' AND half.status = 'active' AND half.not_after >= $2
           AND (NOT EXISTS (SELECT FROM cms_campaign_families any_of WHERE any_of.campaign_id = campaign.id)
                OR EXISTS (SELECT FROM cms_campaign_families named
                            WHERE named.campaign_id = campaign.id AND named.cardfamily_id = card.family_id))
           AND (NOT campaign.is_listed
                OR EXISTS (SELECT FROM cms_campaignentry entry
                            WHERE entry.campaign_id = campaign.id AND entry.card_serial = card.serial)
                OR EXISTS (SELECT FROM cms_campaignentry entry JOIN cms_holder holder ON holder.tax_code = entry.tax_code
                            WHERE entry.campaign_id = campaign.id AND holder.id = pair.holder_id))
           AND NOT EXISTS (SELECT FROM renewals_renewalcase done
                            WHERE done.old_pair_id = pair.id AND done.completed_at IS NOT NULL)
         LIMIT $3
    ) AS bounded
$$
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0014_extensions"), ("cms", "0015_campaigns")]

    operations = [
        migrations.RunSQL(DONE, "DROP FUNCTION campaign_cases(bigint[])"),
        migrations.RunSQL(LEFT, "DROP FUNCTION campaign_left(bigint, timestamptz, integer)"),
    ]
