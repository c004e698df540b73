"""What is wrong with data that a customer typed, in words that say how to mend it."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Invalid


class NameInvalid(Invalid):
    """No name of a person: empty, longer than a certificate can carry (RFC 5280, 64), or with control characters."""

    code = "name-invalid"
    detail = _("Scriva il nome com'è sul documento: lettere, accenti, apostrofi, spazi e trattini.")


class NameLong(Invalid):
    """Longer than the 64 characters of a certificate's field (RFC 5280, upper bounds)."""

    code = "name-long"
    detail = _("È più lungo di 64 caratteri, il massimo che un certificato può contenere: lo abbrevi.")


class MailboxNotAscii(Invalid):
    """International addresses cannot stand in these certificates."""

    code = "mailbox-not-ascii"
    detail = _(
        "L'indirizzo contiene lettere accentate o altri caratteri internazionali, nel nome o nel dominio: "
        "il certificato S/MIME può contenere solo indirizzi con lettere senza accenti."
    )


class MailboxMalformed(Invalid):
    """Not an address of one mailbox."""

    code = "mailbox-malformed"
    detail = _("L'indirizzo e-mail non è corretto: lo scriva come nome@dominio, per esempio nome@example.org.")


class PhoneInvalid(Invalid):
    """No telephone number."""

    code = "phone-invalid"
    detail = _("Il numero di telefono non è corretto: con un numero estero cominci da + e dal prefisso del Paese.")


class ContactsEqual(Conflict):
    """Technical and organisational contact are one person, and no ground was declared (the guide, step 4)."""

    code = "contacts-equal"
    detail = _(
        "Il contatto tecnico e il contatto organizzativo sono la stessa persona: indichi perché possono coincidere, "
        "o scriva un'altra persona."
    )


class VatInvalid(Invalid):
    """Neither a VAT number nor a tax code."""

    code = "vat-invalid"
    detail = _("La partita IVA o il codice fiscale non è corretto: controlli le cifre, l'ultima serve da verifica.")


class RegisterNumberInvalid(Invalid):
    """Not a number of that register."""

    code = "register-number-invalid"
    detail = _(
        "Il numero di iscrizione non è corretto: per il Registro delle Imprese è il codice fiscale "
        "dell'organizzazione, 11 cifre, o quello del titolare per una ditta individuale."
    )


class RegisterNumberIsRea(Invalid):
    """The REA number is another one, given by each province (domain notes F.2)."""

    code = "register-number-is-rea"
    detail = _(
        "Questo è il numero REA. Il numero di iscrizione al Registro delle Imprese è il codice fiscale "
        "dell'organizzazione: scriva quello, e il REA nel suo campo."
    )


class ReaInvalid(Invalid):
    """Not a REA number."""

    code = "rea-invalid"
    detail = _("Il numero REA non è corretto: lo scriva con la sigla della provincia, per esempio RM-1234567.")


class LeiInvalid(Invalid):
    """Check digits of ISO 17442 are wrong."""

    code = "lei-invalid"
    detail = _("Il codice LEI non è corretto: ha 20 caratteri e le ultime due cifre servono da verifica.")


class EuidInvalid(Invalid):
    """A European unique identifier of another country or shape."""

    code = "euid-invalid"
    detail = _("Il codice EUID non è corretto, o è di un Paese diverso da quello di costituzione.")


class CountryUnknown(Invalid):
    """No country of the list."""

    code = "country-unknown"
    detail = _("Scelga il Paese di costituzione dall'elenco.")


class DunsInvalid(Invalid):
    """Not nine digits, or a filler."""

    code = "duns-invalid"
    detail = _("Il D-U-N-S Number non è corretto: ha 9 cifre. Se l'organizzazione non lo ha, lasci il campo vuoto.")


class CsrNotOfRecipient(Invalid):
    """A key that the buyer made for another person's mailbox: he would read that person's mail."""

    code = "csr-not-of-recipient"
    detail = _(
        "Una chiave Sua vale solo per un certificato Suo: per un'altra persona la chiave è creata dal servizio, e solo "
        "il destinatario la riceve."
    )


class CsrUnfit(Invalid):
    """The uploaded request or its key cannot be certified; the more exact code says why."""

    code = "csr-invalid"
    detail = _("La richiesta (CSR) non può essere usata: serve un file PKCS #10 firmato con la sua chiave.")
