"""S/MIME orders lie behind the fence with their centre and service, and all that hangs on them with its owner.

Lists of trust are public documents. What the identification provider sends and keys before their delivery concern no page: tasks alone read them.
"""

from django.db import migrations

SCOPED = ("smime_slot", "smime_order")
HERE = (
    "centre_id = ANY ((SELECT fence_centres())::bigint[]) AND service_id = ANY ((SELECT fence_services())::bigint[])"
)
OWNERS = {
    "smime_termsacceptance": ("smime_order", "order_id"),
    "smime_check": ("smime_order", "order_id"),
    "smime_mailedlink": ("smime_order", "order_id"),
    "smime_consent": ("smime_order", "order_id"),
    "smime_approval": ("smime_order", "order_id"),
    "smime_issuancelook": ("smime_order", "order_id"),
    "smime_finding": ("smime_check", "check_row_id"),
    "smime_identificationattempt": ("smime_order", "order_id"),
    "smime_evidencefile": ("smime_order", "order_id"),
    "smime_evidencecontent": ("smime_evidencefile", "file_id"),
    "smime_signatureform": ("smime_order", "order_id"),
    "smime_signaturereport": ("smime_signatureform", "form_id"),
    "smime_smimecertificate": ("smime_order", "order_id"),
    "smime_caorder": ("smime_order", "order_id"),
    "smime_keybundle": ("smime_smimecertificate", "certificate_id"),
    "smime_bundledownload": ("smime_keybundle", "bundle_id"),
    "smime_downloadcode": ("smime_order", "order_id"),
}
HIDDEN = ("smime_keyvault", "smime_providerdelivery")
PUBLIC = ("smime_trustedlist",)


def policies():
    for table in (*SCOPED, *OWNERS, *HIDDEN, *PUBLIC):
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"CREATE POLICY open_field ON {table} TO sigillo_app USING (true) WITH CHECK (true)"
    for table in SCOPED:
        yield f"CREATE POLICY panel ON {table} TO sigillo_panel, sigillo_provider USING ({HERE})"
    for table, (owner, column) in OWNERS.items():
        yield (
            f"CREATE POLICY panel ON {table} TO sigillo_panel, sigillo_provider"
            f" USING (EXISTS (SELECT FROM {owner} owner WHERE owner.id = {table}.{column}))"
        )
    for table in PUBLIC:
        yield f"CREATE POLICY panel ON {table} FOR SELECT TO sigillo_panel, sigillo_provider USING (true)"


def undo():
    for table in (*SCOPED, *OWNERS, *PUBLIC):
        yield f"DROP POLICY panel ON {table}"
    for table in (*SCOPED, *OWNERS, *HIDDEN, *PUBLIC):
        yield f"DROP POLICY open_field ON {table}"
        yield f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"



class Migration(migrations.Migration):
    dependencies = [("config", "0006_support"), ("smime", "0001_smime")]

    operations = [migrations.RunSQL(list(policies()), list(undo()))]
