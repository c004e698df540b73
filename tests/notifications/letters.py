"""One complete, recognisable context per kind of message."""

from datetime import UTC, datetime
from typing import Any

from notifications.catalog import CATALOG, Attachment, Message
from notifications.services import Draft

NOON = datetime(2027, 1, 14, 11, 0, tzinfo=UTC)

VALUES: dict[str, Any] = {
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
    "reason": "Il centro non ha autorizzato il rinnovo\nentro la scadenza <prevista>.",
    "suspended_at": "2026-03-31T08:30:00Z",
    "revoke_on": "2026-07-30",
    "reactivated_at": "2027-04-02T07:05:00Z",
    "revoked_at": "2026-07-29T22:00:30Z",
    "expires_at": "2027-01-14T11:30:00Z",
    "certificate_types": "Autenticazione CNS, Firma digitale",
    "balances": "Autenticazione CNS: 8 · Firma qualificata: 10",
    "threshold": "10",
    "recipient_name": "Livia Serra di Forlì",
    "inviter_name": "Sara Galli",
    "place": "Ordine degli Ingegneri & Architetti di Forlì",
    "role": "Responsabile del CDRL",
    "change": "È stata aggiunta un'app di autenticazione.",
    "author_name": "Nadia Orsini",
    "days": 7,
    "suspend_at": "2027-03-12T09:15:01Z",
    "changed": "cellulare\nindirizzo di residenza",
    "closed_at": "2027-01-14T10:50:00Z",
    "purpose": "reopen",
    "day": "2027-01-14",
    "panel_url": "https://sigillo.example/gestione/",
    "waiting": [{"code": "RN-7K2M-9Q4T", "at": "2027-01-20T09:15:00Z", "remark": "Sollecitata"}],
    "urged": [{"code": "RN-7K2M-9Q4T", "at": "2027-01-13T09:15:00Z", "remark": ""}],
    "suspended": [{"code": "RN-3F8C-1W6P", "at": "2027-01-14T05:15:00Z", "remark": ""}],
    "revoked": [],
    "expired": [{"code": "RN-5H4D-2X9V", "at": "2027-01-13T23:00:00Z", "remark": ""}],
    "waiting_total": 14,
    "urged_total": 1,
    "suspended_total": 1,
    "revoked_total": 0,
    "expired_total": 1,
    "failures": ["1 messaggio non recapitato"],
    "stock": ["Firma qualificata: 8, soglia 10"],
    "title": "Sospensioni in ritardo",
    "detail": "3 sospensioni dovute non sono ancora avvenute.",
    "remedy": "Controlli che i processi worker e beat siano in funzione.",
    "opened_at": "2027-01-14T10:40:00Z",
}
SHOWN = {
    "old_not_after": "ven 12/03/2027, 10:15",
    "new_not_after": "mar 12/03/2030, 10:15",
    "authorise_by": "ven 12/03/2027, 10:15",
    "suspended_at": "mar 31/03/2026, 10:30",
    "revoke_on": "gio 30/07/2026",
    "reactivated_at": "ven 02/04/2027, 09:05",
    "revoked_at": "gio 30/07/2026, 00:00",
    "expires_at": "gio 14/01/2027, 12:30",
    "suspend_at": "ven 12/03/2027, 10:15",
    "closed_at": "gio 14/01/2027, 11:50",
    "opened_at": "gio 14/01/2027, 11:40",
    "day": "gio 14/01/2027",
}
SECRETS = {
    "user_code": "QX7-4KD-92M",
    "confirmation_code": "483920",
    "invitation_url": "https://sigillo.example/accesso/invito/Zk3vT9qLw2/",
    "link_url": "https://sigillo.example/titolare/collegamento/Yk1bR8sMw7/",
    "password_url": "https://sigillo.example/accesso/password/reset/key/1-c7fQ2/",
}
FORM = Attachment(name="modulo-rinnovo.pdf", media_type="application/pdf", content=b"%PDF-1.7 signed\r\n\x00\xff")


def context_of(message: Message, *, only_required: bool = False) -> dict[str, Any]:
    """Every key of the message, or those it must have."""
    contents = CATALOG[message]
    return {key: VALUES[key] for key in (contents.required if only_required else contents.shapes)}


def draft_of(message: Message = Message.AUTHORISED, **changes: Any) -> Draft:
    """A message that may be posted as it stands."""
    contents = CATALOG[message]
    values: dict[str, Any] = {
        "key": f"{message}:1",
        "message": message,
        "to": "ada.bianchi@posta.example",
        "context": context_of(message),
        "secrets": {key: SECRETS[key] for key in contents.secrets},
        "attachments": (FORM,) if contents.takes_attachments else (),
        "case_code": "RN-7K2M-9Q4T",
    }
    return Draft(**values | changes)
