"""What a state means, in the words of the operators' guide, and what that is for the people concerned."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.states import Flow
from renewals.admin import badges
from renewals.models import RenewalCase
from renewals.states import Authorisation, CaseState

_STATES = {
    CaseState.NOTIFIED: gettext_lazy(
        "In attesa della firma del modulo: il titolare è stato avvisato e può rinnovare dal programma sulla carta."
    ),
    CaseState.AWAITING_INSTALLATION: gettext_lazy(
        "In attesa della installazione dei nuovi certificati: il modulo è firmato e le unità sono prenotate."
    ),
    CaseState.COMPLETED: gettext_lazy(
        "Rinnovo completato: i nuovi certificati sono sulla carta e il titolare ha ricevuto il codice utente."
    ),
    CaseState.EXPIRED: gettext_lazy(
        "Pratica di rinnovo scaduta: non può più proseguire. Per usufruire del servizio occorre un nuovo acquisto."
    ),
    CaseState.CANCELLED: gettext_lazy("Pratica di rinnovo cancellata prima dell'installazione dei nuovi certificati."),
}

# Of an extension no guide speaks to operators; what they read must be true of it (rules.md R29).
_STATES_OF_EXTENSION = {
    CaseState.NOTIFIED: gettext_lazy("Estensione iniziata: il titolare deve accettare le condizioni d'uso."),
    CaseState.AWAITING_INSTALLATION: gettext_lazy(
        "In attesa della installazione del nuovo certificato: le condizioni sono accettate e l'unità è prenotata."
    ),
    CaseState.COMPLETED: gettext_lazy("Estensione completata: il nuovo certificato è sulla carta."),
    CaseState.EXPIRED: gettext_lazy("Estensione scaduta: il certificato è scaduto prima dell'installazione."),
    CaseState.CANCELLED: gettext_lazy("Estensione cancellata prima dell'installazione del nuovo certificato."),
}


def meaning(case: RenewalCase) -> str:
    """Say what the state means now, with what is missing for the renewal to be concluded."""
    states = _STATES_OF_EXTENSION if case.flow == Flow.EXTEND else _STATES
    said = str(states[CaseState(case.state)])
    more = _of_authorisation(case)
    return f"{said} {more}" if more else said


def _of_authorisation(case: RenewalCase) -> str:
    if badges.is_suspended(case):
        return _(
            "Il rinnovo non è stato autorizzato entro la scadenza del vecchio certificato: i nuovi certificati sono "
            "sospesi e possono essere riattivati entro 120 giorni dalla sospensione, approvando il rinnovo."
        )
    if case.waits_for_approval and case.authorisation == Authorisation.REFUSED:
        return _("Il CDRL non lo ha approvato: può ancora farlo fino alla revoca.")
    if case.waits_for_approval:
        return _("Il rinnovo è concluso solo in parte: serve l'autorizzazione del CDRL.")
    if case.state == CaseState.AWAITING_INSTALLATION and case.authorisation == Authorisation.PENDING:
        return _("Il CDRL può già decidere.")
    return ""
