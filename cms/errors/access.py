"""Refusals about people, invitations, centres and what they agreed."""

from django.utils.translation import gettext_noop as _

from cms.errors.kinds import Conflict, Forbidden, Invalid, NotFound


class InvitationUnknown(NotFound):
    """No invitation has this link; an older link was replaced by a newer one."""

    code = "invitation-unknown"
    detail = _("Il collegamento dell'invito non è valido: se ne ha ricevuti più d'uno, vale solo l'ultimo.")


class InvitationExpired(Conflict):
    """The link was not used in time."""

    code = "invitation-expired"
    detail = _("L'invito è scaduto.")
    action = "contact-centre"


class InvitationUsed(Conflict):
    """The link has done its work."""

    code = "invitation-used"
    detail = _("L'invito è già stato accettato: il collegamento vale una volta sola.")


class InvitationWithdrawn(Conflict):
    """Whoever invited has thought better of it."""

    code = "invitation-withdrawn"
    detail = _("L'invito è stato ritirato da chi l'ha mandato.")
    action = "contact-centre"


class InvitationForeign(Forbidden):
    """The invitation is for another person than the one who has logged in."""

    code = "invitation-foreign"
    detail = _("L'invito è destinato a un'altra persona, non all'account con cui è entrato.")


class InvitationNeedsLogin(Conflict):
    """The person invited has an account already: it is joined after its login, not by the link alone."""

    code = "invitation-login"
    detail = _("Per questo indirizzo esiste già un account: entri con quello, poi accetti l'invito.")


class MemberPresent(Conflict):
    """Whoever is invited belongs there already."""

    code = "member-present"
    detail = _("Questa persona ha già accesso: se serve, ne cambi il ruolo.")


class TaxCodeTaken(Conflict):
    """The codice fiscale belongs to another account."""

    code = "tax-code-taken"
    detail = _("Il codice fiscale risulta già associato a un altro account: controlli il codice e l'indirizzo e-mail.")
    action = "correct-data"


class PasswordWeak(Invalid):
    """The password does not follow the policy."""

    code = "password-weak"
    detail = _("La password non è abbastanza sicura.")


class ManagerLast(Conflict):
    """A centre is never left without a manager."""

    code = "manager-last"
    detail = _("È l'unico responsabile del CDRL: prima ne nomini un altro.")


class AdministratorLast(Conflict):
    """The provider is never left without an administrator."""

    code = "administrator-last"
    detail = _("È l'unico amministratore attivo: prima ne inviti un altro.")


class OwnAccess(Forbidden):
    """Nobody changes his own rights."""

    code = "access-own"
    detail = _("Nessuno può cambiare il proprio accesso: lo chieda a un altro responsabile o a un amministratore.")


class ServiceInUse(Conflict):
    """What pairs were issued under does not change under them."""

    code = "service-in-use"
    detail = _("Esistono già coppie di certificati di questo servizio: flusso, tipi e durata non possono più cambiare.")


class SuccessorLoop(Conflict):
    """A chain of successors that leads back to its beginning."""

    code = "successor-loop"
    detail = _(
        "Il servizio successore riporta a questo servizio: la catena dei successori non può chiudersi su sé stessa."
    )


class CodeTaken(Conflict):
    """A centre or service of that code or name exists."""

    code = "code-taken"
    detail = _("Il codice o il nome è già usato: ne scelga un altro.")
    action = "correct-data"
