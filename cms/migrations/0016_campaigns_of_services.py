"""Services of the flow Extend held the two dates of one campaign; from here on a campaign of its own holds them.

Pairs of these services have no window, so no sweep looks for them.
"""

from django.db import migrations

CAMPAIGNS = """
    INSERT INTO cms_campaign (code, name, service_id, issuing_service_id, opens_on, cutoff_on, target_on, is_listed)
    SELECT code, name, id, coalesce(successor_id, id),
           least((now() AT TIME ZONE 'Europe/Rome')::date, campaign_target_on), campaign_cutoff_on, campaign_target_on,
           false
      FROM cms_service
     WHERE flow = 'extend' AND campaign_cutoff_on IS NOT NULL AND campaign_target_on IS NOT NULL
        ON CONFLICT DO NOTHING
"""
WINDOWS = """
    UPDATE cms_pair SET window_opens_at = NULL
     WHERE window_opens_at IS NOT NULL AND service_id IN (SELECT id FROM cms_service WHERE flow = 'extend')
"""
# Backwards: the campaign that reaches furthest gives its dates back; what else there was cannot be held by a service.
DATES = """
    UPDATE cms_service AS service SET campaign_cutoff_on = furthest.cutoff_on, campaign_target_on = furthest.target_on
      FROM (SELECT DISTINCT ON (service_id) service_id, cutoff_on, target_on
              FROM cms_campaign ORDER BY service_id, target_on DESC, id) AS furthest
     WHERE furthest.service_id = service.id AND service.flow = 'extend'
"""


class Migration(migrations.Migration):
    dependencies = [("cms", "0015_campaigns")]

    operations = [migrations.RunSQL([CAMPAIGNS, WINDOWS], [DATES])]
