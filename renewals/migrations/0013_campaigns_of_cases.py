"""Extensions that were open before campaigns existed belong to the one that was made of their service's dates."""

from django.db import migrations

OF_SERVICE = """
    UPDATE renewals_renewalcase AS renewal SET campaign_id = furthest.id
      FROM (SELECT DISTINCT ON (service_id) service_id, id
              FROM cms_campaign ORDER BY service_id, target_on DESC, id) AS furthest
     WHERE renewal.flow = 'extend' AND renewal.campaign_id IS NULL AND furthest.service_id = renewal.service_id
"""


class Migration(migrations.Migration):
    dependencies = [("cms", "0016_campaigns_of_services"), ("renewals", "0012_support_moves")]

    operations = [migrations.RunSQL(OF_SERVICE, migrations.RunSQL.noop)]
