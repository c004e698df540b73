"""Vetting the rows of an import, each against the register, the certificates that came along, the rows before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from cms import policy
from cms.bundle import Bundle
from cms.contacts import email_key
from cms.errors import CertificateNotOurs, ContactTaken
from cms.import_errors import (
    CardKnown,
    CertificateAmbiguous,
    CertificateExpired,
    CertificateMissing,
    CertificateOfAnother,
    CertificateRegistered,
    FamilyUnknown,
    KeyOfAnother,
    NamesDiffer,
    RowTwice,
)
from cms.models import Agreement, Card, CardFamily, Certificate, Holder, KnownKey
from cms.roster import Entry
from cms.services.registration import CardData, NewCard, pinned_issuers
from cms.states import CertificateType
from pki import x509
from pki.errors import PkiError
from pki.tax_code import is_tax_code
from pki.x509 import CertificateFacts

_SHA256 = 64


@dataclass(frozen=True, slots=True, repr=False)
class Vetted:
    """A row that may be registered: its card, its holder (unsaved), its certificates by type."""

    card: CardData
    holder: Holder
    is_known_holder: bool
    certificates: Mapping[str, CertificateFacts]

    def ready(self, holder: Holder) -> NewCard:
        """The same for `registration.register_cards`, with the register's own row of the holder."""
        return NewCard(self.card, holder, {type_: facts.der for type_, facts in self.certificates.items()})


@dataclass(repr=False)
class _Known:
    """What stands in the way of rows: facts of the register, and of the rows admitted so far."""

    holders: dict[str, str] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    mobiles: dict[str, str] = field(default_factory=dict)
    cards: set[str] = field(default_factory=set)
    fingerprints: set[str] = field(default_factory=set)
    serials: set[tuple[str, str]] = field(default_factory=set)
    keys: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


class Examiner:
    """Vets the rows of one file, in their order; `learn` first, `vet` each, `admit` what is taken."""

    def __init__(self, agreement: Agreement, bundle: Bundle, *, now: datetime) -> None:
        """Read what is asked of every row: issuers, families, the index of the bundle."""
        self._types = sorted(agreement.service.types)
        self._now = now
        self._issuers = pinned_issuers()
        self._families = {family.code.casefold(): family for family in CardFamily.objects.all()}
        self._bundle = _Index(bundle)
        self._register, self._file = _Known(), _Known()

    def learn(self, entries: Sequence[Entry]) -> None:
        """Ask the register what it knows of these rows: a handful of statements however many they are."""
        known = self._register = _Known()
        codes = {entry.tax_code for entry in entries}
        emails = {email_key(entry.email) for entry in entries if entry.email}
        mobiles = {entry.mobile for entry in entries if entry.mobile}
        people = Holder.objects.filter(
            Q(tax_code__in=codes) | Q(email_key__in=emails) | Q(mobile__in=mobiles)
        ).values_list("tax_code", "email_key", "mobile")
        for code, email, mobile in people:
            known.holders[code] = ""
            known.emails[email or ""] = known.mobiles[mobile or ""] = code
        serials = {entry.card for entry in entries}
        known.cards = set(Card.objects.filter(serial__in=serials).values_list("serial", flat=True))
        self._learn_certificates([facts for entry in entries for facts in self._bundle.related(entry)])

    def vet(self, entry: Entry) -> Vetted:
        """Raise what speaks against the row, the first thing that a person would look at."""
        if entry.card in self._file.cards:
            raise RowTwice
        if entry.card in self._register.cards:
            raise CardKnown
        family = self._families.get(entry.family.casefold())
        if family is None:
            raise FamilyUnknown
        self._require_one_person(entry)
        certificates = {type_: self._certificate(entry, type_) for type_ in self._types}
        card = CardData(entry.card, family, entry.first_issued_on, entry.activated_on, entry.expires_on)
        is_known = entry.tax_code in self._register.holders or entry.tax_code in self._file.holders
        return Vetted(card, _holder(entry), is_known, certificates)

    def admit(self, vetted: Vetted) -> None:
        """Let later rows of the file meet this one."""
        holder, file = vetted.holder, self._file
        file.cards.add(vetted.card.serial)
        file.holders.setdefault(holder.tax_code, _names(holder))
        if not vetted.is_known_holder:
            file.emails.setdefault(holder.email_key or "", holder.tax_code)
            file.mobiles.setdefault(holder.mobile or "", holder.tax_code)
        for facts in vetted.certificates.values():
            file.fingerprints.add(facts.fingerprint.hex())
            file.keys[facts.spki_sha256.hex()].add(holder.tax_code)

    def _learn_certificates(self, related: Sequence[CertificateFacts]) -> None:
        known = self._register
        prints = {facts.fingerprint.hex() for facts in related}
        numbers = {f"{facts.serial:x}" for facts in related}
        stored = Certificate.objects.filter(Q(fingerprint__in=prints) | Q(serial__in=numbers))
        for fingerprint, issuer, serial in stored.values_list("fingerprint", "issuer_key_id", "serial"):
            known.fingerprints.add(fingerprint)
            known.serials.add((issuer, serial))
        keys = {facts.spki_sha256.hex() for facts in related}
        seen = set(KnownKey.objects.filter(spki_sha256__in=keys).values_list("spki_sha256", flat=True))
        if seen:
            self._learn_owners(seen, {owner for facts in related if (owner := owner_of(facts))})

    def _learn_owners(self, keys: set[str], codes: set[str]) -> None:
        """Whose are keys that have been seen? Asked through the people of the file: keys alone have no index."""
        for key in keys:
            self._register.keys[key].add("")
        theirs = Certificate.objects.filter(pair__holder__tax_code__in=codes, spki_sha256__in=keys)
        for key, code in theirs.values_list("spki_sha256", "pair__holder__tax_code"):
            self._register.keys[key] = self._register.keys[key] - {""} | {code}

    def _require_one_person(self, entry: Entry) -> None:
        """One name per codice fiscale in the file; contacts belong to nobody else. Who is known keeps his own."""
        earlier = self._file.holders.get(entry.tax_code)
        if earlier is not None and earlier != _names(_holder(entry)):
            raise NamesDiffer
        if entry.tax_code in self._register.holders or earlier is not None:
            return
        for known in (self._register, self._file):
            email, mobile = email_key(entry.email or ""), entry.mobile or ""
            owners = {known.emails.get(email) if email else None, known.mobiles.get(mobile) if mobile else None}
            if owners - {None, entry.tax_code}:
                raise ContactTaken

    def _certificate(self, entry: Entry, type_: str) -> CertificateFacts:
        facts = self._bundle.chosen(entry, type_)
        if policy.is_expired(facts.not_after, self._now):
            raise CertificateExpired(f"Il certificato è scaduto: {CertificateType(type_).label}.")
        try:
            x509.require_issued_by(facts.der, self._issuers)
        except PkiError as error:
            raise CertificateNotOurs from error
        fingerprint, number = facts.fingerprint.hex(), (facts.issuer_key_id.hex(), f"{facts.serial:x}")
        if fingerprint in self._register.fingerprints | self._file.fingerprints or number in self._register.serials:
            raise CertificateRegistered
        key = facts.spki_sha256.hex()
        if (self._register.keys.get(key, set()) | self._file.keys.get(key, set())) - {entry.tax_code}:
            raise KeyOfAnother
        return facts


class _Index:
    """Certificates of the bundle by what rows say of them: serial number, fingerprint, or the person in the subject."""

    def __init__(self, bundle: Bundle) -> None:
        self._named: dict[str, list[CertificateFacts]] = defaultdict(list)
        self._owned: dict[str, list[CertificateFacts]] = defaultdict(list)
        for fingerprint, facts in bundle.certificates.items():
            for name in {fingerprint, f"{facts.serial:x}", str(facts.serial)}:
                self._named[name].append(facts)
            if owner := owner_of(facts):
                self._owned[owner].append(facts)

    def related(self, entry: Entry) -> Iterable[CertificateFacts]:
        """Everything that the row could mean."""
        yield from self._owned.get(entry.tax_code, ())
        for name in entry.named.values():
            yield from self._named.get(_reference(name), ()) if name else ()

    def chosen(self, entry: Entry, type_: str) -> CertificateFacts:
        """The one certificate of this type that the row means; named ones must be the person's own as well."""
        label = CertificateType(type_).label
        named = entry.named.get(type_, "")
        found = self._named.get(_reference(named), []) if named else self._owned.get(entry.tax_code, [])
        fitting = [facts for facts in found if _type_of(facts) == type_ and _fits(facts, entry)]
        if found and named and not fitting:
            raise CertificateOfAnother
        if not fitting:
            raise CertificateMissing(f"Nel file dei certificati manca il certificato della carta: {label}.")
        if len(fitting) > 1:
            raise CertificateAmbiguous(
                f"Più certificati corrispondono alla riga ({label}): indichi il numero di serie."
            )
        return fitting[0]


def owner_of(facts: CertificateFacts) -> str:
    """The codice fiscale in the subject: `TINIT-…` or `IT:…` as serial number, `…/card.hash` as common name."""
    candidates = (
        facts.subject_serial_number.rpartition("-")[2],
        facts.subject_serial_number.rpartition(":")[2],
        facts.subject_cn.partition("/")[0],
    )
    return next((code for text in candidates if is_tax_code(code := text.strip().upper())), "")


def _fits(facts: CertificateFacts, entry: Entry) -> bool:
    """Person, and the card where the subject names one (CNS: `<codice fiscale>/<card>.<hash>`)."""
    card = facts.subject_cn.partition("/")[2].partition(".")[0]
    return owner_of(facts) == entry.tax_code and card in {"", entry.card}


def _type_of(facts: CertificateFacts) -> str:
    if facts.is_signature:
        return CertificateType.SIGNATURE.value
    return CertificateType.AUTHENTICATION.value if facts.is_authentication else ""


def _reference(text: str) -> str:
    """A serial number (hexadecimal or decimal) or fingerprint as the index writes it."""
    plain = "".join(text.split()).replace(":", "").lower()
    return plain if len(plain) == _SHA256 else plain.lstrip("0")


def _holder(entry: Entry) -> Holder:
    return Holder(
        tax_code=entry.tax_code,
        given_name=entry.given_name,
        surname=entry.surname,
        email=entry.email,
        email_key=email_key(entry.email) if entry.email else None,
        mobile=entry.mobile,
        street=entry.street,
        postcode=entry.postcode,
        town=entry.town,
        province=entry.province,
    )


def _names(holder: Holder) -> str:
    return f"{holder.surname} {holder.given_name}".casefold()
