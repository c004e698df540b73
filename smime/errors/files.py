"""Refusals of uploaded files: each says what is wrong with the file and what would be taken."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Invalid, NotFound


class FileRefused(Invalid):
    """A file that is not stored at all."""

    code = "file-refused"
    detail = _("Il file non è stato accettato.")


class FileEmpty(FileRefused):
    """No bytes at all."""

    code = "file-empty"
    detail = _("Il file è vuoto: ne scelga un altro.")


class FileTooLarge(FileRefused):
    """More bytes than the setting allows."""

    code = "file-too-large"
    detail = _("Il file è troppo grande: riduca la qualità della scansione e la carichi di nuovo.")


class FileTypeRefused(FileRefused):
    """None of the kinds that are taken, by its content."""

    code = "file-type-refused"
    detail = _("Questo tipo di file non è accettato: carichi un PDF, un PDF firmato (.p7m), un'immagine JPEG o PNG.")


class FileTypeMismatch(FileRefused):
    """Its name or the browser says another kind than its content does."""

    code = "file-type-mismatch"
    detail = _("L'estensione del file non corrisponde al contenuto: lo esporti di nuovo in PDF, JPEG o PNG.")


class FileAmbiguous(FileRefused):
    """It can be read as two kinds at once: an officer would not see what a program runs."""

    code = "file-ambiguous"
    detail = _("Il file contiene altro oltre al documento: lo esporti di nuovo in PDF, JPEG o PNG.")


class FileEncrypted(FileRefused):
    """A PDF that asks for a password or restricts its use."""

    code = "file-encrypted"
    detail = _("Il PDF è protetto da password o da restrizioni: lo salvi senza protezione e lo carichi di nuovo.")


class FileTooLong(FileRefused):
    """More pages than the setting allows."""

    code = "file-too-long"
    detail = _("Il documento ha troppe pagine: carichi soltanto l'attestazione.")


class FileTooDetailed(FileRefused):
    """More pixels than the setting allows."""

    code = "file-too-detailed"
    detail = _("L'immagine ha troppi pixel: la rimpicciolisca e la carichi di nuovo.")


class FileUnreadable(FileRefused):
    """It is damaged, or takes more memory or time than any letter needs."""

    code = "file-unreadable"
    detail = _("Il file è danneggiato o non si apre: lo esporti di nuovo in PDF, JPEG o PNG.")


class FilesTooMany(Conflict):
    """So many files of this kind were sent for one order that one more would only fill the store."""

    code = "files-too-many"
    detail = _("Per questa pratica sono già stati caricati troppi file: scriva al CDRL.")


class FileNotClean(Conflict):
    """Nobody may look at it: not scanned yet, infected, or put aside."""

    code = "file-not-clean"
    detail = _("Il file non può essere aperto: il controllo antivirus non l'ha dichiarato pulito.")


class FileErased(NotFound):
    """Its bytes were deleted."""

    code = "file-erased"
    detail = _("Il contenuto del file è stato cancellato.")
