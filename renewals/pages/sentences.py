"""What is said of each situation of a case: where it stands, what to do now, what comes by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from renewals.services.standing import Situation


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences of one situation; `tone` and `icon` are its badge's. `case_words` fills in the dates."""

    tone: str
    icon: str
    badge: Any
    headline: Any
    said: Any
    todo: tuple[Any, ...] = ()
    ahead: Any = ""


_DOWNLOAD = _("Scarichi il programma, colleghi il lettore e inserisca la carta.")
_FOLLOW = _("Segua i passi fino all'installazione dei nuovi certificati. Tenga a portata di mano il PIN della carta.")
_CONTINUE = _("Riapra il programma con la stessa carta: riprende da dove si era fermato.")
_BUY_AGAIN = _("Per avere nuovi certificati si rivolga al CDRL: occorre un nuovo acquisto.")
_CALL = _("Chiami il CDRL, con il codice della pratica, e chieda che cosa manca.")
_CALL_AT_ONCE = _("Chiami subito il CDRL: appena autorizza il rinnovo, i certificati tornano a funzionare.")
_KEEP_CODE = _(
    "Non deve fare altro. Conservi con cura il codice utente ricevuto per e-mail: serve per sospendere, riattivare e "
    "revocare i certificati."
)
_EXPIRES = _(
    "Se i nuovi certificati non sono installati entro %(old_until)s, la pratica scade: per avere nuovi certificati "
    "occorre un nuovo acquisto."
)
_THREAT = _(
    "Se il CDRL non autorizza entro %(until)s, i nuovi certificati vengono sospesi e non può più usarli. Da quel "
    "momento il CDRL ha 120 giorni per riattivarli; poi vengono revocati in modo definitivo."
)
_THREAT_OF_REVOCATION = _(
    "Se il CDRL non autorizza entro %(until)s, i certificati vengono revocati in modo definitivo e il rinnovo non si "
    "può più concludere: occorre un nuovo acquisto."
)
_STILL_VALID = _("I certificati attuali restano validi fino alla loro scadenza, %(old_until)s, se non sono revocati.")
_REACTIVATE_HELD = _(
    "Se la sospensione è Sua, può rimuoverla Lei con il codice utente; altrimenti si rivolga al CDRL. La sospensione "
    "diventa revoca definitiva dopo 120 giorni."
)

OF: dict[Situation, Words] = {
    Situation.RENEW: Words(
        "wait",
        "mail",
        _("Da rinnovare"),
        _("Può rinnovare i certificati della Sua carta"),
        _("Manca la firma del modulo di rinnovo: tocca a Lei, con il programma sulla carta. Bastano pochi minuti."),
        (_DOWNLOAD, _FOLLOW),
        _EXPIRES,
    ),
    Situation.RENEW_HELD: Words(
        "danger",
        "lock",
        _("Fermo: certificati sospesi"),
        _("Il rinnovo è fermo: i certificati da rinnovare sono sospesi"),
        _("Un certificato sospeso non può essere rinnovato: prima va riattivato."),
        (_REACTIVATE_HELD, _("Poi rinnovi con il programma sulla carta.")),
        _EXPIRES,
    ),
    Situation.INSTALL: Words(
        "wait",
        "clock",
        _("Da installare"),
        _("Manca l'installazione dei nuovi certificati"),
        _("Il modulo è firmato. Per concludere deve installare i nuovi certificati sulla carta."),
        (_CONTINUE,),
        _EXPIRES,
    ),
    Situation.INSTALL_TO_AUTHORISE: Words(
        "wait",
        "clock",
        _("Da installare e da autorizzare"),
        _("Mancano l'installazione e l'autorizzazione del CDRL"),
        _(
            "Il modulo è firmato. Lei deve installare i nuovi certificati sulla carta; il CDRL deve autorizzare il "
            "rinnovo e può farlo già adesso."
        ),
        (_CONTINUE,),
        _EXPIRES,
    ),
    Situation.INSTALL_AUTHORISED: Words(
        "wait",
        "clock",
        _("Autorizzato, da installare"),
        _("Il rinnovo è autorizzato: manca l'installazione"),
        _("Il CDRL ha già autorizzato il rinnovo. Per concludere deve installare i nuovi certificati sulla carta."),
        (_CONTINUE,),
        _EXPIRES,
    ),
    Situation.INSTALL_HELD: Words(
        "danger",
        "lock",
        _("Fermo: certificati sospesi"),
        _("L'installazione è ferma: i certificati da rinnovare sono sospesi"),
        _("Il modulo è firmato, ma finché i certificati attuali sono sospesi il rinnovo non può proseguire."),
        (_REACTIVATE_HELD, _CONTINUE),
        _EXPIRES,
    ),
    Situation.EXPIRING: Words(
        "danger",
        "close-circle",
        _("In chiusura"),
        _("Il tempo per rinnovare è finito"),
        _(
            "I certificati sono scaduti %(old_until)s, prima che i nuovi fossero installati. La pratica si sta "
            "chiudendo."
        ),
        (_BUY_AGAIN,),
    ),
    Situation.EXPIRED_UNSIGNED: Words(
        "danger",
        "close-circle",
        _("Scaduta"),
        _("La pratica è scaduta"),
        _("I certificati sono scaduti %(old_until)s, prima che il modulo di rinnovo fosse firmato."),
        (_BUY_AGAIN,),
    ),
    Situation.EXPIRED_UNINSTALLED: Words(
        "danger",
        "close-circle",
        _("Scaduta"),
        _("La pratica è scaduta prima dell'installazione"),
        _("Il modulo era firmato, ma i certificati sono scaduti %(old_until)s, prima che i nuovi fossero installati."),
        (_BUY_AGAIN,),
    ),
    Situation.CONCLUDED: Words(
        "ok",
        "check-circle",
        _("Concluso"),
        _("Il rinnovo è concluso"),
        _("I nuovi certificati sono sulla carta e sono validi fino a %(new_until)s."),
        (_KEEP_CODE,),
    ),
    Situation.AUTHORISED: Words(
        "ok",
        "check-circle",
        _("Concluso e autorizzato"),
        _("Il rinnovo è concluso e autorizzato"),
        _("Il CDRL ha autorizzato il rinnovo. I nuovi certificati sono validi fino a %(new_until)s."),
        (_KEEP_CODE,),
    ),
    Situation.REACTIVATING: Words(
        "wait",
        "clock",
        _("Riattivazione in corso"),
        _("Il rinnovo è autorizzato: i certificati vengono riattivati"),
        _("Il CDRL ha autorizzato il rinnovo. La riattivazione è in corso e di solito richiede pochi minuti."),
        (_("Riprovi a usare la carta tra qualche minuto. Riceverà un'e-mail a riattivazione avvenuta."),),
    ),
    Situation.CONCLUDED_HELD: Words(
        "danger",
        "lock",
        _("Concluso, con sospensione"),
        _("Il rinnovo è concluso, ma c'è un certificato sospeso"),
        _(
            "Il rinnovo non ne è la causa: la sospensione è stata disposta a parte. Più sotto vede quale certificato è "
            "sospeso."
        ),
        (_REACTIVATE_HELD,),
    ),
    Situation.WAITING: Words(
        "wait",
        "pencil",
        _("Da autorizzare"),
        _("I nuovi certificati funzionano; manca l'autorizzazione del CDRL"),
        _("Lei ha fatto tutto ciò che doveva. Il rinnovo è concluso solo in parte finché il CDRL non lo autorizza."),
        (_("Attenda l'autorizzazione. Se la scadenza si avvicina, la solleciti da qui o chiami il CDRL."),),
        _THREAT,
    ),
    Situation.WAITING_HELD: Words(
        "danger",
        "lock",
        _("Sospeso e da autorizzare"),
        _("C'è un certificato sospeso, e manca l'autorizzazione del CDRL"),
        _(
            "Sono due cose distinte: la sospensione è stata disposta a parte, e l'autorizzazione del rinnovo manca "
            "ancora."
        ),
        (_REACTIVATE_HELD, _("Per l'autorizzazione attenda il CDRL, oppure la solleciti da qui.")),
        _THREAT,
    ),
    Situation.REFUSED: Words(
        "danger",
        "close-circle",
        _("Non approvato"),
        _("Il CDRL non ha approvato il rinnovo"),
        _("I nuovi certificati per ora funzionano. Il CDRL può ancora cambiare la decisione."),
        (_CALL,),
        _THREAT,
    ),
    Situation.REFUSED_HELD: Words(
        "danger",
        "close-circle",
        _("Non approvato, con sospensione"),
        _("Il CDRL non ha approvato il rinnovo, e c'è un certificato sospeso"),
        _("Sono due cose distinte: la sospensione è stata disposta a parte. Il CDRL può ancora approvare il rinnovo."),
        (_CALL, _REACTIVATE_HELD),
        _THREAT,
    ),
    Situation.SUSPENDING: Words(
        "danger",
        "lock",
        _("Sospensione in corso"),
        _("I nuovi certificati stanno per essere sospesi"),
        _(
            "Il CDRL non ha autorizzato il rinnovo in tempo: la sospensione è in corso e di solito richiede pochi "
            "minuti."
        ),
        (_CALL_AT_ONCE,),
        _(
            "Dalla sospensione il CDRL ha 120 giorni per autorizzare il rinnovo e riattivare i certificati; poi "
            "vengono revocati in modo definitivo."
        ),
    ),
    Situation.SUSPENDED: Words(
        "danger",
        "lock",
        _("Sospeso"),
        _("I nuovi certificati sono sospesi"),
        _(
            "Il CDRL non ha autorizzato il rinnovo entro la scadenza dei certificati precedenti. Sono sospesi da "
            "%(suspended)s: non può usarli finché il CDRL non autorizza."
        ),
        (_CALL_AT_ONCE,),
        _THREAT_OF_REVOCATION,
    ),
    Situation.SUSPENDED_REFUSED: Words(
        "danger",
        "lock",
        _("Sospeso e non approvato"),
        _("I nuovi certificati sono sospesi: il CDRL non ha approvato il rinnovo"),
        _("Sono sospesi da %(suspended)s: non può usarli. Il CDRL può ancora cambiare la decisione."),
        (_CALL_AT_ONCE,),
        _THREAT_OF_REVOCATION,
    ),
    Situation.LAPSING: Words(
        "danger",
        "ban",
        _("Revoca imminente"),
        _("Il termine per autorizzare è passato"),
        _("I nuovi certificati sono sospesi da %(suspended)s e stanno per essere revocati in modo definitivo."),
        (_("Chiami subito il CDRL."),),
        _("La revoca non si può annullare: dopo occorre un nuovo acquisto."),
    ),
    Situation.LAPSED: Words(
        "danger",
        "ban",
        _("Revocato"),
        _("Il rinnovo non si può più concludere"),
        _(
            "Il CDRL non lo ha autorizzato entro 120 giorni dalla sospensione: i nuovi certificati sono stati revocati "
            "in modo definitivo (%(closed)s)."
        ),
        (_BUY_AGAIN,),
    ),
    Situation.REVOKED: Words(
        "danger",
        "ban",
        _("Revocato"),
        _("I nuovi certificati sono stati revocati"),
        _("Una revoca è definitiva: questi certificati non possono più essere usati né riattivati."),
        (_BUY_AGAIN,),
    ),
    Situation.OVER: Words(
        "neutral",
        "clock",
        _("Non più in uso"),
        _("I certificati di questo rinnovo non sono più in uso"),
        _("Il rinnovo si era concluso; i certificati che ne sono nati sono scaduti o revocati."),
        (_("Se ha una pratica più recente, usi il suo codice. Altrimenti si rivolga al CDRL."),),
    ),
    Situation.CANCELLED: Words(
        "neutral",
        "ban",
        _("Annullata"),
        _("La pratica è stata annullata"),
        _("È stata chiusa %(closed)s, prima dell'installazione di nuovi certificati."),
        (_("Se vuole rinnovare, chiami il CDRL: solo il CDRL può riaprire la pratica."),),
        _STILL_VALID,
    ),
    Situation.CANCELLED_REFUSED: Words(
        "danger",
        "close-circle",
        _("Non approvata"),
        _("Il CDRL non ha approvato il rinnovo"),
        _("La pratica è stata chiusa %(closed)s, prima dell'installazione di nuovi certificati."),
        (_("Chiami il CDRL e chieda che cosa manca: solo il CDRL può riaprire la pratica."),),
        _STILL_VALID,
    ),
    Situation.CANCELLED_BY_HOLDER: Words(
        "neutral",
        "ban",
        _("Chiusa su Sua richiesta"),
        _("La pratica è chiusa su Sua richiesta"),
        _("È stata chiusa %(closed)s: non riceverà altri avvisi su questo rinnovo."),
        (_("Se cambia idea, chiami il CDRL: solo il CDRL può riaprire la pratica."),),
        _STILL_VALID,
    ),
    Situation.CANCELLED_REVOKED: Words(
        "danger",
        "ban",
        _("Chiusa per revoca"),
        _("La pratica è chiusa: i certificati da rinnovare sono stati revocati"),
        _("Un certificato revocato non può essere rinnovato. La pratica è stata chiusa %(closed)s."),
        (_BUY_AGAIN,),
    ),
}
