"""One complete, recognisable example of every message: for the previews of the panel, the pictures and the tests.

Nobody of these names exists; the addresses are reserved ones (RFC 2606).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from django.utils import translation
from django.utils.translation import gettext

from notifications import samples_smime
from notifications.catalog import CATALOG, Attachment, Message
from notifications.models import OutboxMessage
from runtime import sealing

NOON = datetime(2027, 1, 14, 11, 0, tzinfo=UTC)
POSTED_AT: Mapping[Message, datetime] = MappingProxyType(
    {
        Message.RENEWAL_NOTICE: datetime(2027, 1, 12, 9, 15, tzinfo=UTC),
        Message.RENEWAL_REMINDER: datetime(2027, 3, 5, 9, 15, tzinfo=UTC),
        Message.SUSPENSION_WARNING: datetime(2027, 3, 5, 9, 15, tzinfo=UTC),
        Message.SUSPENDED: datetime(2027, 3, 12, 9, 15, 30, tzinfo=UTC),
        Message.REVOCATION_WARNING: datetime(2027, 7, 3, 22, 0, tzinfo=UTC),
        Message.REACTIVATED: datetime(2027, 4, 2, 7, 5, tzinfo=UTC),
        Message.REVOKED: datetime(2027, 7, 10, 22, 0, 30, tzinfo=UTC),
        Message.CASE_EXPIRED: datetime(2027, 3, 12, 9, 15, 30, tzinfo=UTC),
    }
)
"""When an example is posted, where its dates would look odd at `NOON`."""

ESPECIALLY: Mapping[Message, Mapping[str, Any]] = MappingProxyType(
    {
        Message.SUSPENSION_WARNING: {"reason": ""},
        Message.AUTHORISED: {"ended_entries": ""},
        Message.SUSPENDED: {"ended_entries": ""},
        Message.REVOCATION_WARNING: {"ended_entries": ""},
        Message.REACTIVATED: {"reason": "Il CDRL ha autorizzato il rinnovo."},
        Message.REVOKED: {"reason": "Il rinnovo non è stato autorizzato dal CDRL entro 120 giorni dalla sospensione."},
        Message.REFUSED: {"reason": "I dati della pratica non sono corretti.", "suspended_at": ""},
        Message.CASE_CANCELLED: {"reason": "Il titolare ha scelto di non proseguire."},
        Message.ALARM: {"closed_at": ""},
        **samples_smime.ESPECIALLY,
    }
)
"""What one message says differently from `VALUES`."""

VALUES: Mapping[str, Any] = MappingProxyType(
    {
        "holder_name": "Ada Bianchi D'Amico",
        "case_code": "RN-7K2M-9Q4T",
        "centre_name": "Ordine degli Ingegneri & Architetti di Forlì",
        "centre_email": "rinnovi@ordine.example",
        "centre_phone": "+39 0543 123456",
        "purchase_url": "https://ordine.example/acquisto?tipo=cns&anni=3",
        "old_not_after": "2027-03-12T09:15:00+00:00",
        "card_serial": "7420001234567890",
        "service_name": "CNS Like – eIDAS Firma Digitale",
        "client_url": "https://sigillo.example/programma",
        "new_not_after": "2030-03-12T09:15:00Z",
        "authorise_by": "2027-03-12T09:15:00Z",
        "recoverable_days": 120,
        "reason": "Il rinnovo non è stato autorizzato dal CDRL entro la scadenza dei certificati precedenti.",
        "suspended_at": "2027-03-12T09:15:01Z",
        "revoke_on": "2027-07-11",
        "entries": "missing-approval:20270711",
        "ended_entries": "missing-approval:20270711",
        "valid_until": "",
        "reactivated_at": "2027-04-02T07:05:00Z",
        "revoked_at": "2027-07-10T22:00:30Z",
        "expires_at": "2027-01-14T11:30:00Z",
        "certificate_types": "Autenticazione CNS, Firma qualificata",
        "threshold": "10",
        "recipient_name": "Livia Serra di Forlì",
        "inviter_name": "Sara Galli",
        "place": "Ordine degli Ingegneri & Architetti di Forlì",
        "role": "Responsabile del CDRL",
        "change": "È stata aggiunta un'app di autenticazione.",
        "author_name": "Nadia Orsini",
        "days": 7,
        "suspend_at": "2027-03-12T09:15:01Z",
        "changed": "Cellulare\nIndirizzo",
        "closed_at": "2027-01-14T10:50:00Z",
        "purpose": "reopen",
        "day": "2027-01-14",
        "panel_url": "https://sigillo.example/gestione/",
        "waiting": [{"code": "RN-7K2M-9Q4T", "at": "2027-01-20T09:15:00Z", "remark": "Sollecitata"}],
        "urged": [{"code": "RN-7K2M-9Q4T", "at": "2027-01-13T09:15:00Z", "remark": ""}],
        "suspended": [{"code": "RN-3F8C-1W6P", "at": "2027-01-14T05:15:00Z", "remark": ""}],
        "revoked": [{"code": "RN-8J5N-6R3Z", "at": "2027-01-13T23:00:30Z", "remark": ""}],
        "expired": [{"code": "RN-5H4D-2X9V", "at": "2027-01-13T23:00:00Z", "remark": ""}],
        "support": [{"code": "S4T9-Q2KY", "at": "2027-01-13T16:20:00Z", "remark": "In carico"}],
        "support_total": 1,
        "waiting_total": 14,
        "urged_total": 1,
        "suspended_total": 1,
        "revoked_total": 1,
        "expired_total": 1,
        "number": "S4T9-Q2KY",
        "code": "card-update",
        "failures": [{"code": "mails-undelivered", "count": 1, "cases": []}],
        "stock": [{"type": "Firma qualificata", "free": 8, "threshold": 10}],
        "kind": "suspensions-overdue",
        "count": 3,
        "since": "",
        "opened_at": "2027-01-14T10:40:00Z",
        **samples_smime.VALUES,
    }
)
SECRETS: Mapping[str, str] = MappingProxyType(
    {
        "user_code": "QX7-4KD-92M",
        "confirmation_code": "483920",
        "invitation_url": "https://sigillo.example/accesso/invito/Zk3vT9qLw2/",
        "link_url": "https://sigillo.example/titolare/collegamento/Yk1bR8sMw7/",
        "password_url": "https://sigillo.example/accesso/password/reset/key/1-c7fQ2/",
        **samples_smime.SECRETS,
    }
)
FORM = Attachment(name="modulo-rinnovo.pdf", media_type="application/pdf", content=b"%PDF-1.7 signed\r\n\x00\xff")
RECIPIENT = "ada.bianchi@posta.example"
CASE_CODE = str(VALUES["case_code"])


def _said() -> dict[str, Any]:
    """What is put into words when a mail is posted, and not when it is rendered: in the active language."""
    authentication, signature = gettext("Autenticazione CNS"), gettext("Firma qualificata")
    return {
        "balances": f"{authentication}: 10 · {signature}: 8",
        "slots": [f"2 × {gettext('MV · Casella verificata')}", f"1 × {gettext('SV · Soggetto Verificato')}"],
        "answer": gettext(
            "Tolga la carta, attenda dieci secondi, la inserisca di nuovo e riapra il programma: il rinnovo riprende "
            "da dove si era fermato. Se il messaggio torna, installi il driver indicato nella pagina di scaricamento."
        ),
    }


def context_of(message: Message, *, only_required: bool = False) -> dict[str, Any]:
    """Every key of the message, or those it must have."""
    contents = CATALOG[message]
    values = {**VALUES, **_said(), **ESPECIALLY.get(message, {})}
    return {key: values[key] for key in (contents.required if only_required else contents.shapes)}


def secrets_of(message: Message) -> dict[str, str]:
    """The secrets of the message; they open nothing."""
    return {key: SECRETS[key] for key in CATALOG[message].secrets}


def example(message: Message, *, language: str = "it") -> OutboxMessage:
    """A row that was never stored, ready to be rendered."""
    with translation.override(language):
        context = context_of(message)
    row = OutboxMessage(
        key=f"{message}:1",
        kind=message.value,
        recipient=RECIPIENT,
        language=language,
        context=context,
        message_id=f"<{message}@sigillo.example>",
        case_code=CASE_CODE,
        created_at=POSTED_AT.get(message, NOON),
    )
    if secrets := secrets_of(message):
        row.sealed_context = sealing.seal(json.dumps(secrets).encode(), context=row.seal_context)
    return row
