"""Step 6 of SV: what the letter says, the letter itself, now or later, and its template to sign."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.errors import DomainError
from cms.models import User
from cms.policy import rome_date
from smime import policy_attestation, queries
from smime.file_contents import EXTENSIONS
from smime.models import Order
from smime.pages import forms as wizard_forms
from smime.pages import frame, steps
from smime.policy_steps import Step
from smime.services import attestation
from smime.services.attestation import Upload
from smime.states import CheckKind, ScanState

LATER, LETTER = "later", "letter"
_FIELD_OF = {
    "attestation-date-future": "attested_on",
    "attestation-too-old": "attested_on",
    "referee-is-applicant": "referee",
    "referee-contact-invalid": "contact",
}
_ACCEPT = ",".join(f".{extension}" for extensions in EXTENSIONS.values() for extension in extensions)


class AttestationForm(forms.Form):
    """What the letter says, field by field: the officer ticks each against it. The file is a field of its own."""

    role = forms.CharField(label=gettext_lazy("Ruolo o posizione aziendale del richiedente"))
    function = forms.CharField(
        label=gettext_lazy("Funzione specifica svolta"),
        help_text=gettext_lazy("Per esempio IT Manager o Responsabile Sicurezza."),
    )
    company = forms.CharField(label=gettext_lazy("Ragione sociale dell'organizzazione"))
    address = forms.CharField(label=gettext_lazy("Indirizzo completo dell'organizzazione"))
    reason = forms.CharField(label=gettext_lazy("Motivazione della richiesta"))
    attested_on = forms.CharField(
        label=gettext_lazy("Data dell'attestazione"),
    )
    referee = forms.CharField(
        label=gettext_lazy("Nome e cognome del referente che firma"),
        help_text=gettext_lazy("Una persona autorizzata, diversa dal richiedente."),
    )
    referee_role = forms.CharField(
        label=gettext_lazy("Qualifica del referente"),
        help_text=gettext_lazy("Per esempio responsabile delle Risorse Umane, direttore IT, Amministratore Delegato."),
    )
    contact = forms.CharField(label=gettext_lazy("Email o numero di telefono del referente"))
    file = forms.FileField(
        label=gettext_lazy("Attestazione firmata"),
        allow_empty_file=True,
        error_messages={
            "required": gettext_lazy("Selezioni il file dell'attestazione, oppure scelga Carica e invia dopo.")
        },
    )

    def __init__(self, *arguments: Any, today: str = "", **named: Any) -> None:
        """Bound the lengths as they are stored, and the date by `today` (Italy)."""
        super().__init__(*arguments, **named)
        for name, most in policy_attestation.LONGEST.items():
            field = self.fields[name]
            field.widget.attrs |= {"maxlength": most, "autocomplete": "off"}
            field.error_messages["required"] = _("Compili questo campo come nel documento.")
        said = _("Il giorno in cui il documento viene firmato: al massimo %(days)d giorni fa.")
        self.fields["attested_on"].help_text = said % {"days": settings.SMIME.attestation_days}
        self.fields["attested_on"].widget = forms.DateInput(attrs={"type": "date", "max": today})
        self.fields["file"].widget.attrs |= {"accept": _ACCEPT, "class": "file-picked"}

    @property
    def typed(self) -> dict[str, str]:
        """The fields as they came, also of a form with errors."""
        return {name: self.data.get(name, "") for name in policy_attestation.LONGEST}

    @property
    def upload(self) -> Upload:
        """The chosen file."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        return Upload(file.name or "", file.read(), file.content_type or "")


@frame.for_customers
def attestation_step(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponseBase:
    """GET shows the form; POST sends it, keeps it for later, or writes the letter to sign."""
    order = queries.order_of(uid, buyer)
    elsewhere = steps.way_before(order, Step.ATTESTATION)
    if elsewhere is not None:
        return redirect(elsewhere)
    policy_attestation.require_replaceable(order, queries.check_of(order, CheckKind.ATTESTATION))
    today = rome_date(now).isoformat()
    if request.method != "POST":
        return _show(request, order, AttestationForm(initial=_initial(order), today=today))
    form = AttestationForm(request.POST, request.FILES, initial=_initial(order), today=today)
    deed = request.POST.get("action", "")
    if deed == LETTER:
        return _letter(attestation.render_letter(uid, fields=form.typed, buyer=buyer, now=now), order)
    if deed == LATER:
        stored = attestation.submit_attestation(uid, fields=form.typed, upload=None, buyer=buyer, now=now)
        return redirect(steps.way_after(stored, Step.ATTESTATION))
    return _send(request, order, form, buyer, now)


def _send(request: HttpRequest, order: Order, form: AttestationForm, buyer: User, now: datetime) -> HttpResponseBase:
    if getattr(request, "sent_too_much", False):
        form.errors.pop("file", None)
        form.add_error("file", _("Il file è troppo grande: riduca la qualità della scansione e la carichi di nuovo."))
    if not form.is_valid():
        return _show(request, order, form)
    try:
        stored = attestation.submit_attestation(order.uid, fields=form.typed, upload=form.upload, buyer=buyer, now=now)
    except DomainError as refusal:
        form.add_error(_field_of(refusal), wizard_forms.said(refusal))
        return _show(request, order, form)
    _tell(request, stored)
    return redirect(steps.way_after(stored, Step.ATTESTATION))


def _tell(request: HttpRequest, order: Order) -> None:
    """Say at once what became of the file: sent, or put aside."""
    letter = attestation.newest_letter(order, order.checks.filter(kind=CheckKind.ATTESTATION).first())
    state = ScanState(letter.scan) if letter else ScanState.PENDING
    if state in attestation.UNFIT:
        messages.warning(request, _(attestation.UNFIT[state]))
    else:
        messages.success(
            request, _("L'attestazione è stata ricevuta. Dopo il controllo antivirus la esamina l'ufficio.")
        )


def _field_of(refusal: DomainError) -> str | None:
    if refusal.reason_code.startswith("file"):
        return "file"
    return _FIELD_OF.get(refusal.reason_code)


def _show(request: HttpRequest, order: Order, form: AttestationForm) -> HttpResponse:
    check = queries.check_of(order, CheckKind.ATTESTATION)
    letter = attestation.newest_letter(order, check)
    context = {
        "order": order,
        "form": form,
        "applicant": policy_attestation.applicant_of(order),
        "letter": letter,
        "unfit": attestation.UNFIT.get(ScanState(letter.scan), "") if letter else "",
        "most_megabytes": settings.SMIME.upload_most_bytes // (1024 * 1024),
        "most_pages": settings.SMIME.upload_most_pages,
        "section": "orders",
        **steps.stepper(order, Step.ATTESTATION),
    }
    return frame.show(request, "steps/attestazione.html", status=422 if form.is_bound else 200, **context)


def _letter(pdf: bytes, order: Order) -> HttpResponse:
    name = f"attestazione-{order.code}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return frame.kept_nowhere(HttpResponse(pdf, content_type="application/pdf", headers=headers))


def _initial(order: Order) -> dict[str, str]:
    known = {name: value for name, value in (order.attested or {}).items() if value}
    return {"reason": policy_attestation.REASON, "company": order.organisation_name, **known}
