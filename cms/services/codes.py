"""The *codice utente*: made, checked in equal work for everybody, closed by ten wrong ones in a row, issued again.

Wrong tries are counted for each codice fiscale, known to the register or not, under a keyed digest and a row lock: of
fifty at once each one counts, and losing Redis gives no new tries (rules.md R25, ADR 27).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import lru_cache

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables

from cms import policy
from cms.actors import SYSTEM, Actor
from cms.actors import operator as operator_actor
from cms.errors import CodeRefused, MailboxMissing, NotFound
from cms.models import Centre, CodeAttempts, Holder, User
from cms.services import holder_letters, visits
from cms.services.holder_letters import record
from cms.states import VisitKind
from cms.tax_code import parse_tax_code
from notifications.catalog import Message
from runtime import nudge
from runtime.transactions import use_case

# 14 characters of 31 without look-alikes: 69 bits, where 64 are asked for (rules.md R20).
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_LENGTH = 14
# One number for all codes of all times: a code with other rounds would answer in another time (ADR 27).
_ROUNDS = 1000

MOST_FAILURES = 10
_HIGHEST_COUNT = 32_767
WRITE_TO_HOLDERS = "cms.tasks.write_to_holders"
# People whom the register does not know: their counters are kept no longer than an attack is likely to last.
_STRANGERS_KEPT = timedelta(days=30)
# A double click, or two operators at once: the second new code would only make the first one's mail a lie.
_REISSUE_PAUSE = timedelta(minutes=1)


@sensitive_variables("code")
def enter_with_code(tax_code: str, code: str, *, now: datetime) -> str:
    """Open a visit for who knows the code and return its token; raise `CodeRefused` in every other case, alike.

    Statements and stretching are the same for the right code, a wrong one, a person without a code and nobody at all.
    """
    token = _entered(parse_tax_code(tax_code), code, now=now)
    if token is None:
        raise CodeRefused
    return token


@sensitive_variables("code")
def renew_user_code(holder: Holder, *, at: datetime) -> str:
    """Give the holder a new *codice utente* and return it once, for the mail; the register keeps a salted hash.

    The former code is dead, visits that it opened end, and errors made with it are forgotten.
    """
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    hasher = PBKDF2PasswordHasher()
    holder.user_code_hash = hasher.encode(code, hasher.salt(), iterations=_ROUNDS)
    holder.user_code_set_at = at
    holder.save(update_fields=["user_code_hash", "user_code_set_at"])
    _forget_failures(holder.tax_code)
    visits.end_visits_of(holder.pk, at)
    return code


@use_case
def reissue_code(holder_id: int, *, centre_id: int, operator: User, now: datetime, case_code: str = "") -> bool:
    """Mail a new code to a holder of the operator's centre, whose identity the operator has checked.

    False if one was issued less than a minute ago: a second click sends nothing. Raises `MailboxMissing`.
    """
    holder = _registered(holder_id, centre_id, operator)
    centre = Centre.objects.get(pk=centre_id)
    return send_new_code(holder, actor=operator_actor(operator), now=now, centre=centre, case_code=case_code)


@use_case
def reopen_code(holder_id: int, *, centre_id: int, operator: User, now: datetime) -> bool:
    """Let a holder of the operator's centre use his code again; False if the path was not closed."""
    holder = _registered(holder_id, centre_id, operator)
    return reopen(holder, actor=operator_actor(operator), now=now, centre_id=centre_id)


def send_new_code(
    holder: Holder, *, actor: Actor, now: datetime, centre: Centre | None = None, case_code: str = ""
) -> bool:
    """Issue and mail a new code, in the caller's transaction, which has locked the holder. See `reissue_code`."""
    if not holder.email:
        raise MailboxMissing
    if holder.user_code_set_at is not None and now - holder.user_code_set_at < _REISSUE_PAUSE:
        return False
    code = renew_user_code(holder, at=now)
    holder_letters.post(
        holder,
        Message.USER_CODE,
        key=f"user-code:{holder.pk}:{now:%Y%m%dT%H%M%S%f}",
        at=now,
        centre=centre,
        case_code=case_code,
        secrets={"user_code": code},
    )
    centre_id = centre.pk if centre else None
    record("user-code.reissued", holder, actor=actor, at=now, centre_id=centre_id, case_code=case_code)
    return True


def reopen(holder: Holder, *, actor: Actor, now: datetime, centre_id: int | None = None) -> bool:
    """Forget the errors of a holder, in the caller's transaction; False if they had not closed the path."""
    was_closed = is_closed(holder)
    _forget_failures(holder.tax_code)
    if was_closed:
        record("user-code.reopened", holder, actor=actor, at=now, centre_id=centre_id)
    return was_closed


def is_closed(holder: Holder) -> bool:
    """Whether ten errors have closed the path of this person's code."""
    return CodeAttempts.objects.filter(subject=subject_of(holder.tax_code), closed_at__isnull=False).exists()


def tell_closed(*, now: datetime, limit: int = 100) -> int:
    """Write to the holders whose path was closed and who were not yet told; return how many.

    Apart from the page that closed it: what only known people get would show in that page's time.
    """
    waiting = CodeAttempts.objects.filter(closed_at__isnull=False, told_at__isnull=True, holder_id__isnull=False)
    subjects = list(waiting.order_by("closed_at").values_list("subject", flat=True)[:limit])
    return sum(_tell_closed(subject, now=now) for subject in subjects)


def forget_attempts(*, now: datetime) -> int:
    """Delete counters of people whom the register does not know, a month after their last try; return how many."""
    strangers = CodeAttempts.objects.filter(holder_id__isnull=True, last_at__lt=now - _STRANGERS_KEPT)
    return strangers.delete()[0]


def subject_of(text: str, *, kind: str = "tax-code") -> str:
    """Digest under the installation's key: a copy of the counters alone names nobody."""
    return salted_hmac(f"cms.visits.{kind}", text, algorithm="sha256").hexdigest()


def locked_attempts(subject: str, *, now: datetime) -> CodeAttempts:
    """Lock the counter of a subject, made if need be; whoever tries at the same time waits."""
    CodeAttempts.objects.bulk_create(
        [CodeAttempts(subject=subject, last_at=now)],
        update_conflicts=True,
        unique_fields=["subject"],
        update_fields=["last_at"],
    )
    return CodeAttempts.objects.select_for_update(no_key=True).get(subject=subject)


def count_try(attempts: CodeAttempts, *, is_right: bool, now: datetime) -> None:
    """Store one more try: a right one ends the row of wrong ones, the tenth wrong one closes the path."""
    attempts.failures = 0 if is_right else min(attempts.failures + 1, _HIGHEST_COUNT)
    if attempts.failures >= MOST_FAILURES and attempts.closed_at is None:
        attempts.closed_at, attempts.told_at = now, None
        nudge.after_commit(WRITE_TO_HOLDERS)
    attempts.save(update_fields=["failures", "closed_at", "told_at", "holder_id"])


@use_case
@sensitive_variables("code", "known")
def _entered(tax_code: str, code: str, *, now: datetime) -> str | None:
    attempts = locked_attempts(subject_of(tax_code), now=now)
    found = Holder.objects.filter(tax_code=tax_code).values_list("pk", "user_code_hash").first()
    holder_id, known = found or (None, "")
    fits = PBKDF2PasswordHasher().verify(_typed(code), known or _nobodys_hash())
    attempts.holder_id = holder_id
    is_right = fits and bool(known) and attempts.closed_at is None
    count_try(attempts, is_right=is_right, now=now)
    if holder_id is None or not is_right:
        return None
    return visits.open_visit(holder_id=holder_id, kind=VisitKind.USER_CODE, now=now)


def _typed(code: str) -> str:
    """The code as it was issued: capitals and digits, whatever a person typed or pasted between them."""
    return "".join(char for char in code.upper() if char.isalnum())


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """A hash that no code fits, made as all others are."""
    hasher = PBKDF2PasswordHasher()
    return hasher.encode(secrets.token_hex(), hasher.salt(), iterations=_ROUNDS)


def _forget_failures(tax_code: str) -> None:
    for kind in ("tax-code", "card"):
        CodeAttempts.objects.filter(subject=subject_of(tax_code, kind=kind)).update(
            failures=0, closed_at=None, told_at=None
        )


def _registered(holder_id: int, centre_id: int, operator: User) -> Holder:
    """Lock a holder whom the operator's centre knows."""
    policy.require_member(operator, centre_id, policy.DECIDING_ROLES)
    known = Holder.objects.select_for_update(of=("self",), no_key=True).filter(registrations__centre_id=centre_id)
    holder = known.filter(pk=holder_id).first()
    if holder is None:
        raise NotFound
    return holder


@use_case
def _tell_closed(subject: str, *, now: datetime) -> bool:
    row = CodeAttempts.objects.select_for_update(no_key=True, skip_locked=True).filter(
        subject=subject, closed_at__isnull=False, told_at__isnull=True
    )
    attempts = row.first()
    if attempts is None or attempts.holder_id is None:
        return False
    holder = Holder.objects.get(pk=attempts.holder_id)
    attempts.told_at = now
    attempts.save(update_fields=["told_at"])
    if subject != subject_of(holder.tax_code):  # closed by wrong card numbers: the code itself still works
        return False
    closed_at = attempts.closed_at or now
    key = f"code-closed:{holder.pk}:{closed_at:%Y%m%dT%H%M%S%f}"
    holder_letters.post(holder, Message.CODE_CLOSED, key=key, at=now, closed_at=closed_at.isoformat())
    record("user-code.closed", holder, actor=SYSTEM, at=closed_at)
    return True
