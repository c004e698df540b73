"""Asking responders (OCSP) about the certificates of one signature: by the job that judges it, at the moment it does.

Only those are asked whose addresses stand in certificates that a listed CA has signed. What they answer is verified by
the validation; the answers lie in the report of the signature as its evidence, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import structlog

from pki.status_answers import LARGEST, MEDIA_TYPE, Question
from smime.services.fetching import DocumentAway, Web

log = structlog.get_logger(__name__)

SECONDS = 15
"""For one answer: all that a file may ask for are had before the claim on its report ends."""
RESPONDERS = Web(seconds=SECONDS)


class Ask(Protocol):
    """A way to a responder: takes address, body, media type and the most bytes of an answer."""

    def __call__(self, address: str, body: bytes, media_type: str, most: int, /) -> bytes:
        """Return the answer, or raise `DocumentAway`."""
        ...


def asked(questions: Iterable[Question], ask: Ask) -> tuple[bytes, ...]:
    """Ask all; those that give no answer are logged, and asked again when the signature is looked at again."""
    return tuple(_answers(questions, ask))


def _answers(questions: Iterable[Question], ask: Ask) -> Iterator[bytes]:
    for question in questions:
        try:
            yield ask(question.responder, question.body, MEDIA_TYPE, LARGEST)
        except DocumentAway as away:
            log.warning("trust.responder-away", address=question.responder, code=str(away))
