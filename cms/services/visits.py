"""A holder's short visit to his own pages: opened by a door that has recognised him, found again by its token.

The browser keeps the token, the register its digest: who reads the database can enter nowhere.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Coalesce

from cms.models import HolderVisit
from cms.states import VisitKind

TOKEN_BYTES = 32
# Ended visits say nothing that the events do not say; a day lets a late tab be told that its visit is over.
KEPT_FOR = timedelta(days=1)


def open_visit(*, holder_id: int, kind: VisitKind, now: datetime, case_code: str = "", purpose: str = "") -> str:
    """Open a visit for `holder_visit_minutes` and return its token, once, for the browser's cookie.

    `case_code` is named by visits of kind CASE, the link's `purpose` by those of kind LINK, and by no other.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    HolderVisit.objects.create(
        token_sha256=digest_of(token),
        kind=kind,
        holder_id=holder_id,
        case_code=case_code,
        purpose=purpose,
        opened_at=now,
        expires_at=now + timedelta(minutes=settings.CMS.holder_visit_minutes),
    )
    return token


def visit_of(token: str, now: datetime) -> HolderVisit | None:
    """Return the visit of that token with its holder, or None: never opened, ended, or over at `now`."""
    found = HolderVisit.objects.select_related("holder").filter(token_sha256=digest_of(token))
    return found.filter(ended_at__isnull=True, expires_at__gt=now).first()


def end_visit(token: str, now: datetime) -> None:
    """The holder leaves. Ended twice, or after its time, is once."""
    HolderVisit.objects.filter(token_sha256=digest_of(token)).update(ended_at=Coalesce("ended_at", now))


def end_visits_of(holder_id: int, now: datetime) -> int:
    """End every visit of a holder whose *codice utente* has changed; return how many were open."""
    open_ones = HolderVisit.objects.filter(holder_id=holder_id, ended_at__isnull=True, expires_at__gt=now)
    return open_ones.exclude(kind=VisitKind.CASE).update(ended_at=now)


def forget_visits(*, now: datetime) -> int:
    """Delete visits that were over a day ago; return how many."""
    deleted, _each = HolderVisit.objects.filter(expires_at__lt=now - KEPT_FOR).delete()
    return deleted


def digest_of(token: str) -> str:
    """SHA-256 of a token, as the register keeps it: 256 random bits need no salt and no stretching."""
    return hashlib.sha256(token.encode()).hexdigest()
