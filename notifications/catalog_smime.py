"""The part of the catalogue that activates S/MIME certificates: from the first mailed link to the last reminder."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from notifications.contents import Contents, Shape
from notifications.kinds import Message

_CENTRE: Mapping[str, Shape] = MappingProxyType(
    {
        "recipient_name": Shape.LINE,
        "centre_name": Shape.LINE,
        "centre_email": Shape.MAILBOX,
        "centre_phone": Shape.LINE_OR_NOTHING,
    }
)
# `certificate_kind`: a label of `smime.states.Validation`; `mailbox`: the one that the certificate is for.
_ORDER: Mapping[str, Shape] = MappingProxyType(
    {**_CENTRE, "case_code": Shape.LINE, "certificate_kind": Shape.LINE, "mailbox": Shape.MAILBOX}
)


def _about_order(
    secret: str = "", *, is_urgent: bool = False, optional: Mapping[str, Shape] | None = None, **required: Shape
) -> Contents:
    return Contents(
        MappingProxyType({**_ORDER, **required}),
        optional=MappingProxyType(dict(optional or {})),
        secrets=frozenset({secret} if secret else ()),
        is_urgent=is_urgent,
    )


# A link opens what only its reader may open: it lies sealed until the mail server has it.
_LINK = "mailed_url"
_PERHAPS_ANEW: Mapping[str, Shape] = MappingProxyType({"edition": Shape.COUNT})


SMIME: Mapping[Message, Contents] = MappingProxyType(
    {
        Message.SMIME_VERIFY_MAILBOX: _about_order(_LINK, is_urgent=True, expires_at=Shape.INSTANT),
        Message.SMIME_CONSENT: _about_order(_LINK, is_urgent=True, expires_at=Shape.INSTANT),
        # `session_minutes`: how long the identification may take once it was started.
        Message.SMIME_IDENTIFICATION: _about_order(
            _LINK, is_urgent=True, expires_at=Shape.INSTANT, session_minutes=Shape.COUNT
        ),
        Message.SMIME_IDENTIFICATION_PASSED: _about_order(),
        # `left`: attempts that remain.
        Message.SMIME_IDENTIFICATION_FAILED: _about_order(
            _LINK, is_urgent=True, expires_at=Shape.INSTANT, left=Shape.COUNT, session_minutes=Shape.COUNT
        ),
        # `because`: `consent-refused`, or empty after attempts that failed.
        Message.SMIME_ALTERNATIVE: _about_order(
            _LINK, is_urgent=True, optional={"because": Shape.LINE_OR_NOTHING}, expires_at=Shape.INSTANT
        ),
        Message.SMIME_FORM_RECEIVED: _about_order(answer_by=Shape.DAY_START),
        # `stage`: `begun` or `passed`; `applicant_name`: who is to use the certificate.
        Message.SMIME_ORGANISATION_CHECK: _about_order(stage=Shape.LINE, applicant_name=Shape.LINE),
        # `check`: a label of `smime.states.CheckKind`; `reason`: what is missing, as the officer wrote it.
        Message.SMIME_PAPERS_MISSING: _about_order(check=Shape.LINE, reason=Shape.PROSE, area_url=Shape.URL),
        # `kept_until`: of the certificate that stays valid where only its reissue was refused; else empty.
        Message.SMIME_REFUSED: _about_order(optional={"kept_until": Shape.INSTANT_OR_NOTHING}, reason=Shape.PROSE),
        # `area_url`: empty where the recipient is not the customer; he then gets a link of his own to download.
        Message.SMIME_ISSUED: _about_order(
            "p12_password",
            optional={"area_url": Shape.URL_OR_NOTHING, **_PERHAPS_ANEW},
            new_not_after=Shape.INSTANT,
            download_until=Shape.INSTANT,
            downloads=Shape.COUNT,
        ),
        Message.SMIME_ISSUED_OWN_KEY: _about_order(
            optional=_PERHAPS_ANEW, new_not_after=Shape.INSTANT, area_url=Shape.URL
        ),
        Message.SMIME_ISSUED_NOTICE: _about_order(optional=_PERHAPS_ANEW, new_not_after=Shape.INSTANT),
        Message.SMIME_EXPIRING: _about_order(new_not_after=Shape.INSTANT, days=Shape.COUNT, area_url=Shape.URL),
        Message.SMIME_REVOKED: _about_order(reason=Shape.PROSE, revoked_at=Shape.INSTANT),
        # To the customer; `account_url` sets the password of a new account, or is the area's own address.
        Message.SMIME_SLOTS_CREDITED: Contents(
            MappingProxyType({**_CENTRE, "slots": Shape.LINES, "count": Shape.COUNT}),
            secrets=frozenset({"account_url"}),
            is_urgent=True,
        ),
        # To another mailbox of the customer's, about none of his orders; `account`: the address that he logs in with.
        Message.SMIME_OWN_MAILBOX: Contents(
            MappingProxyType(
                {**_CENTRE, "mailbox": Shape.MAILBOX, "account": Shape.MAILBOX, "expires_at": Shape.INSTANT}
            ),
            secrets=frozenset({_LINK}),
            is_urgent=True,
        ),
        Message.SMIME_DOWNLOAD_CODE: _about_order("download_code", is_urgent=True, expires_at=Shape.INSTANT),
        Message.SMIME_DOWNLOAD_LINK: _about_order(_LINK, is_urgent=True, expires_at=Shape.INSTANT),
        # `left`: downloads that remain.
        Message.SMIME_DOWNLOADED: _about_order(is_urgent=True, downloaded_at=Shape.INSTANT, left=Shape.NUMBER),
    }
)
