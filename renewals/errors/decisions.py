"""What stands in the way of an operator."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Forbidden, Invalid


class HolderDecides(Forbidden):
    """The approver is never the holder of the case (REG-6.2.2-26)."""

    code = "approver-is-holder"
    detail = _("Il titolare della pratica non può decidere sul proprio rinnovo.")


class NotAuthorisable(Conflict):
    """The case is not one that waits for, or can still take, a decision."""

    code = "decision-not-open"
    detail = _("Su questa pratica non è possibile decidere.")


class CertificatesGone(NotAuthorisable):
    """All new certificates are revoked: nothing is left to authorise."""

    code = "certificates-revoked"
    detail = _("I nuovi certificati sono revocati: non c'è più nulla da autorizzare.")


class ReasonMissing(Invalid):
    """A refusal needs a reason."""

    code = "reason-missing"
    detail = _("Indichi il motivo.")


class SelectionEmpty(Invalid):
    """A decision on several cases without any."""

    code = "selection-empty"
    detail = _("Non è selezionata nessuna pratica su cui decidere.")


class SelectionTooLarge(Invalid):
    """More cases at once than the settings allow."""

    code = "selection-too-large"
    detail = _("Le pratiche selezionate sono troppe per una sola operazione: le decida in più volte.")


class NotReopenable(Conflict):
    """Only the last case of a pair, cancelled or refused before installation, is opened again."""

    code = "case-not-reopenable"
    detail = _(
        "La pratica non può essere riaperta: si riapre solo l'ultima pratica di una carta, se è stata cancellata."
    )


class LetterSecret(Conflict):
    """A mail that carried a secret is issued anew, never sent again."""

    code = "message-secret"
    detail = _("Il messaggio conteneva un codice riservato, che non viene conservato: non può essere inviato di nuovo.")


class LetterWaits(Conflict):
    """The mail is in the queue: sending it again would send it twice."""

    code = "message-queued"
    detail = _("Il messaggio è già in coda e partirà da solo.")


class LetterSentOften(Conflict):
    """One mail was sent again too often within a day."""

    code = "message-sent-often"
    detail = _(
        "Il messaggio non è stato inviato: oggi è già stato inviato di nuovo cinque volte. Verifichi l'indirizzo e-mail"
        " con il titolare, oppure riprovi domani."
    )


class CodeSentOften(Conflict):
    """Too many new user codes for one case within an hour: each one makes the mails before it a lie."""

    code = "user-code-sent-often"
    detail = _(
        "Il codice non è stato inviato: nell'ultima ora ne sono già stati inviati tre. Verifichi l'indirizzo e-mail con"
        " il titolare e riprovi fra un'ora; vale l'ultimo codice inviato."
    )


class CodeNotGiven(Conflict):
    """A user code is issued again only where a renewal has given one."""

    code = "user-code-not-given"
    detail = _("Il codice non è stato inviato: il titolare riceve un codice utente solo con un rinnovo concluso.")
