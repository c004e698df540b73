"""What the provider answers and sends, as its public documentation shows it; the tests hold this to fixtures of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DOCUMENT_NUMBER = "CA00000AA"
PICTURES = ("FRONT", "BACK", "FACE")
_GOOD = {"autoFace": "FACE_MATCH", "autoDocument": "DOC_VALIDATED"}
_BAD = {"autoFace": "FACE_MISMATCH", "autoDocument": "DOC_VALIDATED"}
_NONE = {"autoFace": None, "autoDocument": None}
_FINDINGS = {"APPROVED": _GOOD, "SUSPECTED": _GOOD, "REVIEWING": _GOOD, "DENIED": _BAD}
_ORIGINALS = ("Nationality", "BirthPlace", "Authority", "Address", "TemporaryAddress", "MothersMaidenName", "BirthName")


@dataclass
class Session:
    """A session at the provider. Times are seconds since 1970; `status` is the overall one."""

    scan_ref: str
    auth_token: str
    wish: Mapping[str, Any]
    created: int
    redirect_url: str
    document_number: str = DOCUMENT_NUMBER
    status: str = "ACTIVE"
    is_reviewed: bool = False
    mismatch_tags: list[str] = field(default_factory=list)
    started: int | None = None
    finished: int | None = None
    is_deleted: bool = False
    webhook_says: str = ""

    @property
    def link_seconds(self) -> int:
        """Life of the token; an hour where nothing was asked."""
        return int(self.wish.get("expiryTime") or 3600)

    @property
    def session_seconds(self) -> int:
        """Length of a session; ten minutes where nothing was asked."""
        return int(self.wish.get("sessionLength") or 600)

    def is_alive(self, now: int) -> bool:
        """Whether the person could still use it; its data cannot be deleted until then."""
        ends = self.created + self.link_seconds if self.started is None else self.started + self.session_seconds
        return self.status == "ACTIVE" and now < ends


def token_reply(session: Session) -> dict[str, Any]:
    """Answer of `/api/v2/token`: what was asked comes back, names in capitals."""
    return {
        "message": "Token created successfully",
        "authToken": session.auth_token,
        "scanRef": session.scan_ref,
        "clientId": session.wish["clientId"],
        "firstName": _capitals(session.wish.get("firstName")),
        "lastName": _capitals(session.wish.get("lastName")),
        "redirectUrl": session.redirect_url,
        "digitString": None,
        "expiryTime": session.link_seconds,
        "sessionLength": session.session_seconds,
    }


def status_reply(session: Session) -> dict[str, Any]:
    """Answer of `/api/v2/status`."""
    return {
        "fraudTags": [],
        "mismatchTags": list(session.mismatch_tags),
        **_findings(session.status, is_reviewed=session.is_reviewed),
        "scanRef": session.scan_ref,
        "clientId": session.wish["clientId"],
        "status": session.status,
    }


def data_reply(session: Session) -> dict[str, Any]:
    """Answer of `/api/v2/data`: what stands on a made-up document, and nothing else."""
    first, last = _capitals(session.wish.get("firstName")), _capitals(session.wish.get("lastName"))
    is_other = "NAME" in session.mismatch_tags
    read = {
        "docFirstName": "ALTRO" if is_other else first,
        "docLastName": last,
        "docNumber": session.document_number,
        "docPersonalCode": None,
        "docExpiry": "2031-05-10",
        "docDob": "1985-12-10",
        "docDateOfIssue": "2021-05-10",
        "docType": "ID_CARD",
        "docSex": None,
        "docNationality": "IT",
        "docIssuingCountry": "IT",
        "birthPlace": None,
        "authority": "COMUNE DI ESEMPIO",
        "address": None,
        "mothersMaidenName": None,
        "driverLicenseCategory": None,
        "manuallyDataChanged": False,
        "fullName": f"{first or ''} {last or ''}".strip() or None,
        "selectedCountry": "IT",
        "orgFirstName": _text(session.wish.get("firstName")),
        "orgLastName": _text(session.wish.get("lastName")),
    }
    return (
        read
        | {f"org{name}": None for name in _ORIGINALS}
        | {"clientId": session.wish["clientId"], "scanRef": session.scan_ref}
    )


def files_reply(session: Session, addresses: Mapping[str, str]) -> dict[str, Any]:
    """Answer of `/api/v2/files`: addresses that are good for an hour."""
    del session
    return dict(addresses)


def webhook(session: Session, overall: str, addresses: Mapping[str, str], *, is_final: bool) -> dict[str, Any]:
    """Build a message about a session, whatever really became of it."""
    is_over = overall == "EXPIRED"
    return {
        "final": is_final,
        "platform": None if is_over else "MOBILE",
        "status": {
            "overall": overall,
            "fraudTags": [],
            "mismatchTags": list(session.mismatch_tags),
            **_findings(overall, is_reviewed=is_final and session.is_reviewed),
            "additionalSteps": None,
        },
        "data": None if is_over else _of_webhook(session),
        "fileUrls": {} if is_over else dict(addresses),
        "scanRef": session.scan_ref,
        "externalRef": session.wish.get("externalRef"),
        "clientId": session.wish["clientId"],
        "startTime": session.started,
        "finishTime": session.finished,
        "clientIp": None if is_over else "192.0.2.10",
        "clientIpCountry": None if is_over else "IT",
        "clientLocation": None,
        "AML": None,
        "LID": None,
    }


def refusal(message: str, identifier: str) -> dict[str, Any]:
    """Build the body of an error."""
    return {
        "message": message,
        "identifier": identifier,
        "documentation": "https://documentation.idenfy.com",
        "severity": "NOT_SEVERE",
    }


def _of_webhook(session: Session) -> dict[str, Any]:
    read = data_reply(session)
    return {name: value for name, value in read.items() if name not in {"clientId", "scanRef"}}


def _findings(overall: str, *, is_reviewed: bool) -> dict[str, Any]:
    auto = _FINDINGS.get(overall, _NONE)
    by_people = auto if is_reviewed else _NONE
    return {
        "autoDocument": auto["autoDocument"],
        "autoFace": auto["autoFace"],
        "manualDocument": by_people["autoDocument"],
        "manualFace": by_people["autoFace"],
    }


def _capitals(name: Any) -> str | None:
    return str(name).upper() if name else None


def _text(name: Any) -> str | None:
    return str(name) if name else None
