"""Forms of Campagne: shape only, the use cases decide and store."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cms.models import Campaign, CardFamily, Service
from cms.services.campaigns import FIXED_ONCE_BEGUN, Draft
from cms.services.eligibility_lists import MOST_LINES
from cms.states import Flow


def _day(label: Any, said: Any = "", *, required: bool = True) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, help_text=said, required=required, widget=widget)


def _service(label: Any, said: Any) -> forms.ModelChoiceField[Service]:
    return forms.ModelChoiceField(Service.objects.none(), label=label, help_text=said, empty_label="–")


class CampaignForm(forms.Form):
    """A campaign's data; what its cases stand on is shown and not to be changed once it has begun."""

    name = forms.CharField(label=_("Nome"), max_length=120, help_text=_("Lo legge il titolare nel programma."))
    service = _service(_("Servizio da estendere"), _("Di quali carte: solo servizi con flusso di estensione."))
    issuing_service = _service(
        _("Servizio di emissione"),
        _("Da dove si scala la giacenza. Un servizio proprio dà alla campagna una giacenza propria."),
    )
    opens_on = _day(_("Aperta dal"))
    closes_on = _day(_("Aperta fino al"), _("Compreso. Senza, fino al giorno dell'estensione."), required=False)
    cutoff_on = _day(_("Scadenza della carta entro il"), _("Compreso. Conta la scadenza della carta."))
    target_on = _day(
        _("Estensione fino al"), _("I nuovi certificati valgono fino all'ultimo secondo di questo giorno.")
    )
    families = forms.ModelMultipleChoiceField(
        CardFamily.objects.none(),
        label=_("Famiglie di carte"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nessuna scelta: tutte le famiglie."),
    )
    is_listed = forms.BooleanField(label=_("Solo chi è in elenco"), required=False)

    def __init__(self, data: Any = None, *, campaign: Campaign | None = None, is_begun: bool = False) -> None:
        """Start from a campaign's values, if there is one, and lock what its cases stand on."""
        super().__init__(data, initial=_values(campaign) if campaign else None)
        extensions = Service.objects.filter(flow=Flow.EXTEND).order_by("name")
        offered = {"service": extensions, "issuing_service": extensions, "families": CardFamily.objects.all()}
        for name, rows in offered.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined] # each a choice of rows
        for name in FIXED_ONCE_BEGUN if is_begun else ():
            self.fields[name.removesuffix("_id")].disabled = True

    def draft(self) -> Draft:
        """What was typed, as the use cases take it."""
        typed = dict(self.cleaned_data)
        typed.pop("code", None)
        return Draft(
            service_id=typed.pop("service").pk,
            issuing_service_id=typed.pop("issuing_service").pk,
            families=frozenset(family.pk for family in typed.pop("families")),
            **typed,
        )


class NewCampaignForm(CampaignForm):
    """The same, with the code that never changes."""

    code = forms.SlugField(
        label=_("Codice"), max_length=64, help_text=_("Lettere, cifre e trattini; non cambierà più.")
    )
    field_order = ("code",)


class ListForm(forms.Form):
    """The file of who may take part."""

    file = forms.FileField(
        label=_("Elenco (testo o CSV)"),
        help_text=_("Un codice fiscale o un seriale di carta per riga, al massimo %(most)s righe.")
        % {"most": f"{MOST_LINES:,}".replace(",", ".")},
        error_messages={"required": _("Scelga il file dell'elenco.")},
    )


def _values(campaign: Campaign) -> dict[str, Any]:
    columns = ("name", "opens_on", "closes_on", "cutoff_on", "target_on", "is_listed")
    rows = {"service": campaign.service_id, "issuing_service": campaign.issuing_service_id}
    families = list(campaign.families.values_list("pk", flat=True))
    return {name: getattr(campaign, name) for name in columns} | rows | {"families": families}
