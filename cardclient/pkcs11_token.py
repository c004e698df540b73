"""Operations on a token through python-pkcs11; runs inside the card process only.

Lessons built in: a failed login leaks its session (the library is re-initialised after each); flags belong to the token
as it was read (it is read again for counters); no mechanism is left to a default; RSA signs a DigestInfo with RSA_PKCS,
which the oldest cards can. ECDSA signs the digest and its raw value becomes DER. Sessions of a login are read-write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pkcs11
from asn1crypto import x509
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, TokenFlag
from pkcs11 import exceptions as kinds
from pkcs11.types import Object, Session, Token
from pkcs11.util.ec import encode_ecdsa_signature, encode_named_curve_parameters

from cardclient.errors import (
    AnotherCard,
    CardError,
    CardRemoved,
    CardUpdateError,
    NoCard,
    PukLocked,
    WrongPuk,
)
from cardclient.pkcs11_cards import objects, read_card, reader_states, tokens_present
from cardclient.pkcs11_objects import is_set, octets, serial_of, spki, text
from cardclient.pkcs11_token_info import token_facts
from cardclient.ports import (
    CardKey,
    CardReport,
    CardView,
    KeyKind,
    ObjectKind,
    ObjectRef,
    ReaderState,
)
from cardclient.secret import Secret

# DigestInfo of SHA-256 up to the digest (RFC 8017 §9.2, note 1).
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
CURVES = {256: "1.2.840.10045.3.1.7", 384: "1.3.132.0.34"}
CLASSES = {
    ObjectKind.CERTIFICATE: ObjectClass.CERTIFICATE,
    ObjectKind.PUBLIC_KEY: ObjectClass.PUBLIC_KEY,
    ObjectKind.PRIVATE_KEY: ObjectClass.PRIVATE_KEY,
}
GENERATORS = {Mechanism.RSA_PKCS_KEY_PAIR_GEN, Mechanism.EC_KEY_PAIR_GEN}


class Pkcs11Token:
    """The tokens of one loaded module and the session on the chosen one."""

    def __init__(self, library: Any, module: str, slot: int | None) -> None:
        """Take a loaded module; `slot` narrows it to one of its slots with a token, counted from 0."""
        self._library = library
        self._module = module
        self._slot = slot
        self._session: Session | None = None
        self.serial: str | None = None

    def scan(self) -> tuple[CardView, ...]:
        """Read every token without PIN; one that cannot be read is left out while another can. Raises NoCard."""
        views, problem = [], None
        for token in self._present():
            try:
                views.append(self._read(token))
            except kinds.PKCS11Error as unread:
                problem = unread
        if not views:
            raise problem or NoCard
        return tuple(views)

    def slots(self) -> tuple[ReaderState, ...]:
        """Tell readers and which hold a card; see `pkcs11_cards.reader_states`."""
        return reader_states(self._library)

    def view(self) -> CardView:
        """Read the chosen token, flags and certificates fresh."""
        return self._read(self._token())

    def login(self, pin: Secret) -> None:
        """Open a read-write session and log the user in; any earlier session ends."""
        self._end_session()
        token = self._token()
        try:
            self._session = token.open(rw=True, user_pin=pin.reveal())
        except kinds.PKCS11Error:
            self._library.reinitialize()
            raise

    def verify_puk(self, puk: Secret) -> None:
        """Log the security officer in and out again; the user's login is gone afterwards."""
        self._end_session()
        with self._officer(puk):
            pass

    def unblock(self, puk: Secret, new_pin: Secret) -> None:
        """Log the security officer in and set the user's PIN."""
        self._end_session()
        with self._officer(puk) as session:
            session.init_pin(new_pin.reveal())

    def change_pin(self, pin: Secret, new_pin: Secret) -> None:
        """Log in with the old PIN, set the new one, and leave; the card counts a wrong old PIN as any other."""
        self.login(pin)
        try:
            self._logged_in().set_pin(pin.reveal(), new_pin.reveal())
        finally:
            self._end_session()

    def keys(self) -> tuple[CardKey, ...]:
        """List the key objects; private ones only while logged in."""
        session = self._logged_in()
        return tuple(
            CardKey(kind, octets(each, Attribute.ID), text(each, Attribute.LABEL), spki(each))
            for kind in (ObjectKind.PRIVATE_KEY, ObjectKind.PUBLIC_KEY)
            for each in objects(session, {Attribute.CLASS: CLASSES[kind]})
        )

    def sign(self, key: ObjectRef, data: bytes, pin: Secret) -> bytes:
        """Sign data with SHA-256; the PIN is given again only to a key that demands it for each signature."""
        private: Any = self._one(key)
        digest = hashlib.sha256(data).digest()
        again = {"pin": pin.reveal()} if is_set(private, Attribute.ALWAYS_AUTHENTICATE) else {}
        if private.key_type is KeyType.RSA:
            return bytes(private.sign(SHA256_INFO + digest, mechanism=Mechanism.RSA_PKCS, **again))
        if private.key_type is KeyType.EC:
            return encode_ecdsa_signature(private.sign(digest, mechanism=Mechanism.ECDSA, **again))
        raise CardError("key-unsupported")

    def generate(self, key_id: bytes, label: str, kind: KeyKind) -> bytes:
        """Make a pair on the token, private key sensitive and not extractable; returns its SPKI."""
        session: Any = self._logged_in()
        template = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True}
        signing = pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY
        shared = {"id": key_id, "label": label, "store": True, "capabilities": signing, "private_template": template}
        if kind.kind == "rsa":
            public, _ = session.generate_keypair(KeyType.RSA, kind.bits, **shared)
        else:
            curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(CURVES[kind.bits])}
            public, _ = session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(**shared)
        made = spki(public)
        if made is None:
            raise CardUpdateError(operation="generate")
        return made

    def install(self, key_id: bytes, label: str, certificate: bytes) -> None:
        """Write a certificate object with subject, issuer and serial, as readers of cards expect it."""
        parsed = x509.Certificate.load(certificate)
        self._logged_in().create_object(
            {
                Attribute.CLASS: ObjectClass.CERTIFICATE,
                Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                Attribute.TOKEN: True,
                Attribute.PRIVATE: False,
                Attribute.ID: key_id,
                Attribute.LABEL: label,
                Attribute.SUBJECT: parsed.subject.dump(),
                Attribute.ISSUER: parsed.issuer.dump(),
                Attribute.SERIAL_NUMBER: parsed["tbs_certificate"]["serial_number"].dump(),
                Attribute.VALUE: certificate,
            }
        )

    def remove(self, target: ObjectRef) -> None:
        """Destroy every object the reference names."""
        for each in self._matching(self._logged_in(), target):
            each.destroy()

    def report(self) -> CardReport:
        """Tell module, version, model and mechanisms."""
        token = self._token()
        mechanisms = token.slot.get_mechanisms()
        version = ".".join(str(part) for part in self._library.library_version)
        facts = {
            "module": self._module,
            "library": self._library.library_description.strip(),
            "firmware": ".".join(str(part) for part in token.firmware_version),
            **token_facts(self._module, token.slot.slot_id),
        }
        can = bool(mechanisms & GENERATORS) and not token.flags & TokenFlag.WRITE_PROTECTED
        names = tuple(sorted(getattr(each, "name", hex(each)) for each in mechanisms))
        return CardReport(self._library.manufacturer_id.strip(), version, token.model.strip(), can, names, facts)

    def close(self) -> None:
        """Log out and let the module go."""
        self._end_session()
        try:
            self._library.finalize()
        except kinds.PKCS11Error:
            return

    def _present(self) -> list[Token]:
        return tokens_present(self._library, self._slot)

    def _token(self) -> Token:
        """Read the chosen token afresh; raises CardRemoved, or AnotherCard when only others are there."""
        tokens = self._present()
        for token in tokens:
            if self.serial is None or serial_of(token) == self.serial:
                return token
        raise AnotherCard if tokens else CardRemoved

    def _read(self, token: Token) -> CardView:
        """Read a token, in the session of the login where it is this token's."""
        session = self._session
        is_mine = session is not None and serial_of(session.token) == serial_of(token)
        return read_card(token, session if is_mine else None)

    def _matching(self, session: Session, ref: ObjectRef) -> Iterator[Object]:
        for each in objects(session, {Attribute.CLASS: CLASSES[ref.kind], Attribute.ID: ref.id}):
            about = octets(each, Attribute.VALUE) if ref.kind is ObjectKind.CERTIFICATE else spki(each)
            if ref.digest is None or about is None or hashlib.sha256(about).digest() == ref.digest:
                yield each

    def _one(self, ref: ObjectRef) -> Object:
        found = list(self._matching(self._logged_in(), ref))
        if not found:
            raise CardError("key-missing")
        if len(found) > 1:
            raise CardError("objects-ambiguous")
        return found[0]

    def _logged_in(self) -> Session:
        """Return the session of the login; the token is looked at first, so that a changed card is noticed."""
        self._token()
        if self._session is None:
            raise CardError("login-missing")
        return self._session

    def _officer(self, puk: Secret) -> Session:
        """Open a session with the PUK; raises WrongPuk or PukLocked, and cleans up the leaked session."""
        token = self._token()
        try:
            return token.open(rw=True, so_pin=puk.reveal())
        except kinds.PinIncorrect:
            self._library.reinitialize()
            raise WrongPuk from None
        except kinds.PinLocked:
            self._library.reinitialize()
            raise PukLocked from None
        except kinds.PKCS11Error:
            self._library.reinitialize()
            raise

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            try:
                session.close()
            except kinds.PKCS11Error:
                self._library.reinitialize()
