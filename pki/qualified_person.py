"""Is the signer of a qualified certificate the person whose tax code we were given? The certificate is the evidence."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from asn1crypto import x509

# Semantics identifiers of ETSI EN 319 412-1 §5.1.3 and the older Italian form; TAX is a tax code as well there.
_TAX_CODE = re.compile(r"(?:TINIT-|TAXIT-|IT:)(?P<code>[0-9A-Z]{16})")
_SEPARATORS = re.compile(r"[\s'’‘`´ʼ\-‐‑–.,]+")


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """Who is expected to sign: names as the order has them, and the codice fiscale in capitals."""

    given_name: str
    surname: str
    tax_code: str = field(repr=False)


def disagreement(certificate: x509.Certificate, person: Person) -> str | None:
    """Say with a code what speaks against this being the person; None where nothing does.

    `person-pseudonym` and `person-other` are final: nobody can prove an identity with them. `person-unmatched` (no
    Italian tax code in it) and `person-names-differ` (the code is right, the names are not) are for a person to judge.
    Variants of one tax code by omocodia belong to **different** people, so codes are compared as they stand.
    """
    subject = certificate.subject.native
    if "pseudonym" in subject or "2.5.4.65" in subject:
        return "person-pseudonym"
    match = _TAX_CODE.fullmatch(_only(subject.get("serial_number")).upper().strip())
    if match is None:
        return "person-unmatched"
    if match["code"] != person.tax_code:
        return "person-other"
    names = (_only(subject.get("given_name")), _only(subject.get("surname")))
    if _includes(names[0], person.given_name) and _includes(names[1], person.surname):
        return None
    return "person-names-differ"


def same_names(typed: tuple[str, str], known: tuple[str, str]) -> bool:
    """Compare given name and surname as people write them: accents, case, apostrophes and hyphens do not count."""
    return all("".join(_words(one)) == "".join(_words(other)) for one, other in zip(typed, known, strict=True))


def _only(value: object) -> str:
    """Give an attribute's one value; several are no value."""
    return value if isinstance(value, str) else ""


def _includes(certified: str, typed: str) -> bool:
    """Tell whether the typed names are among the certified ones: people leave out second names, never invent one."""
    known, said = _words(certified), _words(typed)
    joined = "".join(known)
    return bool(said) and (set(said) <= set(known) or "".join(said) == joined)


def _words(name: str) -> list[str]:
    """Fold accents, case, apostrophes and hyphens away: D’Àmico, D'AMICO and D AMICO are one name."""
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", name) if not unicodedata.combining(mark))
    return [word for word in _SEPARATORS.split(plain.upper()) if word]
