"""Why something is not approved, or cancelled: a reason from a list, a person's words, or both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy, gettext_noop

LONGEST = 300
OF_REFUSAL = (
    gettext_noop("Il titolare non risulta più iscritto o autorizzato"),
    gettext_noop("I dati del titolare non sono corretti o aggiornati"),
    gettext_noop("L'identità del titolare deve essere verificata di persona"),
    gettext_noop("La carta è stata sostituita o non è più in uso"),
)
OF_CANCELLATION = (
    gettext_noop("I dati della pratica non sono corretti"),
    gettext_noop("Il titolare ha scelto di non proseguire"),
    gettext_noop("La carta è stata sostituita, smarrita o rubata"),
    gettext_noop("La pratica è stata aperta per errore"),
)
_MISSING = gettext_lazy("Scelga un motivo dall'elenco o lo scriva: senza motivo l'operazione non è possibile.")
_TOO_LONG = gettext_lazy("Motivo e precisazione insieme superano i 300 caratteri: abbrevi la precisazione.")


class ReasonForm(forms.Form):
    """What is chosen and what is written make one reason of at most 300 characters, in Italian as it is stored."""

    chosen = forms.ChoiceField(label=gettext_lazy("Motivo"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Precisazione"),
        required=False,
        max_length=LONGEST,
        help_text=gettext_lazy("Il titolare legge il motivo nell'e-mail; resta agli atti. Al massimo 300 caratteri."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, reasons: Sequence[str], data: Any = None) -> None:
        """Offer these reasons, and a person's own."""
        super().__init__(data)
        own = ("", gettext_lazy("Altro motivo (lo scriva qui sotto)"))
        field = self.fields["chosen"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [own, *((text, gettext_lazy(text)) for text in reasons)]

    def clean(self) -> dict[str, Any]:
        """Join both; nothing at all is an error of the text, which is where a person can help himself."""
        cleaned: dict[str, Any] = super().clean() or {}
        parts = [cleaned.get("chosen", "").strip(), cleaned.get("reason", "").strip()]
        cleaned["whole"] = ": ".join(part for part in parts if part)
        if not self.errors and not cleaned["whole"]:
            self.add_error("reason", _MISSING)
        elif len(cleaned["whole"]) > LONGEST:
            self.add_error("reason", _TOO_LONG)
        return cleaned
