"""Rules of the alternative by qualified signature: what is asked, which ground a refusal has, how long an answer takes.

The grounds are the guide's own sentences; beside each stands what exactly was found, for whoever helps the signer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType

from django.conf import settings
from django.utils.translation import gettext_noop as _

from cms.errors import TaxCodeInvalid
from cms.policy import rome_date
from pki import qualified_person
from pki.tax_code import is_tax_code
from smime import errors
from smime.errors import signature as refusals
from smime.models import Check, Order, SignatureForm
from smime.states import CheckKind, CheckState, IdentityPath, OrderState

ANSWER_DAYS = (3, 5)
"""Working days that the guide names until a certificate is issued by this way: a target, no deadline."""
RETRY_MINUTES = (1, 2, 5, 15, 30, 60)
_SATURDAY = 5


@dataclass(frozen=True, slots=True, repr=False)
class RecipientData:
    """What the recipient typed into the request for a form."""

    given_name: str
    surname: str
    tax_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ground:
    """Why a file proves nothing: the guide's sentence, and what was found."""

    said: str
    found: str


_UNLISTED = _("La firma non è emessa da un Certificatore accreditato in UE.")
_DEVICE = _(
    "La firma non utilizza un dispositivo qualificato di firma elettronica, per esempio smart card, token USB, "
    "app con autenticazione forte."
)
_VALUE = _("La firma non ha lo stesso valore legale di una firma autografa (Regolamento UE n. 910/2014 – eIDAS).")
_DRAWN = _("La firma è disegnata con il mouse, oppure manca.")
_EDITOR = _("La firma è fatta usando un editor PDF non certificato.")
_TOOL = _("La firma è stata apposta con strumenti non configurati per la FEQ, per esempio Adobe Sign.")
_PERSON = _("La firma non è del destinatario del certificato.")
_FORM = _("Il file non è il modulo scaricato per questa pratica, firmato così com'è.")

GROUNDS: Mapping[str, Ground] = MappingProxyType(
    {
        "signature-missing": Ground(_DRAWN, _("Nel PDF non c'è alcuna firma elettronica.")),
        "signature-not-alone": Ground(_VALUE, _("Il file contiene più firme, o nessuna: ne serve una sola.")),
        "signature-kind": Ground(_EDITOR, _("Il formato della firma non è PAdES né CAdES.")),
        "signature-detached": Ground(_FORM, _("Il file contiene la firma senza il documento (firma separata).")),
        "signature-coverage": Ground(_EDITOR, _("La firma non copre l'intero file: è stato modificato dopo la firma.")),
        "signature-broken": Ground(_VALUE, _("Il valore della firma non corrisponde al certificato.")),
        "signature-invalid": Ground(_VALUE, _("La firma non supera la verifica.")),
        "document-changed": Ground(_EDITOR, _("Il documento è stato modificato dopo la firma.")),
        "document-other": Ground(_FORM, _("È stato firmato un altro documento, o una versione precedente del modulo.")),
        "algorithm-weak": Ground(_VALUE, _("L'algoritmo della firma non è più ammesso, per esempio SHA-1.")),
        "issuer-unlisted": Ground(_UNLISTED, _("Chi ha emesso il certificato non è negli elenchi di fiducia europei.")),
        "certificate-unqualified": Ground(_TOOL, _("Il certificato di firma non è un certificato qualificato.")),
        "certificate-not-personal": Ground(_TOOL, _("Il certificato è un sigillo o un certificato per siti web.")),
        "certificate-not-for-signing": Ground(_TOOL, _("Il certificato non è destinato alla firma (nonRepudiation).")),
        "device-unqualified": Ground(_DEVICE, _("La chiave non risiede in un dispositivo qualificato (QSCD).")),
        "certificate-revoked": Ground(_VALUE, _("Il certificato di firma è revocato o sospeso.")),
        "certificate-expired": Ground(_VALUE, _("Il certificato di firma è scaduto.")),
        "person-pseudonym": Ground(_PERSON, _("Il certificato è intestato a uno pseudonimo.")),
        "person-other": Ground(_PERSON, _("Il codice fiscale nel certificato di firma è un altro.")),
        "file-too-large": Ground(_FORM, _("Il file è troppo grande.")),
        "file-unknown": Ground(_FORM, _("Il file non è un PDF firmato né un file .p7m.")),
        "file-encrypted": Ground(_FORM, _("Il PDF è protetto da password o da restrizioni.")),
        "file-nested-too-deeply": Ground(_FORM, _("Il file è imbustato più di tre volte.")),
        "file-unreadable": Ground(_FORM, _("Il file è danneggiato e non si legge.")),
        "file-unfit": Ground(_FORM, _("Il controllo antivirus ha fermato il file.")),
        "file-replaced": Ground(_FORM, _("È stato caricato un altro file.")),
        "form-void": Ground(_FORM, _("Il modulo non vale più: i dati sono cambiati. Scarichi quello nuovo.")),
    }
)
"""By the code of a refused report; a test holds that the validation knows no other."""
DOUBTS: Mapping[str, Ground] = MappingProxyType(
    {
        "document-altered": Ground(_EDITOR, _("Il modulo è stato modificato prima della firma.")),
        "document-rewritten": Ground(_EDITOR, _("Un altro programma ha riscritto il PDF prima della firma.")),
        "person-names-differ": Ground(_PERSON, _("Nome o cognome nel certificato di firma sono scritti diversamente.")),
        "person-unmatched": Ground(_PERSON, _("Nel certificato di firma non c'è un codice fiscale italiano.")),
        "signing-time-odd": Ground(_FORM, _("L'ora dichiarata nella firma è fuori dal periodo del modulo.")),
    }
)
"""By the code of a report that refuses nobody and is looked at by an officer, for the case that he does refuse."""
_UNKNOWN = Ground(_VALUE, _("La firma non supera la verifica."))


def ground_of(code: str) -> Ground:
    """Say why a file with this code was refused."""
    return GROUNDS.get(code, _UNKNOWN)


def doubt_of(code: str) -> Ground | None:
    """Say what an officer had to look at in a file with this code; None for a signature without any doubt."""
    return DOUBTS.get(code)


def require_data(data: RecipientData, order: Order) -> RecipientData:
    """Return the data tidied up; refuse a tax code that is none, and names that are not the order's.

    The names on the certificate come from the order: who finds them wrong has the buyer correct them there first.
    """
    code = "".join(data.tax_code.split()).upper()
    if not is_tax_code(code):
        raise TaxCodeInvalid
    names = (" ".join(data.given_name.split()), " ".join(data.surname.split()))
    if not qualified_person.same_names(names, (order.given_name, order.surname)):
        raise refusals.RecipientNamesDiffer
    return RecipientData(order.given_name, order.surname, code)


def require_alternative(order: Order, check: Check) -> None:
    """Refuse whatever belongs to the alternative while it is not open."""
    if order.state != OrderState.CHECKING:
        raise errors.OrderClosed
    if check.kind != CheckKind.IDENTITY or check.path != IdentityPath.SIGNATURE:
        raise refusals.AlternativeNotOpen


def require_awaited(check: Check) -> None:
    """Refuse a new form or file while an officer looks at the last one, or when all is decided."""
    if check.state not in {CheckState.WAITING_CUSTOMER, CheckState.WAITING_THIRD_PARTY}:
        raise refusals.SignedFormNotAwaited


def require_of_now(form: SignatureForm, check: Check, data_sha256: str) -> None:
    """Raise `CheckChanged` if a form is of other data than the order's, or of another round of the check."""
    if not _is_of_now(form, check, data_sha256):
        raise errors.CheckChanged


def is_in_force(form: SignatureForm, check: Check, data_sha256: str) -> bool:
    """Whether a form may still be signed: of the present data, and of the present round of the check."""
    return form.voided_at is None and _is_of_now(form, check, data_sha256)


def _is_of_now(form: SignatureForm, check: Check, data_sha256: str) -> bool:
    return (form.round, form.data_sha256) == (check.round, data_sha256)


def is_enough() -> bool:
    """Whether a valid signature identifies by itself; else an officer looks at it too (a decision of the CPS)."""
    return settings.SMIME.evidence_policy == "sufficient"


def retry_at(attempts: int, at: datetime) -> datetime:
    """Say when an answer that is still open is looked for again."""
    return at + timedelta(minutes=RETRY_MINUTES[min(max(attempts, 1), len(RETRY_MINUTES)) - 1])


def answer_expected(at: datetime) -> tuple[date, date]:
    """Give the first and last day on which the guide lets expect the certificate: working days, Rome's calendar."""
    first, last = ANSWER_DAYS
    return _working_day(rome_date(at), first), _working_day(rome_date(at), last)


def _working_day(day: date, days: int) -> date:
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day
