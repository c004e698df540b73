"""Forms of CDRL e accordi and Servizi: shape only, the use cases decide and store."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from cms.models import Agreement, Centre, Service
from cms.services.organisations import AGREEMENT_FIELDS, CENTRE_FIELDS, FIXED_BY_PAIRS
from cms.states import CertificateType


class _Shape(forms.ModelForm):  # type: ignore[type-arg] # Django's own is generic in its stubs only
    """A model's fields as a form that stores nothing: uniqueness and constraints are the use case's."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Offer a model's choices, whose labels are Italian, in the reader's language."""
        super().__init__(*arguments, **named)
        for field in self.fields.values():
            if isinstance(field, forms.TypedChoiceField):
                offered: Any = field.choices
                field.choices = [(value, _(str(word))) for value, word in offered]

    def _post_clean(self) -> None:
        """Leave the row as it is: what was typed goes to the use case as values."""

    def values(self) -> dict[str, Any]:
        """What was typed, under the names that the use case takes."""
        return {name: value for name, value in self.cleaned_data.items() if name not in {"code", "service"}}


class CentreForm(_Shape):
    """A centre's data."""

    purchase_url = forms.URLField(label=_("Pagina di acquisto"), required=False, assume_scheme="https")

    class Meta:
        model = Centre
        fields: ClassVar = [
            "name", "email", "phone", "purchase_url", "session_idle_minutes", "session_hours", "active",
        ]  # fmt: skip
        labels: ClassVar = {
            "name": _("Denominazione"),
            "email": _("E-mail"),
            "phone": _("Telefono"),
            "session_idle_minutes": _("Sessione: minuti di inattività"),
            "session_hours": _("Sessione: durata massima in ore"),
            "active": _("Attivo"),
        }
        help_texts: ClassVar = {
            "email": _("Risponde ai titolari: compare in ogni messaggio."),
            "session_idle_minutes": _("Da 5 a 240 minuti. Per chi lavora in più CDRL vale il limite più severo."),
            "session_hours": _("Da 1 a 24 ore."),
        }


class NewCentreForm(CentreForm):
    """The same, with the code that never changes."""

    code = forms.SlugField(
        label=_("Codice"), max_length=32, help_text=_("Lettere, cifre e trattini; non cambierà più.")
    )
    field_order = ("code",)


class AgreementForm(_Shape):
    """The terms of an agreement."""

    class Meta:
        model = Agreement
        fields: ClassVar = ["approval", "refusal_suspends_at_once", "four_eyes_revocation", "low_stock_threshold"]
        labels: ClassVar = {
            "approval": _("Autorizzazione"),
            "refusal_suspends_at_once": _("La mancata approvazione sospende subito"),
            "four_eyes_revocation": _("La revoca richiede due persone"),
            "low_stock_threshold": _("Soglia di giacenza"),
        }
        help_texts: ClassVar = {
            "refusal_suspends_at_once": _("Altrimenti i certificati restano attivi fino alla scadenza dei precedenti."),
            "low_stock_threshold": _("Sotto questo numero di unità il CDRL riceve un avviso."),
        }


class NewAgreementForm(AgreementForm):
    """The same, with the service that is agreed."""

    service = forms.ModelChoiceField(Service.objects.none(), label=_("Servizio"), empty_label="–")
    field_order = ("service",)

    def __init__(self, centre: Centre, *arguments: Any, **named: Any) -> None:
        """Offer what is not agreed with the centre yet."""
        super().__init__(*arguments, **named)
        field = self.fields["service"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above; tells the type checker
        field.queryset = Service.objects.exclude(agreements__centre=centre)


class ServiceForm(_Shape):
    """A service's data; what its pairs stand on is shown and not to be changed."""

    types = forms.MultipleChoiceField(
        label=_("Certificati"),
        help_text=_("Delle carte o S/MIME, come il flusso: un servizio non li mescola."),
        choices=[(value, _(word)) for value, word in CertificateType.choices],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Service
        fields: ClassVar = [
            "name", "flow", "types", "term_years", "window_months", "successor",
        ]  # fmt: skip
        labels: ClassVar = {
            "name": _("Nome"),
            "flow": _("Flusso"),
            "term_years": _("Durata in anni"),
            "window_months": _("Finestra di rinnovo in mesi"),
            "successor": _("Servizio successore"),
        }
        help_texts: ClassVar = {
            "successor": _("I rinnovi di questo servizio vengono emessi sotto il successore."),
            "term_years": _("Conta solo per il rinnovo: un'estensione arriva alla data della sua campagna."),
            "window_months": _("Conta solo per il rinnovo: un'estensione è possibile nei giorni della sua campagna."),
        }

    def __init__(self, *arguments: Any, is_in_use: bool = False, **named: Any) -> None:
        """Lock the fields that existing pairs fix."""
        super().__init__(*arguments, **named)
        for name in FIXED_BY_PAIRS if is_in_use else ():
            self.fields[name].disabled = True

    def values(self) -> dict[str, Any]:
        """What was typed; the successor by its id, fixed fields left out."""
        typed = {name: value for name, value in super().values().items() if not self.fields[name].disabled}
        successor = typed.pop("successor", None)
        return {**typed, "successor_id": successor.pk if successor else None}


class NewServiceForm(ServiceForm):
    """The same, with the code that never changes."""

    code = forms.SlugField(
        label=_("Codice"), max_length=64, help_text=_("Lettere, cifre e trattini; non cambierà più.")
    )
    field_order = ("code",)


assert set(CentreForm.Meta.fields) == CENTRE_FIELDS  # noqa: S101 - a field that only one side knows is a mistake
assert set(AgreementForm.Meta.fields) == AGREEMENT_FIELDS  # noqa: S101 - the same
