"""Row policies: the application and the owner see every row, the panel's roles what lies within their fence (ADR 22).

Both roles read the ids of their centres and services from settings of the session, each once per statement. Events without
a centre or a service of their own count as number 0. `sigillo_provider` also sees the provider's whole business, among it
what it is just founding; persons, cards and cases it sees as `sigillo_panel` does.
"""

from django.db import migrations

CENTRE = "centre_id = ANY ((SELECT fence_centres())::bigint[])"
SERVICE = "service_id = ANY ((SELECT fence_services())::bigint[])"


def through(table, condition):
    """The row is seen with the one that it belongs to, whose own policy is asked here. Name both columns' tables."""
    return f"EXISTS (SELECT FROM {table} owner WHERE {condition})"


PANEL = {
    "cms_pair": f"{CENTRE} AND {SERVICE}",
    "cms_carequest": f"{CENTRE} AND {SERVICE}",
    "cms_revocationproposal": f"{CENTRE} AND {SERVICE}",
    "cms_stock": f"{CENTRE} AND {SERVICE}",
    "cms_purchaserequest": f"{CENTRE} AND {SERVICE}",
    "cms_job": f"{CENTRE} AND {SERVICE}",
    "renewals_renewalcase": f"{CENTRE} AND {SERVICE}",
    "cms_event": "coalesce(centre_id, 0) = ANY ((SELECT fence_centres())::bigint[])"
    " AND coalesce(service_id, 0) = ANY ((SELECT fence_services())::bigint[])",
    "cms_registration": CENTRE,
    "cms_holderword": CENTRE,
    "cms_invitation": CENTRE,
    "cms_holder": through("cms_registration", "owner.holder_id = cms_holder.id"),
    "cms_card": through("cms_pair", "owner.card_id = cms_card.id"),
    "cms_certificate": through("cms_pair", "owner.id = cms_certificate.pair_id"),
    "cms_certificatebody": through("cms_certificate", "owner.id = cms_certificatebody.certificate_id"),
    "cms_hold": through("cms_certificate", "owner.id = cms_hold.certificate_id"),
    "cms_carequestbody": through("cms_carequest", "owner.id = cms_carequestbody.request_id"),
    "cms_stockmovement": through("cms_stock", "owner.id = cms_stockmovement.stock_id"),
    "cms_jobrow": through("cms_job", "owner.id = cms_jobrow.job_id"),
    "cms_jobfile": through("cms_job", "owner.id = cms_jobfile.job_id"),
    "renewals_acceptance": through("renewals_renewalcase", "owner.id = renewals_acceptance.case_id"),
    "renewals_renewalform": through("renewals_renewalcase", "owner.id = renewals_renewalform.case_id"),
    "renewals_mailboxconfirmation": through("renewals_renewalcase", "owner.id = renewals_mailboxconfirmation.case_id"),
    "renewals_enrolmentsession": through("renewals_renewalcase", "owner.id = renewals_enrolmentsession.case_id"),
    "renewals_challenge": through("cms_pair", "owner.id = renewals_challenge.pair_id"),
    "notifications_outboxmessage": through("renewals_renewalcase", "owner.code = notifications_outboxmessage.case_code"),
    "notifications_outboxattachment": through("notifications_outboxmessage", "owner.id = notifications_outboxattachment.message_id"),
}

PROVIDER = [
    "cms_event",
    "cms_invitation",
    "cms_purchaserequest",
    "cms_stock",
    "cms_stockmovement",
]

# A letter about no case (an invitation, a purchase) is seen by the account that caused it.
OWN_LETTERS = "posted_by = (SELECT fence_operator())"

SETTINGS = """
CREATE FUNCTION fence_centres() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('sigillo.centres', true), '')::bigint[] $$;
CREATE FUNCTION fence_services() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('sigillo.services', true), '')::bigint[] $$;
CREATE FUNCTION fence_operator() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('sigillo.operator', true), '')::bigint $$;
"""

POSTED_BY = """
ALTER TABLE notifications_outboxmessage
ADD COLUMN posted_by bigint DEFAULT nullif(current_setting('sigillo.operator', true), '')::bigint
"""

# The search by words runs as the owner, past all policies: it applies the fence itself. Who works in the open is trusted
# with the centres that it names.
FIND = """
ALTER FUNCTION find_holders(bigint[], text, integer) RENAME TO find_holders_of;
REVOKE EXECUTE ON FUNCTION find_holders_of(bigint[], text, integer) FROM PUBLIC;
CREATE FUNCTION find_holders(centres bigint[], said text, most integer) RETURNS SETOF bigint LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF current_setting('role') IN ('sigillo_panel', 'sigillo_provider') THEN
        centres := ARRAY(SELECT unnest(centres) INTERSECT SELECT unnest(fence_centres()));
    END IF;
    RETURN QUERY SELECT * FROM find_holders_of(centres, said, most);
END
$$
"""


def policies():
    for table in PANEL:
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"CREATE POLICY open_field ON {table} TO sigillo_app USING (true) WITH CHECK (true)"
    for table, condition in PANEL.items():
        yield f"CREATE POLICY panel ON {table} TO sigillo_panel, sigillo_provider USING ({condition})"
    for table in PROVIDER:
        yield f"CREATE POLICY provider ON {table} TO sigillo_provider USING (true) WITH CHECK (true)"
    yield (
        "CREATE POLICY own_letters ON notifications_outboxmessage TO sigillo_panel, sigillo_provider"
        f" USING ({OWN_LETTERS})"
    )


def undo():
    yield "DROP FUNCTION find_holders(bigint[], text, integer)"
    yield "ALTER FUNCTION find_holders_of(bigint[], text, integer) RENAME TO find_holders"
    yield "DROP POLICY own_letters ON notifications_outboxmessage"
    for table in PROVIDER:
        yield f"DROP POLICY provider ON {table}"
    for table in PANEL:
        yield f"DROP POLICY panel ON {table}"
        yield f"DROP POLICY open_field ON {table}"
        yield f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
    yield "ALTER TABLE notifications_outboxmessage DROP COLUMN posted_by"
    yield "DROP FUNCTION fence_centres(), fence_services(), fence_operator()"


class Migration(migrations.Migration):
    dependencies = [
        ("config", "0001_initial"),
        ("cms", "0003_holder_words"),
        ("renewals", "0002_panel"),
        ("notifications", "0001_initial"),
    ]

    operations = [migrations.RunSQL([SETTINGS, POSTED_BY, *policies(), FIND], list(undo()))]
