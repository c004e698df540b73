"""Refusals at the holder's own pages. None of them says whether the register knows a person."""

from django.utils.translation import gettext_noop as _

from cms.errors.kinds import Conflict, Forbidden, NotFound


class CodeRefused(Forbidden):
    """Wrong code, no code, no such person, or a path that ten errors have closed: always these words."""

    code = "user-code-refused"
    detail = _(
        "Il codice fiscale e il codice utente non corrispondono, oppure l'accesso con il codice utente è chiuso perché "
        "è stato sbagliato dieci volte di seguito."
    )
    action = "correct-data"


class TriesTooMany(Forbidden):
    """One network address tries too often, whatever it tries."""

    code = "tries-too-many"
    detail = _("Da questo collegamento a Internet sono arrivate troppe richieste: riprovi tra un'ora.")
    action = "retry"


class VisitOver(Forbidden):
    """Nobody is recognised: the visit has ended by time, by leaving, or because a new code was issued."""

    code = "visit-over"
    detail = _("La visita alle Sue pagine è terminata e l'operazione non è stata eseguita.")
    action = "retry"


class VisitTooWeak(Forbidden):
    """The way by which the holder came in allows less than this: a link allows a suspension, a case code nothing."""

    code = "visit-too-weak"
    detail = _("Con questo accesso i certificati si possono solo sospendere. Per il resto acceda con il codice utente.")


class LinkUnknown(NotFound):
    """No link has this token."""

    code = "link-unknown"
    detail = _("Il collegamento non è valido: controlli di averlo copiato per intero dall'e-mail.")


class LinkUsed(Conflict):
    """The link has done its work."""

    code = "link-used"
    detail = _("Il collegamento è già stato usato: vale una volta sola.")


class LinkExpired(Conflict):
    """The link was not used in time."""

    code = "link-expired"
    detail = _("Il collegamento è scaduto.")


class CardUnknown(Forbidden):
    """The number is none of the holder's cards, or ten wrong ones have closed this way."""

    code = "card-number-refused"
    detail = _("Il numero indicato non è quello di una Sua carta, oppure è stato sbagliato dieci volte di seguito.")
    action = "correct-data"


class MailboxMissing(Conflict):
    """What goes by mail alone cannot reach a person without a mailbox in the register."""

    code = "mailbox-missing"
    detail = _("Il titolare non ha un indirizzo e-mail registrato.")
