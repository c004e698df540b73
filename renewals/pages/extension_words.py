"""What is said of an extension where a renewal's sentence would not be true: no form, no purchase, no mailed code."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from cms.states import Flow
from renewals.models import RenewalCase
from renewals.pages import sentences
from renewals.pages.sentences import Words
from renewals.services.standing import Situation

_DOWNLOAD = _("Scarichi il programma, colleghi il lettore e inserisca la carta.")
_FOLLOW = _("Accetti le condizioni d'uso e segua i passi fino alla fine. Tenga a portata di mano i codici PIN e PUK.")
_CONTINUE = _("Riapra il programma con la stessa carta: riprende da dove si era fermato.")
_EXPIRES = _(
    "Se il nuovo certificato non è installato entro %(old_until)s, la pratica scade e la carta non si estende più."
)
_ASK = _("Per sapere come avere una nuova carta si rivolga al CDRL.")
_STILL_VALID = _("Il certificato attuale resta valido fino alla sua scadenza, %(old_until)s, se non è revocato.")

OF: dict[Situation, Words] = {
    Situation.RENEW: Words(
        "wait",
        "clock",
        _("Da estendere"),
        _("Può estendere l'uso della Sua carta"),
        _("Manca l'accettazione delle condizioni d'uso: tocca a Lei, con il programma sulla carta."),
        (_DOWNLOAD, _FOLLOW),
        _EXPIRES,
    ),
    Situation.INSTALL: Words(
        "wait",
        "clock",
        _("Da installare"),
        _("Manca l'installazione del nuovo certificato"),
        _("Le condizioni d'uso sono accettate. Per concludere deve installare il nuovo certificato sulla carta."),
        (_CONTINUE,),
        _EXPIRES,
    ),
    Situation.INSTALL_HELD: Words(
        "danger",
        "lock",
        _("Fermo: certificato sospeso"),
        _("L'installazione è ferma: il certificato da estendere è sospeso"),
        _("Finché il certificato attuale è sospeso l'estensione non può proseguire."),
        (_("Si rivolga al CDRL per la riattivazione."), _CONTINUE),
        _EXPIRES,
    ),
    Situation.EXPIRING: Words(
        "danger",
        "close-circle",
        _("In chiusura"),
        _("Il tempo per estendere la carta è finito"),
        _("Il certificato è scaduto %(old_until)s, prima che il nuovo fosse installato. La pratica si sta chiudendo."),
        (_ASK,),
    ),
    Situation.EXPIRED_UNSIGNED: Words(
        "danger",
        "close-circle",
        _("Scaduta"),
        _("La pratica è scaduta"),
        _("Il certificato è scaduto %(old_until)s, prima che le condizioni d'uso fossero accettate."),
        (_ASK,),
    ),
    Situation.EXPIRED_UNINSTALLED: Words(
        "danger",
        "close-circle",
        _("Scaduta"),
        _("La pratica è scaduta prima dell'installazione"),
        _("Il certificato è scaduto %(old_until)s, prima che il nuovo fosse installato."),
        (_ASK,),
    ),
    Situation.CONCLUDED: Words(
        "ok",
        "check-circle",
        _("Concluso"),
        _("L'estensione è conclusa"),
        _("Il nuovo certificato è sulla carta: può usarla fino a %(new_until)s."),
        (_("Non deve fare altro."),),
    ),
    Situation.CANCELLED: Words(
        "neutral",
        "ban",
        _("Chiusa"),
        _("La pratica di estensione è chiusa"),
        _("È stata chiusa %(closed)s, prima dell'installazione di un nuovo certificato."),
        (_("Se vuole estendere la carta, chiami il CDRL: solo il CDRL può riaprire la pratica."),),
        _STILL_VALID,
    ),
    Situation.CANCELLED_REVOKED: Words(
        "danger",
        "ban",
        _("Chiusa per revoca"),
        _("La pratica è chiusa: il certificato da estendere è stato revocato"),
        _("Un certificato revocato non può essere esteso. La pratica è stata chiusa %(closed)s."),
        (_ASK,),
    ),
}


def words_of(case: RenewalCase, situation: Situation) -> Words:
    """The sentences of a situation, in the words of the case's flow."""
    said = sentences.OF[situation]
    return OF.get(situation, said) if case.flow == Flow.EXTEND else said
