"""The closed list of messages, and the context that each one needs.

A context is plain JSON: lines of text, ISO 8601 instants with their offset, addresses. What must not lie in the
database in clear is named under `secrets` and travels in its own argument of `services.post`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from notifications.catalog_smime import SMIME
from notifications.contents import Attachment, Contents, Shape
from notifications.kinds import Message

__all__ = ["CATALOG", "Attachment", "Contents", "Message", "Shape"]

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
# `entries`, `ended_entries`: of the reader's calendar, set or taken back, as `cms.services.deadlines` names them.
_ENDS: Mapping[str, Shape] = MappingProxyType({"ended_entries": Shape.LINE_OR_NOTHING})
_SETS: Mapping[str, Shape] = MappingProxyType({"entries": Shape.LINE_OR_NOTHING, **_ENDS})
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


# About a person, whether a case is open or not: which centre answers, and the card if one is meant.
_TO_PERSON: Mapping[str, Shape] = MappingProxyType(
    {name: _TO_HOLDER[name] for name in ("holder_name", "centre_name", "centre_email", "centre_phone")}
)
_PERHAPS_OF_A_CARD: Mapping[str, Shape] = MappingProxyType(
    {"case_code": Shape.LINE_OR_NOTHING, "card_serial": Shape.LINE_OR_NOTHING, "service_name": Shape.LINE_OR_NOTHING}
)


def _about_person(secret: str = "", *, is_urgent: bool = False, **required: Shape) -> Contents:
    return Contents(
        MappingProxyType({**_TO_PERSON, **required}),
        optional=_PERHAPS_OF_A_CARD,
        secrets=frozenset({secret} if secret else ()),
        is_urgent=is_urgent,
    )


# A list of the digest shows its first entries; its total counts those that are not shown too.
_DIGEST_LISTS = ("waiting", "urged", "suspended", "revoked", "expired")
_DIGEST = Contents(
    MappingProxyType(
        {"centre_name": Shape.LINE, "service_name": Shape.LINE, "day": Shape.DAY_START, "panel_url": Shape.URL}
        | dict.fromkeys(_DIGEST_LISTS, Shape.CASES)
        | {f"{name}_total": Shape.NUMBER for name in _DIGEST_LISTS}
        | {"failures": Shape.FAILURES, "stock": Shape.COUNTERS}
    ),
    # Optional: a digest that was queued before it carried requests for help is still sent.
    optional=MappingProxyType({"support": Shape.CASES, "support_total": Shape.NUMBER}),
)


CATALOG: Mapping[Message, Contents] = MappingProxyType(
    {
        Message.RENEWAL_NOTICE: Contents(_about_card(client_url=Shape.URL)),
        # `days`: the threshold that was reached; the distance on show is counted from the day of posting.
        Message.RENEWAL_REMINDER: Contents(_about_card(client_url=Shape.URL, days=Shape.COUNT)),
        Message.SIGNED_FORM: Contents(_about_card(), takes_attachments=True),
        Message.RENEWAL_DONE: Contents(_about_card(new_not_after=Shape.INSTANT), secrets=frozenset({"user_code"})),
        Message.RENEWAL_DONE_TO_AUTHORISE: Contents(
            _about_card(new_not_after=Shape.INSTANT, authorise_by=Shape.INSTANT, recoverable_days=Shape.COUNT),
            secrets=frozenset({"user_code"}),
        ),
        Message.AUTHORISED: Contents(_about_card(new_not_after=Shape.INSTANT), optional=_ENDS),
        Message.SUSPENSION_WARNING: Contents(
            _about_card(
                authorise_by=Shape.INSTANT, suspend_at=Shape.INSTANT, days=Shape.COUNT, recoverable_days=Shape.COUNT
            ),
            optional={"reason": Shape.PROSE_OR_NOTHING},  # what the centre said where it refused
        ),
        Message.SUSPENDED: _about_certificates(
            {"reason": Shape.PROSE, "suspended_at": Shape.INSTANT, "revoke_on": Shape.DAY_START},
            valid_until=Shape.INSTANT_OR_NOTHING,  # where the certificates expire before they would be revoked
            **_SETS,
        ),
        Message.REVOCATION_WARNING: _about_certificates(
            {"reason": Shape.PROSE, "suspended_at": Shape.INSTANT, "revoke_on": Shape.DAY_START, "days": Shape.COUNT},
            **_SETS,
        ),
        Message.REACTIVATED: _about_certificates(
            {"reason": Shape.PROSE, "new_not_after": Shape.INSTANT}, reactivated_at=Shape.INSTANT_OR_NOTHING, **_ENDS
        ),
        Message.REVOKED: _about_certificates({"reason": Shape.PROSE}, revoked_at=Shape.INSTANT_OR_NOTHING, **_ENDS),
        Message.CASE_EXPIRED: Contents(_about_card()),
        Message.CONTACT_CONFIRMATION: Contents(
            _to_holder(),
            optional={"expires_at": Shape.INSTANT_OR_NOTHING},
            secrets=frozenset({"confirmation_code"}),
            is_urgent=True,
        ),
        Message.CONTACT_CHANGED: Contents(_to_holder(), is_urgent=True),
        # `changed`: names of the fields, one a line, never their values.
        Message.DATA_CHANGED: _about_person(changed=Shape.PROSE),
        Message.CODE_CLOSED: _about_person(is_urgent=True, closed_at=Shape.INSTANT),
        # `purpose`: `reopen` or `reissue`, what the link is good for.
        Message.HOLDER_LINK: _about_person("link_url", is_urgent=True, purpose=Shape.LINE, expires_at=Shape.INSTANT),
        Message.USER_CODE: _about_person("user_code", is_urgent=True),
        Message.CASE_CANCELLED: Contents(_about_card(reason=Shape.PROSE)),
        # `authorise_by`: until when the centre can still approve; `suspended_at`: the new certificates do not work now.
        Message.REFUSED: Contents(
            _about_card(reason=Shape.PROSE),
            optional={"authorise_by": Shape.INSTANT_OR_NOTHING, "suspended_at": Shape.INSTANT_OR_NOTHING},
        ),
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
        # To whoever looks after the queue: nothing of the person, and without a centre to the provider.
        Message.SUPPORT_OPENED: Contents(
            {"number": Shape.LINE, "code": Shape.LINE, "opened_at": Shape.INSTANT, "panel_url": Shape.URL},
            optional={"centre_name": Shape.LINE_OR_NOTHING},
        ),
        # What somebody wrote, to somebody who may have proven nothing: then without a name.
        Message.SUPPORT_ANSWER: Contents(
            {
                "number": Shape.LINE,
                "answer": Shape.PROSE,
                "opened_at": Shape.INSTANT,
                "centre_name": Shape.LINE,
                "centre_email": Shape.MAILBOX,
                "centre_phone": Shape.LINE_OR_NOTHING,
            },
            optional={"holder_name": Shape.LINE_OR_NOTHING},
            is_urgent=True,
        ),
        Message.DAILY_DIGEST: _DIGEST,
        # One when it opens; one more, with `closed_at`, when it is over. `kind`: as `alarm_words` knows it.
        Message.ALARM: Contents(
            {
                "kind": Shape.LINE,
                "count": Shape.NUMBER,
                "since": Shape.INSTANT_OR_NOTHING,
                "opened_at": Shape.INSTANT,
                "panel_url": Shape.URL,
            },
            optional={"closed_at": Shape.INSTANT_OR_NOTHING},
            is_urgent=True,
        ),
        # To the centre: a holder has stopped his case because his data are wrong; what he wrote stands in the panel.
        Message.DATA_REPORTED: Contents(
            {
                "centre_name": Shape.LINE,
                "service_name": Shape.LINE,
                "case_code": Shape.LINE,
                "panel_url": Shape.URL,
            }
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
        **SMIME,
    }
)
