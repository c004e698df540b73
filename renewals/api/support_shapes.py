"""What the part of the API beside a renewal takes and answers: capabilities, and requests for help."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StringConstraints

from renewals.api.bodies import Strict
from renewals.api.fields import CardSerial, EmailText, Line40, Line80, Line120, Word

LONGEST_MESSAGE, LONGEST_LOG = 2_000, 200_000

Line16 = Annotated[str, StringConstraints(max_length=16, pattern=r"^[^\x00-\x1F\x7F]*$")]
RequestId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"),
    Field(description="Made by the client. Sent again with the same contents, it is the same request."),
]


class ClientOut(Schema):
    """Versions of the card client."""

    minimum: str = Field(description="Older ones are refused at the login.")
    current: str = Field(description="The newest one that can be had.")
    download: str = Field(description="The page where it is.")


class CapabilitiesOut(Schema):
    """What this server offers, and what its clients should know before they start."""

    now: datetime = Field(description="The server's clock, to be compared with one's own.")
    client: ClientOut
    hosts: list[str] = Field(description="Hosts that a firewall must let through.")
    support: bool = Field(description="Whether requests for help are taken here.")


class SupportCardIn(Strict):
    """The card and what it is read with, as far as the client knows."""

    serial: CardSerial | None = None
    family: Line16 = Field(default="", description="Family code.")
    reader: Line120 = ""
    driver: Line120 = Field(default="", description="Module and version.")


class SupportRequestIn(Strict):
    """A request for help. Codes of the card, tokens and tax codes do not belong into it; what looks so is hidden."""

    request_id: RequestId
    code: Word = Field(description="Code of the failure, as it was shown.")
    step: Word | None = Field(None, description="The step at which it happened.")
    message: str = Field("", max_length=LONGEST_MESSAGE, description="The holder's own words.")
    email: EmailText | None = Field(None, description="Where to answer, if the register has no mailbox.")
    language: Literal["it", "en"] = "it"
    client: Line40 = Field("", description="Name and version of the client.")
    system: Line80 = Field("", description="Operating system and its version.")
    card: SupportCardIn = Field(default_factory=SupportCardIn)
    log: str | None = Field(None, max_length=LONGEST_LOG, description="The client's log, if the holder wants it sent.")


class SupportRequestOut(Schema):
    """How to find the request again."""

    number: str = Field(description="To be told on the phone; the last character is a check.")
    answer_to: str | None = Field(description="The mailbox that is answered to, masked; null if there is none.")
