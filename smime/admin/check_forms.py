"""What officers type about a check. Shape only: the use cases judge."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy

from cms.policy import ROME
from smime import policy_desk
from smime.admin.words import LETTER_WORDS
from smime.models import Check, Order
from smime.policy_desk import Call, Document, Found, Registered
from smime.states import CallOutcome, CheckKind, ContactSource, DocumentKind, RegisterSource

_EMPTY = [("", "–")]


def _offered(choices: type[TextChoices]) -> list[tuple[str, Any]]:
    """A closed list in the reader's language, after an empty first line."""
    return [*_EMPTY, *((value, gettext_lazy(label)) for value, label in choices.choices)]


class RoundForm(forms.Form):
    """Remembers which data the officer has before him, and takes a note."""

    seen_round = forms.IntegerField(widget=forms.HiddenInput)
    note = forms.CharField(
        label=gettext_lazy("Annotazione interna"),
        help_text=gettext_lazy("Resta nella pratica; il cliente non la vede."),
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": 500}),
        max_length=500,
        required=False,
    )

    def __init__(self, check: Check, data: Any = None, **initial: Any) -> None:
        """Start from what is known; the round is that of the shown data."""
        super().__init__(data, initial={"seen_round": check.round, **initial})
        self.order_fields([*(name for name in self.fields if name != "note"), "note"])

    @property
    def found(self) -> Found:
        """What is put on record."""
        return Found(note=self.cleaned_data["note"])


class OrganisationForm(RoundForm):
    """What the register says."""

    source = forms.ChoiceField(
        label=gettext_lazy("Registro consultato"), choices=_offered(RegisterSource), required=False
    )
    reference = forms.CharField(
        label=gettext_lazy("Numero o riferimento dell'iscrizione"), max_length=120, required=False
    )
    is_active = forms.BooleanField(label=gettext_lazy("Nel registro risulta attiva"), required=False)
    legal_name = forms.CharField(label=gettext_lazy("Denominazione come nel registro"), max_length=255, required=False)
    abbreviation = forms.CharField(
        label=gettext_lazy("Abbreviazione"),
        help_text=gettext_lazy("Solo se la denominazione supera 64 caratteri: quella riscontrata nel registro."),
        max_length=64,
        required=False,
    )
    identifier = forms.CharField(
        label=gettext_lazy("Identificativo nel certificato"),
        help_text=gettext_lazy("VATIT- con la partita IVA oppure NTRIT- con il numero del Registro delle Imprese."),
        max_length=64,
        required=False,
    )
    contact = forms.CharField(
        label=gettext_lazy("Recapito indipendente"),
        help_text=gettext_lazy(
            "Trovato da Lei, per la richiamata. Mai quello indicato dal cliente o nell'attestazione."
        ),
        max_length=120,
        required=False,
    )
    contact_source = forms.ChoiceField(
        label=gettext_lazy("Dove l'ha trovato"), choices=_offered(ContactSource), required=False
    )

    @property
    def found(self) -> Found:
        """What is put on record."""
        said = self.cleaned_data
        names = ("source", "reference", "is_active", "legal_name", "abbreviation", "identifier")
        call = Call(contact=said["contact"], contact_source=said["contact_source"])
        return Found(Registered(**{name: said[name] for name in names}), call, note=said["note"])


class CallForm(RoundForm):
    """A call back: whom, how found, when, who answered, what came of it."""

    contact = forms.CharField(
        label=gettext_lazy("Recapito indipendente"),
        help_text=gettext_lazy("Trovato da Lei. Mai quello indicato dal cliente o nell'attestazione."),
        max_length=120,
        required=False,
    )
    contact_source = forms.ChoiceField(
        label=gettext_lazy("Dove l'ha trovato"), choices=_offered(ContactSource), required=False
    )
    called_at = forms.DateTimeField(
        label=gettext_lazy("Data e ora della richiamata"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        required=False,
    )
    answered_by = forms.CharField(label=gettext_lazy("Chi ha risposto"), max_length=120, required=False)
    call_outcome = forms.ChoiceField(
        label=gettext_lazy("Esito della richiamata"), choices=_offered(CallOutcome), required=False
    )

    def clean_called_at(self) -> datetime | None:
        """Read the clock on the officer's wall."""
        typed: datetime | None = self.cleaned_data["called_at"]
        return typed.replace(tzinfo=ROME) if typed else None

    @property
    def found(self) -> Found:
        """What is put on record."""
        said = self.cleaned_data
        call = Call(
            said["contact"], said["contact_source"], said["called_at"], said["answered_by"], said["call_outcome"]
        )
        return Found(call=call, ticked=self.ticked, note=said["note"])

    @property
    def ticked(self) -> list[str]:
        """What was compared; a plain call compares nothing."""
        return []


class AttestationForm(CallForm):
    """The call, and a tick for each field of the letter."""

    ticks = forms.MultipleChoiceField(choices=list(LETTER_WORDS.items()), required=False)

    @property
    def ticked(self) -> list[str]:
        """Fields that were compared with the letter."""
        return list(self.cleaned_data["ticks"])


class DocumentForm(RoundForm):
    """An identity document as the officer reads it, and what he has compared."""

    kind = forms.ChoiceField(label=gettext_lazy("Tipo di documento"), choices=_offered(DocumentKind), required=False)
    number = forms.CharField(label=gettext_lazy("Numero del documento"), max_length=40, required=False)
    issuer = forms.CharField(label=gettext_lazy("Ente di rilascio"), max_length=120, required=False)
    valid_until = forms.DateField(
        label=gettext_lazy("Valido fino al"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        required=False,
    )
    face = forms.BooleanField(label=gettext_lazy("Ho confrontato il volto con il documento"), required=False)
    data_ = forms.BooleanField(label=gettext_lazy("Ho confrontato il documento con i dati digitati"), required=False)

    @property
    def document(self) -> Document:
        """The document."""
        said = self.cleaned_data
        return Document(said["kind"], said["number"], said["issuer"], said["valid_until"])

    @property
    def ticked(self) -> list[str]:
        """What a person has compared."""
        said = {policy_desk.FACE: self.cleaned_data["face"], policy_desk.DATA: self.cleaned_data["data_"]}
        return [name for name, is_ticked in said.items() if is_ticked]


class ReasonForm(forms.Form):
    """What the customer reads."""

    reason = forms.CharField(
        label=gettext_lazy("Messaggio per il cliente"),
        help_text=gettext_lazy("Lo legge nella pratica e per e-mail. Al massimo 300 caratteri."),
        widget=forms.Textarea(attrs={"rows": 4, "maxlength": 300}),
        max_length=300,
        error_messages={"required": gettext_lazy("Scriva al cliente che cosa non va o che cosa deve inviare.")},
    )


class WhyForm(forms.Form):
    """Why something is done again; the customer does not read it."""

    reason = forms.CharField(
        label=gettext_lazy("Motivo"),
        help_text=gettext_lazy("Resta negli eventi della pratica; il cliente non lo vede. Non scriva dati personali."),
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 300}),
        max_length=300,
        error_messages={"required": gettext_lazy("Scriva perché il riconoscimento biometrico va riaperto.")},
    )


class GroundForm(forms.Form):
    """Why a certificate is revoked."""

    ground = forms.ChoiceField(label=gettext_lazy("Motivo della revoca"))

    def __init__(self, choices: list[tuple[str, str]], data: Any = None) -> None:
        """Offer the closed table, each ground with its clock."""
        super().__init__(data)
        field = self.fields["ground"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [*_EMPTY, *choices]


class EvidenceForm(forms.Form):
    """A paper that the office has collected."""

    file = forms.FileField(
        label=gettext_lazy("Documento"), help_text=gettext_lazy("PDF, JPEG o PNG, al massimo 10 MB e 20 pagine.")
    )


def form_for(check: Check, order: Order, data: Any = None, **known: Any) -> RoundForm:
    """The form that belongs to a check, filled in with what is known."""
    if check.kind == CheckKind.ORGANISATION:
        suggested = order.organisation_identifier or policy_desk.suggested_identifier(order)
        return OrganisationForm(check, data, identifier=suggested, **known)
    kinds: dict[str, type[RoundForm]] = {
        CheckKind.AUTHORITY: CallForm,
        CheckKind.ATTESTATION: AttestationForm,
        CheckKind.IDENTITY: DocumentForm,
    }
    return kinds.get(check.kind, RoundForm)(check, data, **known)
