"""HTTP statuses of refusals, by their kind, and the Italian titles of statuses."""

from __future__ import annotations

from cms.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from renewals.api.doors import RateLimited
from renewals.errors import ClientOutdated, Unauthenticated

PROBLEM_JSON = "application/problem+json"

# First match wins: the special kinds stand before the general ones.
STATUS_BY_KIND: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    RateLimited: 429,
    ClientOutdated: 426,
    NotFound: 404,
    Forbidden: 403,
    Invalid: 422,
    Conflict: 409,
}
TITLES = {
    400: "Richiesta non valida",
    401: "Accesso richiesto",
    403: "Operazione non consentita",
    404: "Non trovato",
    405: "Metodo non consentito",
    409: "Operazione non possibile ora",
    413: "Richiesta troppo grande",
    422: "Dati non validi",
    426: "Programma da aggiornare",
    429: "Troppe richieste",
    500: "Errore interno",
    503: "Servizio non disponibile",
}


def status_of(kind: type[DomainError]) -> int | None:
    """Status of a kind of refusal, or None for one that has no place in the API."""
    return next((status for known, status in STATUS_BY_KIND.items() if issubclass(kind, known)), None)
