"""Fill register and CA's ledger for the sweep's benchmark: certificates by the million, by the database itself.

    fill(servers, database, certificates)     (imported once the settings stand; the CA is founded in this database)

Each case is completed and approved, with a new pair of two certificates that stand in the ledger; `make_due` takes the
approval back from some of them, spread over all pages, so that their suspension is due.
"""

from __future__ import annotations

from datetime import datetime

from authority.models import CertificationAuthority
from authority.states import Role
from benchmarks import ledger
from benchmarks.panel_population import move_sequences, take_indexes
from benchmarks.panel_rows import insert
from benchmarks.services import Servers
from cms.models import Agreement, Card, CardFamily, Centre, Certificate, Holder, Pair, Service
from cms.states import HALVES, ApprovalMode
from renewals.models import RenewalCase
from runtime.embedded.postgres import PostgresAddress

BIG = (Holder, Card, Pair, Certificate, RenewalCase)
SMALL = (CardFamily, Centre, Service, Agreement)
ISSUING_YEAR = 2026
TYPES = [each.value for each in HALVES]
# Coprime to the numbers of cases in use: consecutive numbers lie far apart.
STEP = 7919
_TAX_CODE = (
    "'RSSMRA' || lpad((i % 100)::text, 2, '0') || 'T' || lpad((i / 100 % 100)::text, 2, '0')"
    " || 'A' || lpad((i / 10000 % 1000)::text, 3, '0') || 'X'"
)
_CODE = "'RX' || lpad(to_hex(i), 8, '0')"
_DUE = """
UPDATE renewals_renewalcase
   SET authorisation = 'pending', decided_by = NULL, decided_at = NULL, due_kind = 'suspend', due_at = %(at)s
 WHERE id IN (SELECT 1 + (number * %(step)s) %% %(cases)s
                FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS number)
RETURNING id
"""


def fill(servers: Servers, database: str, certificates: int) -> None:
    """Write so many certificates, here and at the CA, and half as many cases, holders and cards."""
    cases = certificates // 2
    ledger.fill(servers.postgres.address, database, listed={ISSUING_YEAR: 0}, good=certificates)
    family = _found_centre()
    issuer = bytes(CertificationAuthority.objects.get(role=Role.CNS).key_identifier).hex()
    with servers.postgres.address.connect(database=database) as superuser:
        superuser.execute("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'")
        indexes = take_indexes(superuser, BIG)
        series = f"generate_series(1::bigint, {cases}) AS i"
        person = {"surname": "'Rossi'", "given_name": "'Mario'", "tax_code": _TAX_CODE}
        mailbox = "'t' || i || '@posta.example.org'"
        contacts = {"email": mailbox, "email_key": mailbox, "mobile": "'+39' || 3000000000 + i"}
        insert(superuser, Holder, {"id": "i", "user_code_set_at": "NULL", **person, **contacts}, series)
        card = {"id": "i", "serial": "'7' || lpad(i::text, 15, '0')", "family_id": str(family), "holder_id": "i"}
        days = {"first_issued_on": "current_date - 1100", "activated_on": "current_date - 1100"}
        insert(superuser, Card, {**card, **days}, series)
        for first, before in ((0, "NULL"), (cases, "i")):
            insert(superuser, Pair, _pair(f"i + {first}", before), series)
        halves = f"generate_series(1::bigint, {certificates}) AS i"
        insert(superuser, Certificate, _certificate(cases, issuer), halves)
        insert(superuser, RenewalCase, _case(cases), series)
        for definition in indexes:
            superuser.execute(definition)  # type: ignore[call-overload] # as the database itself wrote it
        move_sequences(superuser, (*BIG, *SMALL))
    with servers.postgres.address.connect(database=database) as superuser:
        superuser.execute("VACUUM ANALYZE")
        superuser.execute("CHECKPOINT")


def make_due(address: PostgresAddress, database: str, which: tuple[int, int, int], at: datetime) -> list[int]:
    """Let the suspension of some cases be due; `which` are all cases, the first to take, and how many.

    They lie on a way that goes over all pages. The triggers sleep: an approval is not taken back otherwise.
    """
    cases, first, number = which
    values = {"at": at, "step": STEP, "cases": cases, "first": first, "last": first + number - 1}
    with address.connect(database=database) as superuser:
        superuser.execute("SET session_replication_role = replica")
        found = [row[0] for row in superuser.execute(_DUE, values)]
    if len(found) != number:
        raise AssertionError(f"{len(found)} cases are due, not {number}")
    return found


def _found_centre() -> int:
    """Make what every case needs once; returns the cards' family, which a new installation knows already."""
    family, _ = CardFamily.objects.get_or_create(code="ACe 2021", defaults={"name": "IDEMIA 2021"})
    Service.objects.create(pk=1, code="cns", name="CNS - Firma 3 anni", types=TYPES)
    Centre.objects.create(pk=1, code="cdrl", name="Ordine di Esempio", email="cdrl@example.org")
    Agreement.objects.create(pk=1, centre_id=1, service_id=1, approval=ApprovalMode.AUTHORISATION)
    return family.pk


def _pair(number: str, before: str) -> dict[str, str]:
    return {
        "id": number,
        "public_id": f"md5('pair' || {number})::uuid",
        "card_id": "i",
        "holder_id": "i",
        "agreement_id": "1",
        "centre_id": "1",
        "service_id": "1",
        "predecessor_id": before,
        "created_at": "now()",
    }


def _certificate(cases: int, issuer: str) -> dict[str, str]:
    """Two of a pair follow each other; the serial number is the ledger's."""
    return {
        "id": "i",
        "pair_id": f"{cases} + (i + 1) / 2",
        "type": f"CASE WHEN i % 2 = 1 THEN '{TYPES[0]}' ELSE '{TYPES[1]}' END",
        "serial": f"'{ledger.SERIAL_PREFIX:x}' || md5((i - 1)::text)",
        "issuer_key_id": f"'{issuer}'",
        "fingerprint": "md5('f' || i) || md5('g' || i)",
        "spki_sha256": "encode(sha256(decode(md5((i - 1)::text), 'hex')), 'hex')",
        "key_kind": "'rsa'",
        "key_bits": "2048",
        "not_before": "now()",
        "not_after": "now() + interval '1096 days'",
        "status": "'active'",
        "proven_at": "now()",
    }


def _case(cases: int) -> dict[str, str]:
    instants = {
        "opened_at": "now() - interval '60 days'",
        "signed_at": "now() - interval '30 days'",
        "completed_at": "now() - interval '30 days'",
        "old_not_after": "date_trunc('second', now()) - interval '1 day'",
        "decided_at": "now() - interval '2 days'",
    }
    return {
        "id": "i",
        "code": _CODE,
        "old_pair_id": "i",
        "new_pair_id": f"i + {cases}",
        "holder_id": "i",
        "card_id": "i",
        "centre_id": "1",
        "service_id": "1",
        "issuing_service_id": "1",
        "agreement_id": "1",
        "flow": "'enroll'",
        "state": "'completed'",
        "authorisation": "'approved'",
        "approval_mode": "'authorisation'",
        "decided_by": "1",
        **instants,
    }
