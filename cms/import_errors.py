"""Refusals of the import: of a whole file, or of one of its rows. Texts say what to correct; none repeats a cell."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Invalid


class FileRefused(Invalid):
    """A file that cannot be read as a whole; nothing of it is imported."""

    code = "import-file-refused"
    detail = _("Il file non può essere letto.")
    action = "correct-data"


class EncodingUnknown(FileRefused):
    """The table is neither UTF-8 nor Windows-1252."""

    code = "import-encoding-unknown"
    detail = _("Il file CSV non è in UTF-8 né in Windows-1252: lo salvi di nuovo come «CSV UTF-8».")


class TableBroken(FileRefused):
    """The table is no CSV: quotes that do not close, lines without end."""

    code = "import-table-broken"
    detail = _(
        "Il file CSV non è leggibile: una cella ha le virgolette aperte e non chiuse, oppure il file non è un CSV."
    )


class ColumnsMissing(FileRefused):
    """A column that every row needs is not there."""

    code = "import-columns-missing"
    detail = _("Nella prima riga del file CSV manca una colonna necessaria.")


class ColumnsTwice(FileRefused):
    """Two columns say the same thing."""

    code = "import-columns-twice"
    detail = _("Due colonne del file CSV hanno lo stesso significato: ne lasci una sola.")


class TableEmpty(FileRefused):
    """A header and nothing below it."""

    code = "import-table-empty"
    detail = _("Il file CSV non contiene righe oltre all'intestazione.")


class TableTooLong(FileRefused):
    """More rows than one import takes."""

    code = "import-table-too-long"
    detail = _("Il file CSV contiene troppe righe per un'importazione: lo divida in più file.")


class FileTooLarge(FileRefused):
    """More bytes than one import takes."""

    code = "import-file-too-large"
    detail = _("Il file supera la dimensione ammessa: lo divida in più importazioni.")


class BundleUnreadable(FileRefused):
    """Neither a ZIP archive nor certificates."""

    code = "import-certificates-unreadable"
    detail = _(
        "Il file dei certificati non è un archivio ZIP né una raccolta PEM, DER o PKCS #7 con almeno un certificato."
    )


class ArchiveUnsafe(FileRefused):
    """An archive that holds too much, is encrypted, or holds another archive."""

    code = "import-archive-unsafe"
    detail = _("L'archivio ZIP non è ammesso: contiene troppi file, file troppo grandi, cifrati o altri archivi.")


class TooManyImports(Conflict):
    """The centre has unfinished imports enough."""

    code = "import-too-many"
    detail = _(
        "Il CDRL ha già diverse importazioni da concludere: le avvii o le abbandoni prima di caricarne un'altra."
    )


class ImportClosed(Conflict):
    """The import is not where it could be started or stopped."""

    code = "import-closed"
    detail = _("L'importazione è già conclusa o abbandonata, oppure non ha righe da registrare.")


class CellMissing(Invalid):
    """A cell that every row needs is empty."""

    code = "cell-missing"
    detail = _("Manca un dato necessario.")
    action = "correct-data"


class CellInvalid(Invalid):
    """A cell that cannot be what its column says."""

    code = "cell-invalid"
    detail = _("Un dato non è valido.")
    action = "correct-data"


class DateInvalid(Invalid):
    """A date that is none, lies in the future, or stands in the wrong order."""

    code = "date-invalid"
    detail = _("Una data non è valida.")
    action = "correct-data"


class FamilyUnknown(Invalid):
    """A card family that the register does not know."""

    code = "card-family-unknown"
    detail = _("La famiglia della carta non è tra quelle del registro.")
    action = "correct-data"


class RowTwice(Conflict):
    """The same card stands further up in the file."""

    code = "row-duplicate"
    detail = _("La stessa carta è già in una riga precedente del file.")
    action = "correct-data"


class CardKnown(Conflict):
    """The card is in the register already: an import changes nothing of it."""

    code = "card-known"
    detail = _("La carta è già nel registro: resta com'è.")


class NamesDiffer(Conflict):
    """One codice fiscale with two names in the file."""

    code = "holder-names-differ"
    detail = _("Lo stesso codice fiscale ha un altro nome in una riga precedente del file.")
    action = "correct-data"


class CertificateMissing(Invalid):
    """A half that the service needs is not in the bundle."""

    code = "certificate-missing"
    detail = _("Nel file dei certificati manca un certificato della carta.")
    action = "correct-data"


class CertificateAmbiguous(Invalid):
    """Several certificates fit the row, and it does not say which."""

    code = "certificate-ambiguous"
    detail = _("Più certificati corrispondono alla riga: ne indichi il numero di serie nella colonna prevista.")
    action = "correct-data"


class CertificateOfAnother(Invalid):
    """The certificate names another person, another card or another use."""

    code = "certificate-of-another"
    detail = _("Il certificato indicato appartiene a un'altra persona, a un'altra carta o a un altro uso.")
    action = "correct-data"


class CertificateExpired(Conflict):
    """The certificate has expired: nothing of it can be renewed."""

    code = "imported-certificate-expired"
    detail = _("Il certificato è scaduto: la carta non può più essere rinnovata.")


class CertificateRegistered(Conflict):
    """The certificate is in the register already, or in an earlier row."""

    code = "certificate-registered"
    detail = _("Il certificato è già nel registro o in una riga precedente del file.")


class KeyOfAnother(Conflict):
    """The public key is known from another person's card."""

    code = "key-of-another"
    detail = _("La chiave pubblica del certificato è già nota da un'altra carta: verifichi il certificato.")


class RegisterChanged(Conflict):
    """Somebody has stored the same card, certificate or contact at this very moment."""

    code = "register-changed"
    detail = _("Il registro è cambiato mentre la riga veniva scritta: ripeta l'importazione di questa riga.")
