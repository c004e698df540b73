"""Orders under verification, and what their mails carry: the links that only a mailbox's reader has."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime

from cms.models import Centre, Service, User
from notifications.models import OutboxMessage
from runtime import sealing
from smime.codes import new_order_code, new_slot_code
from smime.models import Check, Order, Slot
from smime.services import checks

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def order_of(validation: str = "mv", *, at: datetime = NOW, own: bool = True, **fields) -> Order:
    """A submitted order whose checks have begun; `own`: the buyer is the recipient."""
    number = next(_numbers)
    buyer = User.objects.create_user(f"cliente{number}@azienda.example.org", full_name="Cliente di prova")
    scope = {
        "centre": fields.pop("centre", None) or _centre(),
        "service": fields.pop("service", None) or _service(),
        "validation": validation,
    }
    slot = Slot.objects.create(code=new_slot_code(), owner=buyer, credited_at=at, **scope)
    person = {"given_name": "Anna", "surname": "Prova", "mailbox": f"anna{number}@posta.example.org"}
    order = Order.objects.create(
        code=new_order_code(), slot=slot, buyer=buyer, recipient_is_buyer=own, created_at=at, **scope, **person | fields
    )
    order.submit(at=at)
    order.save()
    checks.open_checks(order, at=at)
    return order


def _centre() -> Centre:
    said = {"name": "Ordine di Esempio", "email": "cdrl@cdrl.example.org"}
    return Centre.objects.get_or_create(code="cdrl-esempio", defaults=said)[0]


def _service() -> Service:
    said = {"name": "S/MIME", "types": ["authentication"]}
    return Service.objects.get_or_create(code="smime-esempio", defaults=said)[0]


def check_of(order: Order, kind: str) -> Check:
    """The check as it stands now."""
    return Check.objects.select_related("order").get(order=order, kind=kind)


def mails(order: Order, kind: str) -> list[OutboxMessage]:
    """Mails of a kind about an order, in the order of their sending."""
    return list(OutboxMessage.objects.filter(case_code=order.code, kind=kind).order_by("created_at", "pk"))


def link_in(mail: OutboxMessage) -> str:
    """The address that the mail carries, as only its reader sees it."""
    return json.loads(sealing.unseal(mail.sealed_context, context=mail.seal_context))["mailed_url"]


def token_in(mail: OutboxMessage) -> str:
    """The value at the end of that address."""
    return link_in(mail).rstrip("/").rpartition("/")[2]
