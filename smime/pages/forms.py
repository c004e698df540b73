"""What customers type in the wizard: labels of the public guide, word for word; the rules are the policy's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cms.errors import DomainError
from pki.csr import LARGEST_REQUEST
from smime import policy_data
from smime.countries import COUNTRIES
from smime.policy_data import Organisation, Person
from smime.services.acceptance import Accepted
from smime.states import BundleFormat, KeyKind, KeyOrigin, SameContact

LONGEST_TYPED = 300
LARGEST_PEM = LARGEST_REQUEST * 2
_MYSELF, _ANOTHER = "me", "other"


class Checked(forms.CharField):
    """A text that one rule of the policy reads; its refusal is the field's error."""

    def __init__(self, rule: Callable[[str], str], *, asks: Any = "", kind: str = "text", **named: Any) -> None:
        """`asks`: what is said when the field was left empty; `kind`: the keyboard that phones show."""
        widget = forms.TextInput(attrs={"type": kind} | named.pop("attrs", {}))
        messages = {"required": asks or _("Compili questo campo.")}
        super().__init__(max_length=LONGEST_TYPED, widget=widget, error_messages=messages, **named)
        self.rule = rule
        # The rule says it better than the browser, and counts characters as they are stored.
        self.widget.attrs.pop("maxlength", None)

    def clean(self, value: Any) -> str:
        """Bring it to its stored form."""
        typed: str = super().clean(value)
        try:
            return self.rule(typed) if typed else ""
        except DomainError as wrong:
            raise said(wrong) from wrong


class PersonForm(forms.Form):
    """Name, surname and mailbox of somebody."""

    given_name = Checked(
        policy_data.person_name, label=_("Nome"), asks=_("Scriva il nome."), attrs={"autocomplete": "off"}
    )
    surname = Checked(
        policy_data.person_name, label=_("Cognome"), asks=_("Scriva il cognome."), attrs={"autocomplete": "off"}
    )
    email = Checked(
        policy_data.mailbox,
        label=_("Indirizzo email"),
        asks=_("Scriva l'indirizzo email."),
        kind="email",
        attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )

    @property
    def person(self) -> Person:
        """The person as typed."""
        data = self.cleaned_data
        return Person(data["given_name"], data["surname"], data["email"], data.get("phone", ""))


class RecipientForm(PersonForm):
    """Who will use the certificate: the buyer, or somebody else, who then alone can download it."""

    who = forms.ChoiceField(
        label=_("Chi utilizzerà il certificato?"),
        choices=[
            (_MYSELF, _("Io, che ho acquistato il certificato")),
            (_ANOTHER, _("Un'altra persona: sarà lei a scaricarlo, con un collegamento via email")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Indichi chi utilizzerà il certificato.")},
    )
    field_order = ("who", "given_name", "surname", "email")

    def __init__(self, data: Any = None, *, initial: dict[str, Any], own: Sequence[str]) -> None:
        """Offer the buyer's own verified addresses beside the field: *Io* is believed of them alone."""
        super().__init__(data, initial=initial)
        self.own = own
        field = self.fields["email"]
        if own:
            said_first = _("Se il certificato è per Lei, scriva un indirizzo confermato del Suo account: {addresses}")
            field.help_text = format_lazy(said_first, addresses=", ".join(own))
            field.widget.attrs["list"] = "own-mailboxes"

    @property
    def is_buyer(self) -> bool:
        """Whether the buyer uses the certificate himself."""
        return bool(self.cleaned_data["who"] == _MYSELF)

    @staticmethod
    def who_of(*, is_buyer: bool) -> str:
        """The choice as the page shows it."""
        return _MYSELF if is_buyer else _ANOTHER


class TechnicalContactForm(PersonForm):
    """Who hears of changes of the certificate."""

    phone = Checked(
        policy_data.phone_number,
        label=_("Numero di telefono"),
        required=False,
        kind="tel",
        attrs={"autocomplete": "off"},
    )


class OrganisationContactForm(PersonForm):
    """Who answers for the organisation, and why it may be the technical contact."""

    ground = forms.ChoiceField(
        label=_("È la stessa persona del contatto tecnico?"),
        choices=[
            ("", _("No, è un'altra persona")),
            (
                SameContact.PUBLIC_FIGURE,
                _("Sì: è una figura di responsabilità riscontrabile da fonti organizzative pubbliche indipendenti"),
            ),
            (SameContact.SOLE_PROPRIETOR, _("Sì: è il titolare di una ditta individuale")),
        ],
        widget=forms.RadioSelect,
        required=False,
    )


class OrganisationForm(forms.Form):
    """The applicant's organisation."""

    vat_number = forms.CharField(label=_("Partita IVA o codice fiscale"), max_length=LONGEST_TYPED)
    register_number = forms.CharField(
        label=_("Numero di iscrizione al Registro delle Imprese"),
        help_text=_(
            "In Italia è il codice fiscale dell'organizzazione, non il numero REA. All'estero va bene anche il LEI."
        ),
        max_length=LONGEST_TYPED,
    )
    rea_number = Checked(
        policy_data.rea_number, label=_("Numero REA"), help_text=_("Per esempio RM-1234567."), required=False
    )
    country = forms.ChoiceField(
        label=_("Paese di costituzione"), choices=[(code, _(name)) for code, name in COUNTRIES], initial="IT"
    )
    duns = Checked(
        policy_data.duns,
        label=_("D-U-N-S Number"),
        help_text=_("9 cifre. Ci aiuta a trovare l'organizzazione nei registri: non compare nel certificato."),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Read the numbers as their country writes them."""
        data: dict[str, Any] = super().clean() or {}
        country = data.get("country", "")
        for name, rule in (("vat_number", policy_data.vat_number), ("register_number", policy_data.register_number)):
            try:
                if country and data.get(name):
                    data[name] = rule(data[name], country=country)
            except DomainError as wrong:
                self.add_error(name, said(wrong))
        return data

    @property
    def organisation(self) -> Organisation:
        """The organisation as typed."""
        return Organisation(**self.cleaned_data)


class KeyForm(forms.Form):
    """Who makes the key, of which kind, and how the file is encrypted."""

    origin = forms.ChoiceField(
        label=_("Chi genera la chiave"),
        choices=[
            (KeyOrigin.SERVER, _("Il servizio: riceve un file .p12 pronto da installare")),
            (KeyOrigin.CSR, _("Io: carico una richiesta (CSR) e la chiave resta solo da me")),
        ],
        widget=forms.RadioSelect,
    )
    kind = forms.ChoiceField(label=_("Tipo di chiave"), choices=KeyKind.choices)
    bundle_format = forms.ChoiceField(
        label=_("Formato del file .p12"),
        choices=[
            (BundleFormat.MODERN, _("Sicuro (AES-256), consigliato")),
            (BundleFormat.COMPATIBLE, _("Compatibile con programmi meno recenti (3DES)")),
        ],
        widget=forms.RadioSelect,
    )
    csr = forms.FileField(
        label=_("Richiesta (CSR)"), help_text=_("File PKCS #10 in formato PEM o DER, fino a 16 kB."), required=False
    )

    def clean_csr(self) -> bytes | None:
        """Bring an uploaded request to DER; what it holds is judged by the use case."""
        file: UploadedFile[bytes] | None = self.cleaned_data.get("csr")
        if file is None:
            return None
        if (file.size or 0) > LARGEST_PEM:
            raise forms.ValidationError(
                gettext("Il file è più grande di 16 kB: non è una richiesta (CSR)."), code="csr-large"
            )
        return _der_of(file.read())

    def clean(self) -> dict[str, Any]:
        """Ask for the file where the customer makes the key."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("origin") == KeyOrigin.CSR and data.get("csr") is None and "csr" not in self.errors:
            self.add_error("csr", gettext("Carichi il file della richiesta (CSR)."))
        return data

    @property
    def request(self) -> bytes | None:
        """The request in DER, or None where the service makes the key."""
        return self.cleaned_data["csr"] if self.cleaned_data["origin"] == KeyOrigin.CSR else None


class SubmitForm(forms.Form):
    """The ticked box, with what was shown beside it."""

    accept = forms.BooleanField(
        label=_("Ho letto e accetto i termini e le condizioni"),
        error_messages={"required": _("Per avviare la verifica accetti i termini e le condizioni.")},
    )
    version = forms.CharField(max_length=16, widget=forms.HiddenInput)
    sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)

    @property
    def accepted(self) -> Accepted:
        """Which text was accepted."""
        return Accepted(self.cleaned_data["version"], self.cleaned_data["sha256"])


def said(wrong: DomainError) -> forms.ValidationError:
    """A refusal as a form's error, in the reader's language."""
    return forms.ValidationError(gettext(wrong.text), code=wrong.reason_code)


def _der_of(content: bytes) -> bytes:
    if b"-----BEGIN" not in content:
        return content
    try:
        return x509.load_pem_x509_csr(content).public_bytes(Encoding.DER)
    except ValueError as wrong:
        message = gettext("Il file non è una richiesta (CSR) leggibile.")
        raise forms.ValidationError(message, code="csr-invalid") from wrong
