"""What holders type: read tolerantly, refused in the words of who helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cms.errors import TaxCodeInvalid
from cms.states import CertificateType, LinkPurpose, RevocationCause
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


class DeclineForm(forms.Form):
    """A typed word, so that nobody stops a renewal by a slip of the finger."""

    word = forms.CharField(max_length=LONGEST_TYPED, widget=forms.TextInput(attrs=_TYPING | {"class": "upper short"}))

    def __init__(self, data: Any = None) -> None:
        """Ask for the word in the reader's language."""
        super().__init__(data)
        # Translators: one word in capitals, which the holder types.
        self.expected = gettext("RINUNCIO")
        field = self.fields["word"]
        field.label = gettext("Scriva %(word)s per confermare") % {"word": self.expected}
        field.error_messages["required"] = gettext("Scriva la parola %(word)s.") % {"word": self.expected}

    def clean_word(self) -> str:
        """Accept the word in either case."""
        typed = str(self.cleaned_data["word"]).strip()
        if typed.upper() != self.expected.upper():
            raise forms.ValidationError(
                gettext("La parola non corrisponde: scriva %(word)s.") % {"word": self.expected}, code="word-wrong"
            )
        return typed


class UnsaidInput(forms.TextInput):
    """A field that never shows again what was typed into it: a page that comes back holds no code."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Draw it empty."""
        del value
        return super().get_context(name, None, attrs)


class EnterForm(forms.Form):
    """Who comes in."""

    tax_code = TaxCodeField()
    user_code = forms.CharField(
        label=_("Codice utente"),
        help_text=_("14 caratteri: è nell'e-mail che Le ha confermato il rinnovo. Maiuscole e spazi non contano."),
        max_length=LONGEST_TYPED,
        error_messages={"required": _("Scriva il Suo codice utente.")},
        widget=UnsaidInput(attrs=_TYPING | {"class": "upper"}),
    )


class AskLinkForm(forms.Form):
    """Who needs a link to his mailbox, and what for."""

    tax_code = TaxCodeField()
    purpose = forms.ChoiceField(
        label=_("Di che cosa ha bisogno?"),
        choices=[
            (LinkPurpose.REOPEN, _("Sospendere subito i certificati, o riaprire l'accesso dopo troppi errori")),
            (LinkPurpose.REISSUE, _("Un nuovo codice utente, perché ho smarrito il mio")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Scelga di che cosa ha bisogno.")},
    )


class CardNumberForm(forms.Form):
    """Which card the holder has in his hands."""

    card_number = forms.CharField(
        label=_("Numero della carta"),
        help_text=_("È stampato sulla carta. Spazi e trattini non contano."),
        max_length=LONGEST_TYPED,
        error_messages={"required": _("Scriva il numero stampato sulla carta.")},
        widget=UnsaidInput(attrs=_TYPING | {"class": "upper"}),
    )


class ChooseForm(forms.Form):
    """Which halves of a pair: all that can be chosen are, at first."""

    certificates = forms.MultipleChoiceField(
        label=_("Quali certificati?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Scelga almeno un certificato.")},
    )

    def __init__(self, data: Any = None, *, offered: Sequence[CertificateType]) -> None:
        """Offer these halves."""
        super().__init__(data, initial={"certificates": [type_.value for type_ in offered]})
        self.fields["certificates"].choices = [(type_.value, gettext(type_.label)) for type_ in offered]  # type: ignore[attr-defined] # a choice field


class RevokeForm(ChooseForm):
    """A revocation: why, and a word that nobody types by mistake."""

    WORD = "REVOCA"

    cause = forms.ChoiceField(
        label=_("Motivo della revoca"),
        choices=[
            (RevocationCause.KEY_COMPROMISED, _("Ho perso la carta, mi è stata rubata, o altri conoscono il PIN")),
            (RevocationCause.HOLDER_REQUEST, _("Non mi servono più, o sono cambiati i miei dati")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Scelga il motivo.")},
    )
    word = forms.CharField(
        label=_("Parola di conferma"),
        help_text=_("Scriva REVOCA. Dopo non si torna indietro."),
        max_length=LONGEST_TYPED,
        error_messages={"required": _("Scriva la parola REVOCA: senza, non viene revocato nulla.")},
        widget=forms.TextInput(attrs=_TYPING | {"class": "upper short"}),
    )

    def clean_word(self) -> str:
        """The word, in capitals or not."""
        word: str = self.cleaned_data["word"]
        if word.strip().upper() != self.WORD:
            raise forms.ValidationError(_("Scriva la parola REVOCA: senza, non viene revocato nulla."))
        return word
