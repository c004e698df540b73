"""What is known about the revocation of one signature's certificates, and whom to ask where that is not enough.

Our own knowledge (lists that a job has fetched, answers that were asked for) comes first. What the signed file brings
along is looked at only where that says nothing: whoever signs chooses it, and would leave out this morning's answer.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from asn1crypto import crl, ocsp, x509
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.validation.policy_decl import LocalKnowledge
from pyhanko.sign.validation.qualified.tsp import TSPRegistry
from pyhanko_certvalidator.authority import AuthorityWithCert
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from pki import embedded_evidence, status_answers
from pki.errors import MalformedInput
from pki.qualified_files import Layer, sha256
from pki.revocation_lists import read_revocation_list
from pki.status_answers import OLDEST_ASKED, OLDEST_EMBEDDED, Question, Span

MOST_QUESTIONS = 6


class Everywhere(Container[str]):
    """Every country: while the list of lists is not in force, no list tells who is not on it."""

    def __contains__(self, _country: object) -> bool:
        """Yes."""
        return True


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe: services of the lists in force, countries whose list is not, and what is known of revocation.

    `revocation_lists` is asked for those (DER) of the CAs whose names (SHA-256 of the DER) it is given; `answers` are
    those of responders that were asked (DER).
    """

    services: TSPRegistry
    uncertain: Container[str] = frozenset()
    revocation_lists: Callable[[frozenset[str]], Sequence[bytes]] = field(default=lambda _: (), repr=False)
    answers: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Known:
    """Lists and answers that are fresh enough to be looked at, and certificates that may help to verify them."""

    lists: tuple[bytes, ...] = field(default=(), repr=False)
    answers: tuple[ocsp.OCSPResponse, ...] = field(default=(), repr=False)
    certificates: tuple[x509.Certificate, ...] = field(default=(), repr=False)

    def local(self) -> LocalKnowledge:
        """As the library takes it."""
        return LocalKnowledge(
            known_crls=[CRLContainer(crl.CertificateList.load(each)) for each in self.lists],
            known_ocsps=[one for each in self.answers for one in OCSPContainer.load_multi(each)],
            known_certs=list(self.certificates),
        )

    def report(self) -> dict[str, list[str]]:
        """Keep what was looked at: lists by their digest (they lie in the register or in the file), answers whole."""
        answers = [base64.b64encode(each.dump()).decode() for each in self.answers]
        return {"revocation_lists": [sha256(each) for each in self.lists], "status_answers": answers}


def in_turn(layer: Layer, trust: Trust, at: datetime) -> Iterator[Known]:
    """Give what we know ourselves, then, where the file brings something fresh along, that as well."""
    # Who signs a revocation list is looked up among known certificates; trust anchors are not by themselves.
    certificates = (*_listed_issuers(layer, trust), *embedded_evidence.certificates(layer.evidence))
    names = frozenset(sha256(name) for name in issuer_names(layer))
    own = Known(
        tuple(trust.revocation_lists(names)),
        status_answers.readable(trust.answers, at, OLDEST_ASKED),
        certificates,
    )
    yield own
    lists = tuple(each for each in layer.evidence.lists if _is_fresh(each, at))
    answers = status_answers.readable(layer.evidence.answers, at, OLDEST_EMBEDDED)
    if lists or answers:
        yield Known((*own.lists, *lists), (*own.answers, *answers), certificates)


def published_at(path: ValidationPath) -> tuple[str, ...]:
    """Name the http addresses of the revocation lists of everything below the listed service."""
    points = [
        str(point.url)
        for certificate in path.iter_certs(include_root=False)
        for point in certificate.crl_distribution_points
    ]
    return tuple(dict.fromkeys(url for url in points if url.startswith(("http://", "https://"))))


def questions_on(path: ValidationPath) -> tuple[Question, ...]:
    """Ask about everything below the listed service, at the responders that these certificates name."""
    chain = list(path.iter_certs(include_root=True))
    pairs = pairwise(chain)
    asked = [each for issuer, certificate in pairs for each in status_answers.questions_about(certificate, issuer)]
    return tuple(asked[:MOST_QUESTIONS])


def issuer_names(layer: Layer) -> frozenset[bytes]:
    """Give the names (DER) of whoever has issued a certificate in the signature."""
    found = extract_certificate_info(layer.signed_data)
    return frozenset(each.issuer.dump() for each in (found.signer_cert, *found.other_certs))


def _listed_issuers(layer: Layer, trust: Trust) -> list[x509.Certificate]:
    names = issuer_names(layer)
    listed = [
        authority.certificate
        for authority in trust.services.known_certificate_authorities
        if isinstance(authority, AuthorityWithCert)
    ]
    return [certificate for certificate in listed if certificate.subject.dump() in names]


def _is_fresh(revocation_list: bytes, at: datetime) -> bool:
    try:
        facts = read_revocation_list(revocation_list)
    except MalformedInput:
        return False
    return Span(facts.this_update_at, facts.next_update_at).is_fresh(at, OLDEST_EMBEDDED)
