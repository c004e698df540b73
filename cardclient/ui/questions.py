"""What the flow asks the holder, as values that travel from the worker to the window, each with its "no answer"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from cardclient.contract import Case, Contacts, Text
from cardclient.ports import SecretKind


@dataclass(frozen=True, slots=True)
class Question:
    """Anything the flow waits for; `unanswered` is what it gets when the window closes or the holder stops."""

    unanswered: ClassVar[object] = None


@dataclass(frozen=True, slots=True)
class AskSecret(Question):
    """A code; answered by a Secret. `problem` is the code of what was wrong with the one before."""

    kind: SecretKind
    problem: str | None


@dataclass(frozen=True, slots=True)
class ConfirmLastTry(Question):
    """Whether the last try may be used."""

    kind: SecretKind
    unanswered: ClassVar[object] = False


@dataclass(frozen=True, slots=True)
class WantsUnblock(Question):
    """Whether to open the locked PIN with the PUK."""

    unanswered: ClassVar[object] = False


@dataclass(frozen=True, slots=True)
class WarnEncryption(Question):
    """The encryption warning, acknowledged with a tick of its own."""

    text: Text
    unanswered: ClassVar[object] = False


@dataclass(frozen=True, slots=True)
class AcceptTexts(Question):
    """Texts to open, read and accept."""

    texts: Sequence[Text]
    unanswered: ClassVar[object] = False


@dataclass(frozen=True, slots=True)
class ShowDiagnosis(Question):
    """Whether to go on with a card found fit."""

    case: Case
    unanswered: ClassVar[object] = False


@dataclass(frozen=True, slots=True)
class AskContacts(Question):
    """The holder's data; answered by Contacts or DataWrong. `problem` says why the last contacts were refused."""

    case: Case
    current: Contacts
    problem: str | None


@dataclass(frozen=True, slots=True)
class AskConfirmationCode(Question):
    """The code mailed to the new mailbox; answered by text, or by ChangeContacts."""

    email: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class SignForm(Question):
    """The form, the very bytes that are signed."""

    pdf: bytes
    case: Case
    unanswered: ClassVar[object] = False
