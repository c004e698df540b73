"""What a password must be, said in our own words where Django's translation leaves the reader alone."""

from __future__ import annotations

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import gettext as _


class LongEnough(MinimumLengthValidator):
    """The least length. Django 5.2 says it in English to everybody: its Italian catalogue lacks the new sentence."""

    def get_error_message(self) -> str:
        """Say how many characters are wanted."""
        return _("La password è troppo corta: servono almeno %(number)d caratteri.") % {"number": self.min_length}
