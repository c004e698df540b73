"""Rows of renewals, by noun."""

from renewals.models.cases import AUTHORISATION_MOVES, STATE_MOVES, RenewalCase
from renewals.models.digests import DigestDay
from renewals.models.enrolment import Acceptance, Challenge, EnrolmentSession, MailboxConfirmation, RenewalForm
from renewals.models.stops import RevocationStop
from renewals.models.support import SupportAnswer, SupportLog, SupportRequest

__all__ = [
    "AUTHORISATION_MOVES",
    "STATE_MOVES",
    "Acceptance",
    "Challenge",
    "DigestDay",
    "EnrolmentSession",
    "MailboxConfirmation",
    "RenewalCase",
    "RenewalForm",
    "RevocationStop",
    "SupportAnswer",
    "SupportLog",
    "SupportRequest",
]
