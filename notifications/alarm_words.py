"""Alarms in words: what is wrong, how much of it, and what a person does about it; for the panel and for mails.

A mail carries kind and numbers and is put into words when it is sent, in its reader's language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

Text = str | Promise
MOST = 1000
"""Whoever looks counts no further: so many are said as «1000+»."""


@dataclass(frozen=True, slots=True)
class Words:
    """One kind of alarm. `amount` takes the number of cases; without one, only the instant is told."""

    title: Text
    remedy: Text
    amount: Any = None

    def detail(self, facts: Mapping[str, Any], said_at: Callable[[datetime], str]) -> str:
        """Say how many there are and since when; `said_at` writes the instant as page or mail do."""
        count, since = int(facts.get("count") or 0), facts.get("since")
        said = str(self.amount % count) if self.amount is not None and count else ""
        if count >= MOST:
            said = said.replace(str(count), f"{count}+", 1)
        if not since:
            return said or str(self.title)
        when = said_at(datetime.fromisoformat(str(since)))
        return (
            _("%(what)s, dal %(when)s") % {"what": said, "when": when} if said else _("Dal %(when)s") % {"when": when}
        )


UNKNOWN = Words(gettext_lazy("Allarme di una versione precedente"), "")
WORDS: Mapping[str, Words] = {
    "revocations-overdue": Words(
        gettext_lazy("Revoche in ritardo"),
        gettext_lazy(
            "Controlli che worker e beat siano in funzione e che la CA risponda: le revoche partono da sole appena"
            " possono."
        ),
        ngettext_lazy("%d revoca in ritardo di più di 5 minuti", "%d revoche in ritardo di più di 5 minuti"),
    ),
    "suspensions-overdue": Words(
        gettext_lazy("Sospensioni in ritardo"),
        gettext_lazy(
            "Controlli che worker e beat siano in funzione e che la CA risponda: le sospensioni partono da sole appena"
            " possono."
        ),
        ngettext_lazy("%d sospensione in ritardo di più di 5 minuti", "%d sospensioni in ritardo di più di 5 minuti"),
    ),
    "beat-silent": Words(
        gettext_lazy("Beat non dà segni di vita"),
        gettext_lazy("Riavvii il processo beat: senza, scadenze, sospensioni e avvisi non partono. Nulla va perso."),
    ),
    "schedule-silent": Words(
        gettext_lazy("Le attività periodiche non vengono eseguite"),
        gettext_lazy("Controlli beat, Redis e i worker, in quest'ordine, e riavvii ciò che è fermo. Nulla va perso."),
    ),
    "crl-old": Words(
        gettext_lazy("CRL non rinnovata in tempo"),
        gettext_lazy(
            "Controlli che i worker siano in funzione e che la chiave della CA si apra"
            " (manage.py check --database default): una CRL scaduta fa rifiutare tutti i certificati."
        ),
        ngettext_lazy("%d CRL oltre la metà della sua durata", "%d CRL oltre la metà della loro durata"),
    ),
    "publication-late": Words(
        gettext_lazy("Cambiamenti di stato non ancora pubblicati nella CRL"),
        gettext_lazy(
            "Controlli che i worker siano in funzione e che la chiave della CA si apra: l'OCSP dice già il nuovo stato."
        ),
    ),
    "ca-outcome-unknown": Words(
        gettext_lazy("Esito sconosciuto presso la CA"),
        gettext_lazy(
            "Controlli che la CA risponda: le richieste vengono verificate e ripetute da sole, con lo stesso numero."
        ),
        ngettext_lazy(
            "%d richiesta alla CA senza esito da più di 10 minuti",
            "%d richieste alla CA senza esito da più di 10 minuti",
        ),
    ),
    "ca-unasked": Words(
        gettext_lazy("Richieste non ancora inviate alla CA"),
        gettext_lazy("Controlli che i worker siano in funzione: le richieste partono da sole appena possono."),
        ngettext_lazy("%d richiesta in attesa da più di 10 minuti", "%d richieste in attesa da più di 10 minuti"),
    ),
    "ca-refused": Words(
        gettext_lazy("Richieste rifiutate dalla CA"),
        gettext_lazy(
            "Legga il motivo nell'evento «Richiesta rifiutata dalla CA» della pratica: la guida operativa dice che cosa"
            " fare per ciascuno. L'allarme rientra un giorno dopo l'ultimo rifiuto."
        ),
        ngettext_lazy("%d richiesta rifiutata nelle ultime 24 ore", "%d richieste rifiutate nelle ultime 24 ore"),
    ),
    "notices-overdue": Words(
        gettext_lazy("Avvisi in ritardo"),
        gettext_lazy(
            "Controlli che worker e beat siano in funzione: avvisi ed e-mail partono da soli appena possono, e ogni"
            " scadenza si annuncia una volta sola."
        ),
        ngettext_lazy(
            "%d avviso o e-mail in ritardo di più di 5 minuti", "%d avvisi o e-mail in ritardo di più di 5 minuti"
        ),
    ),
    "mail-late": Words(
        gettext_lazy("E-mail in attesa da più di 15 minuti"),
        gettext_lazy(
            "Controlli che il server di posta risponda e che i worker siano in funzione: le e-mail partono da sole."
        ),
    ),
    "status-differs": Words(
        gettext_lazy("Registro, CA, CRL e OCSP non concordano"),
        gettext_lazy("Apra «Stato dei certificati»: ogni differenza è elencata con ciò che ne dice ciascuno."),
        ngettext_lazy("%d differenza nell'ultimo controllo", "%d differenze nell'ultimo controllo"),
    ),
    "chain-broken": Words(
        gettext_lazy("La catena degli eventi non è integra"),
        gettext_lazy(
            "Non modifichi nulla: esegua manage.py verify_events, conservi una copia della base di dati e confronti i"
            " sigilli con quelli custoditi all'esterno."
        ),
        ngettext_lazy("%d anomalia nell'ultima verifica", "%d anomalie nell'ultima verifica"),
    ),
    "trust-old": Words(
        gettext_lazy("Liste di fiducia scadute o moduli firmati in attesa"),
        gettext_lazy(
            "Esegua manage.py load_trusted_lists e controlli l'accesso agli indirizzi delle liste e delle CRL: finché"
            " mancano, le firme restano in verifica e nessuna viene accettata."
        ),
        ngettext_lazy("%d lista o modulo in attesa", "%d liste o moduli in attesa"),
    ),
    "identification-silent": Words(
        gettext_lazy("Il fornitore del riconoscimento non risponde"),
        gettext_lazy(
            "Controlli l'accesso al fornitore, le credenziali e i worker: inviti ed esiti arrivano da soli appena"
            " risponde, e nessun tentativo va perso."
        ),
        ngettext_lazy(
            "%d riconoscimento senza risposta da più di 30 minuti",
            "%d riconoscimenti senza risposta da più di 30 minuti",
        ),
    ),
}
