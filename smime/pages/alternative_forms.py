"""What the recipient types and sends on the alternative way; the rules are the policy's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from smime.policy_signature import RecipientData

_LONGEST = 64
_NAME = {"autocomplete": "off", "maxlength": _LONGEST}


class RecipientDataForm(forms.Form):
    """Who signs: his names as the order has them, and the codice fiscale that his certificate must carry."""

    given_name = forms.CharField(
        label=_("Nome"),
        max_length=_LONGEST,
        widget=forms.TextInput(attrs=_NAME),
        error_messages={"required": _("Scriva il nome.")},
    )
    surname = forms.CharField(
        label=_("Cognome"),
        max_length=_LONGEST,
        widget=forms.TextInput(attrs=_NAME),
        error_messages={"required": _("Scriva il cognome.")},
    )
    tax_code = forms.CharField(
        label=_("Codice fiscale"),
        help_text=_("Lo confrontiamo con quello nel certificato della Sua firma. Non compare nel certificato S/MIME."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "maxlength": 40}
        ),
        error_messages={"required": _("Scriva il codice fiscale.")},
    )

    @property
    def recipient(self) -> RecipientData:
        """What was typed."""
        typed = self.cleaned_data
        return RecipientData(typed["given_name"], typed["surname"], typed["tax_code"])


class SignedFormForm(forms.Form):
    """The signed form."""

    file = forms.FileField(
        label=_("Modulo firmato"),
        allow_empty_file=True,
        error_messages={"required": _("Selezioni il file del modulo firmato.")},
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Offer the two kinds that signing programs write."""
        super().__init__(*arguments, **named)
        self.fields["file"].widget.attrs |= {"accept": ".pdf,.p7m", "class": "file-picked"}

    @property
    def sent(self) -> dict[str, Any]:
        """The file as the use case takes it."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        return {"name": file.name or "", "content": file.read(), "sent_as": file.content_type or ""}
