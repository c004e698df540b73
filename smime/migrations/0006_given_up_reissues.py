"""A reissue that was sent back to its checks may go no further: its order leads back to the certificate it has."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('smime', '0005_desk'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='order',
            name='smime_order_moves',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='order',
            trigger=pgtrigger.compiler.Trigger(name='smime_order_moves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))', declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{approved:cancelled,approved:checking,approved:issued,approved:rejected,checking:approved,checking:cancelled,checking:issued,checking:lapsed,checking:rejected,draft:cancelled,draft:checking,draft:lapsed,issued:approved}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='86b66847553e09977ecc1268f105a28f4aee2290', operation='UPDATE', pgid='pgtrigger_smime_order_moves_c39cd', table='smime_order', when='BEFORE')),
        ),
    ]
