"""The closed list of messages, and the context that each one needs.

A context is plain JSON: lines of text, ISO 8601 instants with their offset, addresses. What must not lie in the
database in clear is named under `secrets` and travels in its own argument of `services.post`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


class Message(enum.StrEnum):
    """Kinds of mail; the value names the templates `mail/<value>.{subject,txt,html}`."""

    RENEWAL_NOTICE = "renewal-notice"
    SIGNED_FORM = "signed-form"
    RENEWAL_DONE = "renewal-done"
    RENEWAL_DONE_TO_AUTHORISE = "renewal-done-to-authorise"
    AUTHORISED = "authorised"
    SUSPENDED = "suspended"
    REACTIVATED = "reactivated"
    REVOKED = "revoked"
    CONTACT_CONFIRMATION = "contact-confirmation"
    CONTACT_CHANGED = "contact-changed"
    CASE_CANCELLED = "case-cancelled"
    REFUSED = "refused"
    STOCK_EMPTY = "stock-empty"
    LOW_STOCK = "low-stock"
    INVITATION = "invitation"
    PASSWORD_LINK = "password-link"  # noqa: S105 - a kind of message
    ACCOUNT_CHANGED = "account-changed"


class Shape(enum.Enum):
    """What a value of a context must look like."""

    LINE = "a line of text"
    LINE_OR_NOTHING = "a line of text, possibly empty"
    PROSE = "a text of one or more lines"
    INSTANT = "an ISO 8601 instant with its offset"
    INSTANT_OR_NOTHING = "an ISO 8601 instant with its offset, or empty"
    DAY_START = "an ISO 8601 date, or the instant at which that day begins"
    URL = "an http(s) address"
    URL_OR_NOTHING = "an http(s) address, or empty"
    MAILBOX = "an e-mail address"
    COUNT = "a positive whole number"


@dataclass(frozen=True, slots=True)
class Contents:
    """What one kind of message carries. `optional` keys may be left out; they then count as empty."""

    required: Mapping[str, Shape]
    optional: Mapping[str, Shape] = field(default_factory=lambda: MappingProxyType({}))
    secrets: frozenset[str] = frozenset()
    takes_attachments: bool = False
    is_urgent: bool = False
    """Somebody sits before a screen and waits for it: it overtakes notices in the queue."""

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Shape of every key that the context may hold."""
        return {**self.optional, **self.required}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels with a message: its name as the recipient sees it, media type, bytes."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


_TO_HOLDER: Mapping[str, Shape] = MappingProxyType(
    {
        "holder_name": Shape.LINE,
        "case_code": Shape.LINE,
        "centre_name": Shape.LINE,
        "centre_email": Shape.MAILBOX,
        "centre_phone": Shape.LINE_OR_NOTHING,
        "purchase_url": Shape.URL_OR_NOTHING,
        "old_not_after": Shape.INSTANT,
    }
)
_CARD: Mapping[str, Shape] = MappingProxyType({"card_serial": Shape.LINE, "service_name": Shape.LINE})


def _to_holder(**more: Shape) -> Mapping[str, Shape]:
    return MappingProxyType({**_TO_HOLDER, **more})


def _about_card(**more: Shape) -> Mapping[str, Shape]:
    return _to_holder(**_CARD, **more)


# Certificates change outside a renewal too: then no case is named, and perhaps one half of a pair is meant.
_OF_A_CASE = frozenset({"case_code", "old_not_after"})
_PERHAPS_OF_A_CASE: Mapping[str, Shape] = MappingProxyType(
    {
        "case_code": Shape.LINE_OR_NOTHING,
        "old_not_after": Shape.INSTANT_OR_NOTHING,
        "certificate_types": Shape.LINE_OR_NOTHING,
    }
)


def _about_certificates(required: Mapping[str, Shape], **optional: Shape) -> Contents:
    always = {name: shape for name, shape in _about_card(**required).items() if name not in _OF_A_CASE}
    return Contents(MappingProxyType(always), optional=MappingProxyType({**_PERHAPS_OF_A_CASE, **optional}))


CATALOG: Mapping[Message, Contents] = MappingProxyType(
    {
        Message.RENEWAL_NOTICE: Contents(_about_card(client_url=Shape.URL)),
        Message.SIGNED_FORM: Contents(_about_card(), takes_attachments=True),
        Message.RENEWAL_DONE: Contents(_about_card(new_not_after=Shape.INSTANT), secrets=frozenset({"user_code"})),
        Message.RENEWAL_DONE_TO_AUTHORISE: Contents(
            _about_card(new_not_after=Shape.INSTANT, authorise_by=Shape.INSTANT, recoverable_days=Shape.COUNT),
            secrets=frozenset({"user_code"}),
        ),
        Message.AUTHORISED: Contents(_about_card(new_not_after=Shape.INSTANT)),
        Message.SUSPENDED: _about_certificates(
            {"reason": Shape.PROSE, "suspended_at": Shape.INSTANT, "revoke_on": Shape.DAY_START}
        ),
        Message.REACTIVATED: _about_certificates(
            {"reason": Shape.PROSE, "new_not_after": Shape.INSTANT}, reactivated_at=Shape.INSTANT_OR_NOTHING
        ),
        Message.REVOKED: _about_certificates({"reason": Shape.PROSE}, revoked_at=Shape.INSTANT_OR_NOTHING),
        Message.CONTACT_CONFIRMATION: Contents(
            _to_holder(),
            optional={"expires_at": Shape.INSTANT_OR_NOTHING},
            secrets=frozenset({"confirmation_code"}),
            is_urgent=True,
        ),
        Message.CONTACT_CHANGED: Contents(_to_holder(), is_urgent=True),
        Message.CASE_CANCELLED: Contents(_about_card(reason=Shape.PROSE)),
        Message.REFUSED: Contents(_about_card(reason=Shape.PROSE), optional={"authorise_by": Shape.INSTANT_OR_NOTHING}),
        Message.INVITATION: Contents(
            {
                "recipient_name": Shape.LINE,
                "inviter_name": Shape.LINE,
                "place": Shape.LINE,
                "role": Shape.LINE,
                "expires_at": Shape.INSTANT,
            },
            secrets=frozenset({"invitation_url"}),
            is_urgent=True,
        ),
        Message.PASSWORD_LINK: Contents(
            {"recipient_name": Shape.LINE, "expires_at": Shape.INSTANT},
            secrets=frozenset({"password_url"}),
            is_urgent=True,
        ),
        Message.ACCOUNT_CHANGED: Contents(
            {"recipient_name": Shape.LINE, "change": Shape.LINE},
            optional={"author_name": Shape.LINE_OR_NOTHING, "place": Shape.LINE_OR_NOTHING},
            is_urgent=True,
        ),
        Message.LOW_STOCK: Contents(
            {
                "centre_name": Shape.LINE,
                "service_name": Shape.LINE,
                "balances": Shape.LINE,
                "threshold": Shape.LINE,
                "purchase_url": Shape.URL_OR_NOTHING,
            },
        ),
        Message.STOCK_EMPTY: Contents(
            {
                "centre_name": Shape.LINE,
                "service_name": Shape.LINE,
                "certificate_types": Shape.LINE,
                "purchase_url": Shape.URL_OR_NOTHING,
            },
            optional={"case_code": Shape.LINE_OR_NOTHING},
        ),
    }
)
