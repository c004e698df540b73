"""What has happened in the demo before its first start: renewals that wait for their centre, one that waited too long.

Holders whose keys the seeding keeps for a moment go through the product's own use cases, as the card client would lead
them; so forms, mails, stock, certificates and events are all there.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cms.contacts import Contacts, parse_contacts
from cms.models import Agreement, Card, Pair
from cms.services import requests
from cms.states import CertificateType
from config.demo.population import AUTHORISED, TYPES, WEBRA, Person, settle_person
from notifications.models import OutboxMessage
from notifications.states import MessageState
from pki import challenge as texts_to_sign
from renewals import sweeps, texts
from renewals.models import RenewalCase, SupportRequest
from renewals.services import acceptance, enrolment, form, issuance, login
from renewals.services.enrolment import Diagnosis
from renewals.services.support import Asked, open_request

Keys = Mapping[str, rsa.RSAPrivateKey]
QUESTION = uuid.UUID("3d0d5a5e-7d51-4c0c-9a57-0f3f0f7f6b21")
FIRST_NUMBER = 50  # telephone numbers and serials behind those of the people who still have to renew


@dataclass(frozen=True, slots=True)
class Past:
    """A renewal that was done at home `ago` before the seeding."""

    person: Person
    ago: timedelta


# The last one's old pair has expired without an approval: the clock has suspended the new one.
PAST = (
    Past(Person("Silvia", "Rinaldi", "RNLSLV82D45F205G", 1, AUTHORISED), timedelta(hours=30)),
    Past(Person("Marco", "Gatti", "GTTMRC77A12H501R", 3, AUTHORISED), timedelta(hours=20)),
    Past(Person("Elena", "Fontana", "FNTLNE86P63D612K", 2, WEBRA), timedelta(hours=26)),
    Past(Person("Giorgio", "Leone", "LNEGRG72E08F839L", 19, WEBRA), timedelta(hours=3)),
    Past(Person("Anna", "Villa", "VLLNNA80S57L736B", -1, AUTHORISED), timedelta(hours=70)),
)


def relive(agreements: Mapping[str, Agreement], *, at: datetime) -> None:
    """Let each renew when he did, then let the clock do what was due since. Who has a card already has done it."""
    for number, past in enumerate(PAST, FIRST_NUMBER):
        serial = f"74300000000001{number:02d}"
        if not Card.objects.filter(serial=serial).exists():
            _renew(past, number, serial, agreements, at)
    _ask_for_help(at=at - timedelta(hours=2))
    sweeps.suspend_unauthorised(now=at)
    requests.carry_out_due(at=at)
    # Nobody could send them then. As mails that have waited for days they would open an alarm at the first start.
    OutboxMessage.objects.filter(state=MessageState.QUEUED, queued_at__lt=at).update(queued_at=at)


def _ask_for_help(*, at: datetime) -> None:
    """One of them has a question that waits in the queue; asked again at the next start, it is the same one."""
    case = RenewalCase.objects.filter(card__serial=f"74300000000001{FIRST_NUMBER:02d}").order_by("-pk").first()
    if case is None or SupportRequest.objects.filter(request_id=QUESTION).exists():
        return
    question = Asked(
        request_id=QUESTION,
        code="old-objects-left",
        step="installation",
        message="Il rinnovo è concluso, ma il portale mi mostra ancora il certificato vecchio. Devo fare altro?",
        email="",
        language="it",
        client="sigillo-card 0.1.0",
        system="Windows 11 24H2",
        card_serial=case.card.serial,
        family=case.card.family.code,
        reader="Bit4id miniLector EVO",
        driver="bit4xpki.dll 1.4.10.647",
        log="step installation: certificates written, keys proven\nstep cleanup: 1 old object left on the card",
    )
    open_request(question, case_id=case.pk, now=at)


def _renew(past: Past, number: int, serial: str, agreements: Mapping[str, Agreement], at: datetime) -> None:
    old, then = _keys(), at - past.ago
    csrs = {(serial, type_): _request(key) for type_, key in old.items()}
    pair = settle_person(past.person, number, serial, agreements[past.person.service], csrs, at, now=then)
    case = _enter(pair, serial, old, then)
    _sign(case, old, then)
    _install(case, old, then)


def _enter(pair: Pair, serial: str, old: Keys, now: datetime) -> RenewalCase:
    """Log in with the old key, which opens the case."""
    half = pair.certificates.get(type=CertificateType.AUTHENTICATION)
    challenge = login.begin_login(card_serial=serial, fingerprint=half.fingerprint, now=now)
    answer = _signed(old[CertificateType.AUTHENTICATION], challenge.text.encode())
    _token, session = login.open_session(str(challenge.pk), answer, now=now)
    return session.case


def _sign(case: RenewalCase, old: Keys, now: datetime) -> None:
    """From the diagnosis to the signed form."""
    fit = Diagnosis(
        pin_locked=False,
        puk_locked=False,
        login_key_matches=True,
        sign_key_matches=True,
        certificates_readable=True,
        can_generate=True,
        atr="",
        driver="demo",
    )
    enrolment.diagnose(case.pk, fit, now=now)
    enrolment.submit_contacts(case.pk, _contacts_of(case), now=now)
    in_force = texts.in_force(case.flow)
    accepted = [{"kind": text.kind, "version": text.version, "sha256": text.sha256} for text in in_force]
    acceptance.accept_texts(case.pk, accepted, now=now)
    prepared = form.prepare_form(case.pk, now=now)
    form.sign_renewal(case.pk, _signed(old[CertificateType.SIGNATURE], bytes(prepared.signed_attributes)), now=now)


def _install(case: RenewalCase, old: Keys, now: datetime) -> None:
    """From the new keys to the installed certificates."""
    new = _keys()
    statement = texts_to_sign.keys_text(
        host=login.host(),
        nonce=case.key_nonce,
        card=case.card.serial,
        case=case.code,
        keys={type_: _spki(key) for type_, key in new.items()},
    )
    csrs = {type_: _request(key) for type_, key in new.items()}
    issuance.submit_requests(case.pk, csrs, _signed(old[CertificateType.AUTHENTICATION], statement.encode()), now=now)
    challenge = issuance.begin_installation(case.pk, now=now)
    proofs = {type_: _signed(key, challenge.text.encode()) for type_, key in new.items()}
    issuance.complete_renewal(case.pk, str(challenge.pk), proofs, now=now)


def _contacts_of(case: RenewalCase) -> Contacts:
    holder = case.holder
    return parse_contacts(
        email=holder.email or "",
        mobile=holder.mobile or "",
        street=holder.street,
        postcode=holder.postcode,
        town=holder.town,
        province=holder.province,
    )


def _keys() -> dict[str, rsa.RSAPrivateKey]:
    return {type_: rsa.generate_private_key(public_exponent=65537, key_size=2048) for type_ in TYPES}


def _spki(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _request(key: rsa.RSAPrivateKey) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _signed(key: rsa.RSAPrivateKey, text: bytes) -> bytes:
    """PKCS #1 v1.5 with SHA-256, as a card signs."""
    return key.sign(text, padding.PKCS1v15(), hashes.SHA256())
