"""Writing the event trail, in the transaction of the fact. The verbs are a closed list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop as _

from cms.actors import Actor
from cms.models import Event
from cms.states import Outcome

VERBS = {
    "card.registered": _("Carta registrata"),
    "case.opened": _("Pratica aperta"),
    "case.resumed": _("Pratica ripresa"),
    "case.diagnosed": _("Diagnostica superata"),
    "case.diagnosis-failed": _("Carta non idonea"),
    "case.contacts-changed": _("Recapiti aggiornati"),
    "case.mailbox-confirmed": _("Nuova e-mail confermata"),
    "case.terms-accepted": _("Contratti e clausole accettati"),
    "case.form-rendered": _("Creazione modulo"),
    "case.signed": _("Modulo firmato"),
    "case.requests-received": _("Richieste di certificato ricevute"),
    "case.completed": _("Certificati installati"),
    "case.failed-at-client": _("Errore sul client"),
    "case.approved": _("Rinnovo approvato"),
    "case.refused": _("Rinnovo non approvato"),
    "case.cancelled": _("Pratica cancellata"),
    "case.expired": _("Pratica scaduta"),
    "case.suspension-due": _("Sospensione per mancata autorizzazione"),
    "case.revocation-due": _("Revoca per mancata autorizzazione"),
    "case.reopened": _("Pratica riaperta"),
    "case.letter-resent": _("Messaggio inviato di nuovo"),
    "case.letter-bounced": _("Messaggio respinto dalla casella"),
    "case.urged": _("Autorizzazione sollecitata dal titolare"),
    "certificate.issued": _("Certificato emesso"),
    "certificate.held": _("Certificato sospeso"),
    "certificate.released": _("Certificato riattivato"),
    "certificate.revoked": _("Certificato revocato"),
    "certificate.hold-asked": _("Sospensione richiesta"),
    "certificate.release-asked": _("Riattivazione richiesta"),
    "certificate.revocation-asked": _("Revoca richiesta"),
    "certificate.revocation-proposed": _("Revoca proposta"),
    "certificate.revocation-refused": _("Proposta di revoca respinta"),
    "certificate.revocation-withdrawn": _("Proposta di revoca ritirata"),
    "ca.request-refused": _("Richiesta rifiutata dalla CA"),
    "events.exported": _("Esportazione eventi"),
    "rehearsal.exported": _("Prova generale scaricata"),
    "stock.purchased": _("Acquisto certificati"),
    "stock.corrected": _("Rettifica giacenza"),
    "stock.empty": _("Giacenza insufficiente"),
    "stock.low": _("Giacenza sotto soglia"),
    "stock.threshold-changed": _("Soglia di giacenza modificata"),
    "stock.exported": _("Movimenti della giacenza scaricati"),
    "purchase.requested": _("Richiesta di acquisto"),
    "purchase.confirmed": _("Acquisto confermato"),
    "purchase.credited": _("Acquisto accreditato"),
    "purchase.refused": _("Acquisto respinto"),
    "purchase.withdrawn": _("Richiesta di acquisto ritirata"),
    "import.checked": _("Importazione controllata"),
    "import.started": _("Importazione avviata"),
    "import.discarded": _("Importazione abbandonata"),
    "job.started": _("Operazione avviata"),
    "job.stopped": _("Operazione interrotta"),
    "access.invited": _("Invito inviato"),
    "access.invitation-resent": _("Invito inviato di nuovo"),
    "access.invitation-withdrawn": _("Invito ritirato"),
    "access.granted": _("Invito accettato"),
    "access.role-changed": _("Ruolo cambiato"),
    "access.removed": _("Accesso tolto"),
    "access.account-closed": _("Account disattivato"),
    "access.account-opened": _("Account riattivato"),
    "access.factors-removed": _("Secondi fattori rimossi"),
    "centre.registered": _("CDRL registrato"),
    "centre.changed": _("CDRL modificato"),
    "agreement.made": _("Accordo stipulato"),
    "agreement.changed": _("Accordo modificato"),
    "service.offered": _("Servizio aggiunto"),
    "service.changed": _("Servizio modificato"),
    "campaign.opened": _("Campagna di estensione aperta"),
    "campaign.changed": _("Campagna di estensione modificata"),
    "campaign.list-extended": _("Elenco della campagna caricato"),
    "status-check.started": _("Controllo dello stato avviato"),
    "revocation-stop.asked": _("Fermo delle revoche chiesto"),
    "revocation-stop.confirmed": _("Fermo delle revoche confermato"),
    "revocation-stop.withdrawn": _("Richiesta di fermo delle revoche ritirata"),
    "revocation-stop.lifted": _("Fermo delle revoche tolto"),
    "user-code.closed": _("Codice utente chiuso dopo dieci errori"),
    "user-code.reopened": _("Codice utente riaperto"),
    "user-code.reissued": _("Nuovo codice utente inviato"),
    "holder-link.sent": _("Collegamento inviato al titolare"),
    "support.opened": _("Richiesta di supporto aperta"),
    "support.assigned": _("Richiesta di supporto presa in carico"),
    "support.answered": _("Risposta alla richiesta di supporto"),
    "support.closed": _("Richiesta di supporto chiusa"),
    "support.reopened": _("Richiesta di supporto riaperta"),
    "login.refused": _("Accesso rifiutato"),
    "smime.order-started": _("S/MIME: pratica iniziata"),
    "smime.order-submitted": _("S/MIME: verifica avviata"),
    "smime.order-cancelled": _("S/MIME: pratica annullata dal cliente"),
    "smime.address-confirmed": _("S/MIME: indirizzo dell'account confermato"),
    "smime.address-removed": _("S/MIME: indirizzo dell'account tolto"),
    "smime.order-lapsed": _("S/MIME: pratica decaduta"),
    "smime.reissue-given-up": _("S/MIME: nuova emissione lasciata, vale il certificato esistente"),
    "smime.data-changed": _("S/MIME: dati modificati"),
    "smime.check-passed": _("S/MIME: verifica superata"),
    "smime.check-failed": _("S/MIME: verifica non superata"),
    "smime.check-restarted": _("S/MIME: verifica da ripetere"),
    "smime.consent-given": _("S/MIME: consenso dato"),
    "smime.consent-refused": _("S/MIME: consenso rifiutato"),
    "smime.consent-withdrawn": _("S/MIME: consenso ritirato"),
    "smime.identification-opened": _("S/MIME: riconoscimento predisposto"),
    "smime.identification-started": _("S/MIME: riconoscimento avviato"),
    "smime.identification-ended": _("S/MIME: riconoscimento concluso"),
    "smime.identity-erased": _("S/MIME: foto e dati del documento cancellati"),
    "smime.biometric-reopened": _("S/MIME: riconoscimento biometrico riaperto"),
    "smime.attestation-sent": _("S/MIME: attestazione inviata"),
    "smime.slots-credited": _("S/MIME: attivazioni accreditate"),
    "smime.slot-withdrawn": _("S/MIME: attivazione ritirata"),
    "smime.form-made": _("S/MIME: modulo da firmare predisposto"),
    "smime.form-received": _("S/MIME: modulo firmato ricevuto"),
    "smime.signature-judged": _("S/MIME: firma del modulo verificata"),
    "smime.check-taken": _("S/MIME: verifica presa in carico"),
    "smime.check-left": _("S/MIME: verifica lasciata ad altri"),
    "smime.finding-recorded": _("S/MIME: riscontro registrato"),
    "smime.papers-asked": _("S/MIME: documenti richiesti"),
    "smime.evidence-added": _("S/MIME: documento raccolto dall'ufficio"),
    "smime.decision-refused": _("S/MIME: operazione dell'ufficio rifiutata"),
    "smime.order-rejected": _("S/MIME: pratica respinta"),
    "smime.approved": _("S/MIME: emissione approvata"),
    "smime.issued": _("S/MIME: certificato emesso"),
    "smime.issuance-refused": _("S/MIME: emissione rifiutata dalla CA"),
    "smime.issued-in-vain": _("S/MIME: certificato emesso e da revocare subito"),
    "smime.revocation-asked": _("S/MIME: revoca richiesta"),
    "smime.hold-asked": _("S/MIME: sospensione richiesta"),
    "smime.release-asked": _("S/MIME: riattivazione richiesta"),
    "smime.revoked": _("S/MIME: certificato revocato"),
    "smime.held": _("S/MIME: certificato sospeso"),
    "smime.released": _("S/MIME: certificato riattivato"),
    "smime.downloaded": _("S/MIME: file del certificato scaricato"),
    "smime.bundle-destroyed": _("S/MIME: file del certificato eliminato"),
    "smime.reissue-asked": _("S/MIME: nuova emissione richiesta"),
    "smime.change-refused": _("S/MIME: cambio di stato rifiutato dalla CA"),
}


def record(
    verb: str,
    *,
    actor: Actor,
    at: datetime,
    outcome: Outcome = Outcome.DONE,
    reason: str = "",
    new_not_after: datetime | None = None,
    facts: dict[str, Any] | None = None,
    **subject: Any,
) -> Event:
    """Append one event. `subject`: ids only (centre_id, service_id, case_code, holder_id, card_id, certificate_id)."""
    return Event.objects.create(
        **built(
            verb,
            actor=actor,
            at=at,
            outcome=outcome,
            reason=reason,
            new_not_after=new_not_after,
            facts=facts or {},
            **subject,
        )
    )


def record_many(rows: list[dict[str, Any]]) -> None:
    """Append the events of a sweep in one statement; each row as `built` returns it."""
    Event.objects.bulk_create([Event(**row) for row in rows], batch_size=1000)


def built(verb: str, *, actor: Actor, at: datetime, **values: Any) -> dict[str, Any]:
    """Return the columns of one event; an unknown verb is a programming error."""
    if verb not in VERBS:
        message = f"{verb} is not in the closed list of verbs"
        raise ValueError(message)
    return {
        "verb": verb,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "channel": actor.channel,
        "at": at,
        **values,
    }
