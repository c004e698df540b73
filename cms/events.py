"""Writing the event trail, in the transaction of the fact. The verbs are a closed list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cms.actors import Actor
from cms.models import Event
from cms.states import Outcome

VERBS = {
    "card.registered": "Carta registrata",
    "case.opened": "Pratica aperta",
    "case.resumed": "Pratica ripresa",
    "case.diagnosed": "Diagnostica superata",
    "case.diagnosis-failed": "Carta non idonea",
    "case.contacts-changed": "Recapiti aggiornati",
    "case.mailbox-confirmed": "Nuova e-mail confermata",
    "case.terms-accepted": "Contratti e clausole accettati",
    "case.form-rendered": "Creazione modulo",
    "case.signed": "Modulo firmato",
    "case.requests-received": "Richieste di certificato ricevute",
    "case.completed": "Certificati installati",
    "case.failed-at-client": "Errore sul client",
    "case.approved": "Rinnovo approvato",
    "case.refused": "Rinnovo non approvato",
    "case.cancelled": "Pratica cancellata",
    "case.expired": "Pratica scaduta",
    "case.suspension-due": "Sospensione per mancata autorizzazione",
    "case.revocation-due": "Revoca per mancata autorizzazione",
    "case.reopened": "Pratica riaperta",
    "case.letter-resent": "Messaggio inviato di nuovo",
    "certificate.issued": "Certificato emesso",
    "certificate.held": "Certificato sospeso",
    "certificate.released": "Certificato riattivato",
    "certificate.revoked": "Certificato revocato",
    "certificate.hold-asked": "Sospensione richiesta",
    "certificate.release-asked": "Riattivazione richiesta",
    "certificate.revocation-asked": "Revoca richiesta",
    "certificate.revocation-proposed": "Revoca proposta",
    "certificate.revocation-refused": "Proposta di revoca respinta",
    "certificate.revocation-withdrawn": "Proposta di revoca ritirata",
    "ca.request-refused": "Richiesta rifiutata dalla CA",
    "events.exported": "Esportazione eventi",
    "rehearsal.exported": "Prova generale scaricata",
    "stock.purchased": "Acquisto certificati",
    "stock.corrected": "Rettifica giacenza",
    "stock.empty": "Giacenza insufficiente",
    "stock.low": "Giacenza sotto soglia",
    "stock.threshold-changed": "Soglia di giacenza modificata",
    "stock.exported": "Movimenti della giacenza scaricati",
    "purchase.requested": "Richiesta di acquisto",
    "purchase.confirmed": "Acquisto confermato",
    "purchase.credited": "Acquisto accreditato",
    "purchase.refused": "Acquisto respinto",
    "purchase.withdrawn": "Richiesta di acquisto ritirata",
    "import.checked": "Importazione controllata",
    "import.started": "Importazione avviata",
    "import.discarded": "Importazione abbandonata",
    "job.started": "Operazione avviata",
    "access.invited": "Invito inviato",
    "access.invitation-resent": "Invito inviato di nuovo",
    "access.invitation-withdrawn": "Invito ritirato",
    "access.granted": "Invito accettato",
    "access.role-changed": "Ruolo cambiato",
    "access.removed": "Accesso tolto",
    "access.account-closed": "Account disattivato",
    "access.account-opened": "Account riattivato",
    "access.factors-removed": "Secondi fattori rimossi",
    "centre.registered": "CDRL registrato",
    "centre.changed": "CDRL modificato",
    "agreement.made": "Accordo stipulato",
    "agreement.changed": "Accordo modificato",
    "service.offered": "Servizio aggiunto",
    "service.changed": "Servizio modificato",
    "login.refused": "Accesso rifiutato",
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
