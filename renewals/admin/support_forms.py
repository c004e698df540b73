"""What operators type about a request for help. Shape only: the use cases judge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.models import User
from renewals.services.support_desk import LONGEST_ANSWER


class AnswerForm(forms.Form):
    """The answer; `uid` makes two clicks one mail, `to` is the mailbox that was shown."""

    uid = forms.UUIDField(widget=forms.HiddenInput)
    to = forms.CharField(widget=forms.HiddenInput, required=False, max_length=254)
    text = forms.CharField(
        label=gettext_lazy("Risposta"),
        help_text=gettext_lazy("Al massimo 4.000 caratteri. Non chieda mai PIN, PUK o codice utente."),
        widget=forms.Textarea(attrs={"rows": 10, "maxlength": LONGEST_ANSWER}),
        error_messages={"required": gettext_lazy("Scriva la risposta: senza testo non viene inviata.")},
    )

    def clean_text(self) -> str:
        """Count what was typed as people do: a line's end is one character."""
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n")
        if len(text) > LONGEST_ANSWER:
            raise forms.ValidationError(_("La risposta supera 4.000 caratteri."))
        return text


class AssignForm(forms.Form):
    """To whom it is given."""

    person = forms.TypedChoiceField(label=gettext_lazy("A chi"), coerce=int)

    def __init__(self, people: Iterable[User], data: Any = None) -> None:
        """Offer those who may look after the request."""
        super().__init__(data)
        field = self.fields["person"]
        if isinstance(field, forms.TypedChoiceField):
            field.choices = [(person.pk, str(person)) for person in people]

    @property
    def chosen(self) -> int:
        """The account."""
        return int(self.cleaned_data["person"])
