"""A made-up trust scheme, one person, one form: what the validation of signed forms is tried with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from config.demo import trust_scheme
from config.demo.trust_scheme import Identity, Scheme, Wish
from pki import qualified_validation, trust_lists
from pki.qualified_person import Person
from pki.qualified_validation import Form, Outcome, Trust

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SIGNED_AT = NOW - timedelta(minutes=30)
CREATED_AT = NOW - timedelta(hours=1)
ISSUED_AT = NOW - timedelta(days=30)
PERSON = Person("Giulia", "Bianchi", "BNCGLI85C41F205O")
MARKERS = ("7f3a2c1e-0d51-4be2-9d3f-2a6cbb70d551", "K3PX-9QRT-7YWM-2HVD")


@cache
def scheme() -> Scheme:
    return trust_scheme.found(NOW)


@cache
def signer(wish: Wish | None = None) -> Identity:
    return scheme().signer(wish, at=ISSUED_AT)


@cache
def form_pdf(number: str = MARKERS[0], nonce: str = MARKERS[1], mailbox: str = "giulia.bianchi@example.org") -> bytes:
    from smime.document import FormContent, render_form

    content = FormContent(
        number=number,
        nonce=nonce,
        data_sha256="ab" * 32,
        order_code="M4T9-Q2KX-70M",
        certificate="IV · Individuo verificato",
        given_name="Giulia",
        surname="Bianchi",
        tax_code=PERSON.tax_code,
        mailbox=mailbox,
        language="it",
    )
    return render_form(content, rendered_at=CREATED_AT)


@cache
def trust(status: str = trust_scheme.GRANTED, revoked: tuple[Identity, ...] = (), crl_days: int = 7) -> Trust:
    xml = scheme().country_list(at=NOW - timedelta(days=2), status=status)
    services, _ = trust_lists.registry([trust_lists.verify_list(xml, [scheme().supervisor.der])])
    known = scheme().revocation_list(revoked, at=NOW - timedelta(days=1), days=crl_days)
    return Trust(services, frozenset(), lambda _: (known,))


def pades(pdf: bytes | None = None, by: Identity | None = None) -> bytes:
    return trust_scheme.sign_pdf(pdf or form_pdf(), by or signer(), at=SIGNED_AT)


def cades(content: bytes | None = None, by: Identity | None = None, digest: str = "sha256") -> bytes:
    return trust_scheme.sign_cms(content or form_pdf(), by or signer(), at=SIGNED_AT, digest=digest)


def judged(content: bytes, *, believing: Trust | None = None, person: Person = PERSON, at: datetime = NOW) -> Outcome:
    form = Form(form_pdf(), MARKERS, CREATED_AT, NOW)
    return qualified_validation.validate(content, form, person, believing or trust(), at=at)
