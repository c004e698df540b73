"""What holders type: read tolerantly, refused in the words of who helps."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from cms.errors import TaxCodeInvalid
from cms.tax_code import parse_tax_code
from renewals.codes import parse_code

# As typed, with blanks and dashes; longer is never looked at.
LONGEST_TYPED = 40
_TYPING = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}


class TaxCodeField(forms.CharField):
    """A codice fiscale, whatever blanks and case were typed."""

    def __init__(self) -> None:
        """One look everywhere."""
        super().__init__(
            label=_("Codice fiscale"),
            help_text=_("16 caratteri, come sulla tessera sanitaria."),
            max_length=LONGEST_TYPED,
            error_messages={"required": _("Scriva il Suo codice fiscale.")},
            widget=forms.TextInput(attrs=_TYPING | {"class": "upper"}),
        )

    def clean(self, value: str) -> str:
        """Bring it to the form of the register; a typing error is told at once, for the last letter shows it."""
        typed = super().clean(value)
        try:
            return parse_tax_code(typed)
        except TaxCodeInvalid:
            raise forms.ValidationError(
                _("Il codice fiscale non è corretto: lo controlli carattere per carattere."), code="tax-code-invalid"
            ) from None


class CaseCodeField(forms.CharField):
    """The code of a case, whatever blanks, dashes and case were typed."""

    def __init__(self) -> None:
        """One look everywhere."""
        super().__init__(
            label=_("Codice della pratica"),
            help_text=_("È nelle e-mail sul rinnovo e comincia con R, per esempio R4T9-Q2KX-70K."),
            max_length=LONGEST_TYPED,
            error_messages={"required": _("Scriva il codice della pratica.")},
            widget=forms.TextInput(attrs=_TYPING | {"class": "upper short"}),
        )

    def clean(self, value: str) -> str:
        """Bring it to its stored form; a typing error is told at once, for the check character shows it."""
        code = parse_code(super().clean(value))
        if code is None:
            raise forms.ValidationError(
                _("Il codice della pratica non è corretto: lo ricopi dall'e-mail, 11 caratteri."), code="code-invalid"
            )
        return code


class FindCaseForm(forms.Form):
    """Which case, and whose."""

    code = CaseCodeField()
    tax_code = TaxCodeField()
