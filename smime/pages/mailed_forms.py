"""What a recipient sends with his answer; whether it suffices is the use case's rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cms.errors import DomainError
from smime import consent_text, terms
from smime.errors import TermsNotAccepted, TermsOutdated
from smime.errors.identification import ConsentMistyped
from smime.models import Order
from smime.pages.forms import said
from smime.services.acceptance import Accepted
from smime.states import ConsentDecision

_DECISIONS = {"do-il-consenso": ConsentDecision.GIVEN, "non-do-il-consenso": ConsentDecision.REFUSED}

_BESIDE: Mapping[type[DomainError], str] = {ConsentMistyped: "full_name", TermsNotAccepted: "accept_terms"}


class TermsForm(forms.Form):
    """The terms as shown, and whether their box was ticked; `asks` tells whether they are asked of him at all."""

    accept_terms = forms.BooleanField(label=_("Accetto i termini e le condizioni"), required=False)
    terms_version = forms.CharField(widget=forms.HiddenInput, max_length=16, required=False)
    terms_sha256 = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def __init__(self, data: Any = None, *, asks: bool, initial: Mapping[str, str] | None = None) -> None:
        """Remember which version is shown now, for the page that is drawn."""
        text = terms.in_force()
        shown = {"terms_version": text.version, "terms_sha256": text.sha256}
        super().__init__(data, initial=shown | dict(initial or {}))
        if not asks:
            del self.fields["accept_terms"]

    @property
    def terms_accepted(self) -> Accepted | None:
        """The terms as shown, if their box was ticked."""
        if not self.cleaned_data.get("accept_terms"):
            return None
        return Accepted(self.cleaned_data["terms_version"], self.cleaned_data["terms_sha256"])

    def refuse(self, refusal: DomainError) -> None:
        """Put a refusal beside what it is about; of texts that changed meanwhile the new ones are shown, unticked."""
        if isinstance(refusal, TermsOutdated):
            kept = {name: value for name, value in self.data.items() if name != "accept_terms"}
            self.data = kept | dict(self.initial)
        field = next((name for kind, name in _BESIDE.items() if isinstance(refusal, kind)), None)
        self.add_error(field, said(refusal))


class ConsentForm(TermsForm):
    """The typed name, the terms where the recipient has not bought, and which texts were shown.

    The decision is the value of the button that was pressed: a form that was sent otherwise has none.
    """

    full_name = forms.CharField(
        label=_("Scriva il Suo nome e cognome per dare il consenso"),
        max_length=140,
        error_messages={"required": _(ConsentMistyped.detail)},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    azione = forms.ChoiceField(
        choices=[(value, value) for value in _DECISIONS],
        widget=forms.HiddenInput,
        error_messages={"required": _("Prema uno dei due pulsanti della pagina.")},
    )
    version = forms.CharField(widget=forms.HiddenInput, max_length=16)
    sha256 = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, order: Order, language: str, data: Any = None) -> None:
        """Remember which texts are shown now, for the page that is drawn."""
        text = consent_text.in_force(language)
        shown = {"version": text.version, "sha256": text.sha256}
        super().__init__(data, asks=not order.recipient_is_buyer, initial=shown)
        if _DECISIONS.get(self.data.get("azione", "")) == ConsentDecision.REFUSED:
            self.fields["full_name"].required = False

    @property
    def decision(self) -> ConsentDecision:
        """The button that was pressed."""
        return _DECISIONS[self.cleaned_data["azione"]]

    @property
    def shown(self) -> Accepted:
        """The text of the consent as the page showed it."""
        return Accepted(self.cleaned_data["version"], self.cleaned_data["sha256"])
