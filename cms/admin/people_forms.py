"""Forms of the page Operatori: shape only, the use cases decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cms.admin.office import Office
from cms.services.invitations import Invitee
from cms.states import Role

PROVIDER = "fornitore"


class InvitationForm(forms.Form):
    """Whom to invite, where, as what."""

    full_name = forms.CharField(label=_("Nome e cognome"), max_length=120)
    email = forms.EmailField(label=_("E-mail"), max_length=254, help_text=_("Qui arriva il collegamento dell'invito."))
    tax_code = forms.CharField(
        label=_("Codice fiscale"),
        max_length=20,
        help_text=_("Serve perché nessuno autorizzi il rinnovo della propria carta."),
    )
    place = forms.ChoiceField(label=_("CDRL"))
    role = forms.ChoiceField(
        label=_("Ruolo"),
        choices=[("", "–"), *((value, _(word)) for value, word in Role.choices)],
        required=False,
        help_text=_(
            "L'operatore lavora le pratiche; il responsabile inoltre invita e acquista; il revisore consulta soltanto."
        ),
    )

    def __init__(self, office: Office, *arguments: Any, **named: Any) -> None:
        """Offer the centres whose people he looks after; to an administrator also the provider's administration."""
        super().__init__(*arguments, **named)
        centres = [centre for centre in office.centres.filter(active=True) if office.staffs(centre.pk)]
        places: list[tuple[Any, Any]] = [(centre.pk, centre.name) for centre in centres]
        if office.is_administrator:
            places.append((PROVIDER, _("Nessuno: amministratore del fornitore")))
        field = self.fields["place"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above; tells the type checker
        field.choices = places

    def clean(self) -> dict[str, Any]:
        """A centre wants a role; the provider's administration is one."""
        typed = super().clean() or {}
        if typed.get("place") and typed["place"] != PROVIDER and not typed.get("role"):
            self.add_error("role", _("Scelga il ruolo della persona nel CDRL."))
        return typed

    def invitee(self) -> Invitee:
        """What was typed, as the use case takes it."""
        typed = self.cleaned_data
        is_provider = typed["place"] == PROVIDER
        return Invitee(
            email=typed["email"],
            full_name=typed["full_name"],
            tax_code=typed["tax_code"],
            centre_id=None if is_provider else int(typed["place"]),
            role="" if is_provider else typed["role"],
        )


class RoleForm(forms.Form):
    """Another role."""

    role = forms.ChoiceField(
        label=_("Ruolo"), choices=[(value, _(word)) for value, word in Role.choices], widget=forms.RadioSelect
    )
