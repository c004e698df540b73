"""The office's answers as typed values, read strictly from JSON; keys that later versions add are ignored.

Anything of the wrong shape raises `Distrusted("answer-malformed")`: the client never goes on with half an answer. A
word that stands for something this version does not know (a step, a kind of text) raises `ClientOutdated`.
"""

from __future__ import annotations

import base64
import binascii
import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from cardclient.contract import (
    Address,
    Capabilities,
    Case,
    CaseSlot,
    Centre,
    CertificateVerdict,
    Challenge,
    Contacts,
    Offer,
    PreparedForm,
    Result,
    ScanAnswer,
    Slot,
    Step,
    SupportReceipt,
    Text,
    TextKind,
    Verdict,
)
from cardclient.errors import ClientOutdated, Distrusted

MEMBER = TypeVar("MEMBER", bound=enum.StrEnum)


def malformed() -> Distrusted:
    """Build the one refusal of this module."""
    return Distrusted("answer-malformed")


class Fields:
    """A JSON object whose members are read with their type; a missing or mistyped member raises Distrusted."""

    def __init__(self, value: Any) -> None:
        """Wrap a decoded JSON value that must be an object."""
        if not isinstance(value, dict):
            raise malformed()
        self._value: dict[str, Any] = value

    def text(self, name: str) -> str:
        """Read a string."""
        value = self._value.get(name)
        if not isinstance(value, str):
            raise malformed()
        return value

    def text_or_none(self, name: str) -> str | None:
        """Read a string or null (or absent)."""
        return None if self._value.get(name) is None else self.text(name)

    def flag(self, name: str) -> bool:
        """Read true or false."""
        value = self._value.get(name)
        if not isinstance(value, bool):
            raise malformed()
        return value

    def flag_or_none(self, name: str) -> bool | None:
        """Read true, false or null (or absent)."""
        return None if self._value.get(name) is None else self.flag(name)

    def number(self, name: str) -> int:
        """Read an integer."""
        value = self._value.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise malformed()
        return value

    def one_of(self, name: str, kind: type[MEMBER]) -> MEMBER:
        """Read a member of a closed list; one this version does not know means that the office is newer."""
        text = self.text(name)
        try:
            return kind(text)
        except ValueError:
            raise ClientOutdated from None

    def binary(self, name: str) -> bytes:
        """Read standard base64."""
        try:
            return base64.b64decode(self.text(name), validate=True)
        except (binascii.Error, ValueError):
            raise malformed() from None

    def instant(self, name: str) -> datetime:
        """Read an ISO 8601 instant with an offset."""
        try:
            value = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise malformed() from None
        if value.tzinfo is None:
            raise malformed()
        return value

    def raw(self, name: str) -> Any:
        """Hand a member on unread."""
        return self._value.get(name)

    def within(self, name: str) -> Fields:
        """Read an object."""
        return Fields(self._value.get(name))

    def within_or_none(self, name: str) -> Fields | None:
        """Read an object or null (or absent)."""
        return None if self._value.get(name) is None else self.within(name)

    def each(self, name: str, *, at_most: int = 16) -> Sequence[Fields]:
        """Read a list of objects of bounded length."""
        value = self._value.get(name)
        if not isinstance(value, list) or len(value) > at_most:
            raise malformed()
        return [Fields(member) for member in value]

    def texts(self, name: str) -> tuple[str, ...]:
        """Read a list of strings."""
        value = self._value.get(name)
        if not isinstance(value, list) or not all(isinstance(member, str) for member in value):
            raise malformed()
        return tuple(value)


def read_scan(value: Any) -> ScanAnswer:
    """Read the answer of POST /scan."""
    fields = Fields(value)
    family = fields.within_or_none("family")
    return ScanAnswer(
        verdict=fields.one_of("verdict", Verdict),
        code=fields.text_or_none("code"),
        message=fields.text_or_none("message"),
        advice=fields.text_or_none("advice"),
        family=family.text("name") if family else None,
        reinsert_after=family.flag("reinsert_after") if family else False,
        secrets=fields.texts("secrets"),
        certificates=tuple(_read_verdict(each) for each in fields.each("certificates")),
        offers=tuple(_read_offer(each) for each in fields.each("offers")),
        purchase_url=fields.text_or_none("purchase_url"),
        family_code=family.text_or_none("code") if family else None,
        family_replaces=family.flag_or_none("replaces") if family else None,
        refusal=family.text_or_none("refusal") if family else None,
    )


def _read_verdict(fields: Fields) -> CertificateVerdict:
    return CertificateVerdict(
        fingerprint=fields.text("fingerprint"),
        slot=None if fields.text_or_none("type") is None else fields.one_of("type", Slot),
        verdict=fields.one_of("verdict", Verdict),
        code=fields.text_or_none("code"),
        message=fields.text_or_none("message"),
        not_after=fields.text_or_none("not_after"),
    )


def _read_offer(fields: Fields) -> Offer:
    return Offer(
        login_with=fields.text("login_with"),
        sign_with=fields.text_or_none("sign_with"),
        flow=fields.text("flow"),
        service=fields.text("service"),
        old_not_after=fields.text("old_not_after"),
        replaces=fields.flag_or_none("replaces"),
        new_not_after=fields.text_or_none("new_not_after"),
        campaign=fields.text_or_none("campaign"),
    )


def read_challenge(value: Any) -> Challenge:
    """Read the answer of POST /challenges and POST /case/installation-challenge."""
    fields = Fields(value)
    return Challenge(id=fields.text("id"), text=fields.text("text"), expires_at=fields.instant("expires_at"))


def read_texts(value: Any) -> tuple[Text, ...]:
    """Read the answer of GET /case/texts."""
    return tuple(
        Text(
            kind=each.one_of("kind", TextKind),
            version=each.text("version"),
            sha256=each.text("sha256"),
            title=each.text("title"),
            text=each.text("text"),
        )
        for each in Fields(value).each("texts")
    )


def read_form(value: Any) -> PreparedForm:
    """Read the answer of POST /case/form."""
    fields = Fields(value)
    return PreparedForm(fields.text("document_sha256"), fields.binary("signed_attributes"), fields.text("certificate"))


def read_certificates(value: Any) -> Mapping[Slot, tuple[bytes, ...]]:
    """Read the answer of GET /case/certificates: per slot the certificate first, then its chain."""
    found: dict[Slot, tuple[bytes, ...]] = {}
    for each in Fields(value).each("certificates"):
        try:
            chain = tuple(base64.b64decode(link, validate=True) for link in each.texts("chain"))
        except (binascii.Error, ValueError):
            raise malformed() from None
        found[each.one_of("type", Slot)] = (each.binary("certificate"), *chain)
    return found


def read_case(value: Any) -> Case:
    """Read a CaseView."""
    fields = Fields(value)
    holder, centre, result = fields.within("holder"), fields.within("centre"), fields.within_or_none("result")
    pending = fields.within_or_none("pending_contacts")
    return Case(
        code=fields.text("code"),
        state=fields.text("state"),
        state_label=fields.text("state_label"),
        authorisation=fields.text("authorisation"),
        flow=fields.text("flow"),
        next_step=fields.one_of("next_step", Step),
        old_not_after=fields.text("old_not_after"),
        nonce=fields.text("nonce"),
        host=fields.text("host"),
        card_serial=fields.text("card_serial"),
        given_name=holder.text("given_name"),
        surname=holder.text("surname"),
        tax_code=holder.text("tax_code"),
        contacts=_read_contacts(holder),
        centre=_read_centre(centre),
        slots=tuple(_read_slot(each) for each in fields.each("slots", at_most=len(Slot))),
        result=_read_result(result) if result else None,
        pending_contacts=_read_contacts(pending) if pending else None,
    )


def _read_contacts(holder: Fields) -> Contacts:
    """Read contacts; an office may know none of them yet."""
    address = holder.within_or_none("address") or Fields({})
    parts = [address.text_or_none(name) or "" for name in ("street", "postcode", "town", "province")]
    return Contacts(holder.text_or_none("email") or "", holder.text_or_none("mobile") or "", Address(*parts))


def _read_centre(fields: Fields) -> Centre:
    """Read the centre; a centre may have published no phone or shop."""
    parts = [fields.text_or_none(name) or "" for name in ("name", "email", "phone", "purchase_url")]
    return Centre(*parts)


def _read_slot(fields: Fields) -> CaseSlot:
    key = fields.within("key")
    return CaseSlot(
        slot=fields.one_of("type", Slot),
        old_certificate=fields.text("old_certificate"),
        key_kind=key.text("kind"),
        key_bits=key.number("bits"),
        requested=fields.flag("requested"),
        issued=fields.flag("issued"),
        installed=fields.flag("installed"),
    )


def _read_result(fields: Fields) -> Result:
    return Result(
        concluded=fields.flag("concluded"),
        message=fields.text("message"),
        authorise_by=fields.text_or_none("authorise_by"),
        new_not_after=fields.text_or_none("new_not_after"),
    )


def read_capabilities(value: Any) -> Capabilities:
    """Read the answer of GET /capabilities."""
    fields = Fields(value)
    client = fields.within("client")
    return Capabilities(
        now=fields.instant("now"),
        minimum=client.text("minimum"),
        current=client.text("current"),
        download=client.text_or_none("download"),
        hosts=fields.texts("hosts"),
        support=fields.flag("support"),
    )


def read_receipt(value: Any) -> SupportReceipt:
    """Read the answer of POST /support-requests."""
    fields = Fields(value)
    return SupportReceipt(fields.text("number"), fields.text_or_none("answer_to"))
