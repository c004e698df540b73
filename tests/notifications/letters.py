"""What the tests post: the examples of the catalogue, and how their instants are shown."""

from typing import Any

from notifications.catalog import CATALOG, Message
from notifications.samples import CASE_CODE, FORM, NOON, RECIPIENT, SECRETS, VALUES, context_of, secrets_of
from notifications.services import Draft

__all__ = ["FORM", "NOON", "SECRETS", "SHOWN", "VALUES", "context_of", "draft_of"]

SHOWN = {
    "old_not_after": "ven 12/03/2027, 10:15",
    "new_not_after": "mar 12/03/2030, 10:15",
    "authorise_by": "ven 12/03/2027, 10:15",
    "suspended_at": "ven 12/03/2027, 10:15",
    "revoke_on": "dom 11/07/2027",
    "reactivated_at": "ven 02/04/2027, 09:05",
    "revoked_at": "dom 11/07/2027, 00:00",
    "expires_at": "gio 14/01/2027, 12:30",
    "suspend_at": "ven 12/03/2027, 10:15",
    "closed_at": "gio 14/01/2027, 11:50",
    "opened_at": "gio 14/01/2027, 11:40",
    "day": "gio 14/01/2027",
}


def draft_of(message: Message = Message.AUTHORISED, **changes: Any) -> Draft:
    """A message that may be posted as it stands."""
    values: dict[str, Any] = {
        "key": f"{message}:1",
        "message": message,
        "to": RECIPIENT,
        "context": context_of(message),
        "secrets": secrets_of(message),
        "attachments": (FORM,) if CATALOG[message].takes_attachments else (),
        "case_code": CASE_CODE,
    }
    return Draft(**values | changes)
