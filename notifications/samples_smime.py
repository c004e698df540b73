"""What the examples of the S/MIME mails say; see `notifications.samples`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext_noop as _

from notifications.catalog_smime import SMIME
from notifications.kinds import Message

VALUES: Mapping[str, Any] = MappingProxyType(
    {
        "certificate_kind": "SV · Soggetto Verificato",
        "mailbox": "livia.serra@studio.example",
        "account": "acquisti@studio.example",
        "session_minutes": 30,
        "left": 1,
        "because": "",
        "answer_by": "2027-01-21",
        "kept_until": "",
        "stage": "begun",
        "applicant_name": "Livia Serra di Forlì",
        "check": "Attestazione del rapporto professionale",
        "area_url": "https://sigillo.example/area-clienti/pratiche/5f0c/",
        "edition": 1,
        "download_until": "2027-02-13T11:00:00Z",
        "downloads": 5,
        "count": 3,
        "downloaded_at": "2027-01-14T11:00:00Z",
    }
)
SECRETS: Mapping[str, str] = MappingProxyType(
    {
        "mailed_url": "https://sigillo.example/area-clienti/link/casella/Wq5zN2hXa8-kP0rT/",
        "p12_password": "K7QXM-4WPRD-9HTVC-2NJFB-6YSGA",
        "account_url": "https://sigillo.example/accesso/password/reset/key/2-d8gR3/",
        "download_code": "702915",
    }
)
_ORDER: Mapping[str, Any] = MappingProxyType(
    {
        "case_code": "M4T9-Q2KX-70M",
        "new_not_after": "2028-01-14T10:59:59Z",
        "expires_at": "2027-01-15T11:00:00Z",
    }
)
_DIFFERENTLY: Mapping[Message, Mapping[str, Any]] = MappingProxyType(
    {
        Message.SMIME_PAPERS_MISSING: {
            "reason": _("Nella lettera manca la data della firma: ne carichi una completa.")
        },
        Message.SMIME_REFUSED: {"reason": _("La partita IVA indicata non risulta attiva nel Registro delle Imprese.")},
        Message.SMIME_EXPIRING: {"new_not_after": "2027-02-13T10:59:59Z", "days": 30},
        Message.SMIME_REVOKED: {"reason": "Chiave compromessa", "revoked_at": "2027-01-14T10:50:00Z"},
        Message.SMIME_DOWNLOAD_CODE: {"expires_at": "2027-01-14T11:10:00Z"},
        Message.SMIME_DOWNLOADED: {"left": 4},
    }
)
ESPECIALLY: Mapping[Message, Mapping[str, Any]] = MappingProxyType(
    {message: {**_ORDER, **_DIFFERENTLY.get(message, {})} for message in SMIME}
)
