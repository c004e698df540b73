"""What is honoured of a trusted list: the constructs of ETSI TS 119 612, and what none of them may let through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from config.demo import trust_scheme
from config.demo.trust_scheme import GRANTED, WITHDRAWN, Wish
from pki import trust_lists
from pki.qualified_validation import Outcome
from tests.smime.signature import lists, world
from tests.smime.signature.lists import (
    bits,
    certificate,
    criteria,
    earlier,
    extension,
    identifier,
    key_purposes,
    policies,
    purpose,
    qualification,
    qualifications,
    service,
    subject_attributes,
)

DAY = timedelta(days=1)
YEAR = 365 * DAY
UNLISTED, UNQUALIFIED, QUALIFIED = "issuer-unlisted", "certificate-unqualified", "signature-qualified"
NO_DEVICE, NOT_PERSONAL = "device-unqualified", "certificate-not-personal"


def judged(*services: str, wish: Wish | None = None) -> Outcome:
    xml = lists.country(*services)
    registry, _ = trust_lists.registry([trust_lists.verify_list(xml, [world.scheme().supervisor.der])])
    return world.judged(world.cades(by=world.signer(wish)), believing=replace(world.trust(), services=registry))


def qualified_by(combination: str, *parts: str, qualifier: str = "NotQualified") -> str:
    """A service with one qualifier under these criteria."""
    return service(purpose(), qualifications(qualification(criteria(combination, *parts), qualifier)))


STATES = {
    "granted": (service(), QUALIFIED),
    "withdrawn": (service(status=WITHDRAWN), UNLISTED),
    "of a status to come": (service(status=f"{GRANTED}-perhaps"), UNLISTED),
    "of another type": (service(kind="http://uri.etsi.org/TrstSvc/Svctype/CA/PKC"), UNLISTED),
    "granted, beginning tomorrow": (service(since=world.NOW + DAY), "signature-invalid"),
    "granted after the certificate was issued": (service(since=world.ISSUED_AT + DAY), UNQUALIFIED),
    "granted anew, and granted before": (
        service(since=world.ISSUED_AT + DAY, history=[earlier(since=world.NOW - YEAR)]),
        QUALIFIED,
    ),
    "granted anew, and withdrawn when the certificate was issued": (
        service(
            since=world.ISSUED_AT + DAY,
            history=[
                earlier(since=world.ISSUED_AT - DAY, status=WITHDRAWN),
                earlier(since=world.NOW - YEAR),
            ],
        ),
        UNQUALIFIED,
    ),
    "a history out of order": (
        service(
            since=world.ISSUED_AT + DAY,
            history=[
                earlier(since=world.NOW - 2 * YEAR),
                earlier(since=world.ISSUED_AT - DAY),
                earlier(since=world.NOW - YEAR, status=WITHDRAWN),
            ],
        ),
        QUALIFIED,
    ),
    "withdrawn now, and granted before": (
        service(status=WITHDRAWN, since=world.NOW - DAY, history=[earlier(since=world.NOW - YEAR)]),
        UNLISTED,
    ),
    "a past that is not understood": (
        service(
            since=world.ISSUED_AT + DAY,
            history=[earlier(purpose(), extension("<x:Nuovo/>"), since=world.NOW - YEAR)],
        ),
        UNQUALIFIED,
    ),
    "listed twice, once withdrawn": (service(status=WITHDRAWN) + service(), QUALIFIED),
    "listed twice, contradicting itself": (
        service() + service(purpose(), qualifications(qualification(criteria("all", bits(nonRepudiation=True)), "NotQualified"))),
        UNQUALIFIED,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("listed", "code"), STATES.values(), ids=STATES)
def test_a_service_is_trusted_while_it_is_granted(listed, code):
    assert judged(listed).code == code


EXTENSIONS = {
    "for signatures": (service(purpose()), QUALIFIED),
    "for signatures, not critical": (service(purpose(critical=False)), QUALIFIED),
    "for signatures and seals": (service(purpose(), purpose(f"{lists.BASE}/SvcInfoExt/ForeSeals")), QUALIFIED),
    "for seals": (service(purpose(f"{lists.BASE}/SvcInfoExt/ForeSeals")), UNQUALIFIED),
    "for web sites": (service(purpose(f"{lists.BASE}/SvcInfoExt/ForWebSiteAuthentication")), UNQUALIFIED),
    "for nothing in particular": (service(extension(lists.EXPIRED_CERTIFICATES)), UNLISTED),
    "as a root": (service(purpose(), purpose(f"{lists.BASE}/SvcInfoExt/RootCA-QC")), QUALIFIED),
    "with an unknown purpose beside": (service(purpose(), purpose("http://example.org/x", critical=False)), QUALIFIED),
    "with an unknown purpose that decides": (service(purpose(), purpose("http://example.org/x")), UNLISTED),
    "taken over, critical": (service(purpose(), extension(lists.TAKEN_OVER)), QUALIFIED),
    "taken over": (service(purpose(), extension(lists.TAKEN_OVER, critical=False)), QUALIFIED),
    "telling of expired certificates": (service(purpose(), extension(lists.EXPIRED_CERTIFICATES)), QUALIFIED),
    "with an unknown extension": (service(purpose(), extension("<x:Nuovo/>", critical=False)), QUALIFIED),
    "with an unknown extension that decides": (service(purpose(), extension("<x:Nuovo/>")), UNLISTED),
    "with a comment": (service(purpose(), extension("<!-- nulla -->")), QUALIFIED),
}


@pytest.mark.parametrize(("listed", "code"), EXTENSIONS.values(), ids=EXTENSIONS)
def test_extensions_narrow_a_service_or_leave_it_as_it_is(listed, code):
    assert judged(listed).code == code


IDENTITIES = {
    "two certificates": (lambda: certificate(world.scheme().operator, world.scheme().authority), QUALIFIED),
    "a name and a key beside": (
        lambda: certificate(world.scheme().authority) + lists.key_identifier(world.scheme().authority),
        QUALIFIED,
    ),
    "a name and a key alone": (lambda: lists.key_identifier(world.scheme().authority), UNLISTED),
    "another's certificate": (lambda: certificate(world.scheme().operator), UNLISTED),
    "a stranger's of the same name": (lambda: certificate(trust_scheme.found(world.NOW).authority), UNLISTED),
    "no certificate": (lambda: "<DigitalId><X509Certificate>AAAA</X509Certificate></DigitalId>", UNLISTED),
    "no base64": (lambda: "<DigitalId><X509Certificate>*</X509Certificate></DigitalId>", UNLISTED),
}


@pytest.mark.parametrize(("identity", "code"), IDENTITIES.values(), ids=IDENTITIES)
def test_a_service_is_its_certificates(identity, code):
    outcome = judged(service(identity=identity()))

    assert outcome.code == code or (code == UNLISTED and outcome.code in {"signature-invalid", "signature-broken"})


def test_one_service_that_is_not_understood_hides_no_other():
    assert (
        judged(
            service(purpose(), extension("<x:Nuovo/>"), identity=certificate(world.scheme().operator)) + service()
        ).code
        == QUALIFIED
    )


YES = bits(nonRepudiation=True)
NO = bits(nonRepudiation=False)
CRITERIA = {
    "a bit that is set": (("all", YES), True),
    "a bit that is not set": (("all", bits(digitalSignature=True)), False),
    "all bits, one of them not set": (("all", bits(nonRepudiation=True, digitalSignature=True)), False),
    "all bits as said": (("all", bits(nonRepudiation=True, digitalSignature=False, keyCertSign=False)), True),
    "only bits that are not set": (("all", bits(keyAgreement=False)), True),
    "only a bit that must not be set": (("all", NO), False),
    "two, both needed": (("all", YES, NO), False),
    "two, one needed": (("atLeastOne", NO, YES), True),
    "none of these": (("none", NO), True),
    "none of these, but one": (("none", NO, YES), False),
    "nested": (("all", YES, criteria("atLeastOne", NO, criteria("none", NO))), True),
    "nested, and not met": (("all", YES, criteria("all", YES, criteria("none", YES))), False),
    "an attribute of the name": (("all", subject_attributes("2.5.4.5", "2.5.4.42")), True),
    "an attribute that is not there": (("all", subject_attributes("2.5.4.5", "2.5.4.97")), False),
    "a policy that is not there": (("all", policies(identifier("1.2.3.4"))), False),
    "no such policy": (("none", policies(identifier("1.2.3.4"))), True),
    "a purpose that is not there": (("all", key_purposes("1.3.6.1.5.5.7.3.4")), False),
}


@pytest.mark.parametrize(("said", "applies"), CRITERIA.values(), ids=CRITERIA)
def test_a_qualifier_applies_to_whom_its_criteria_describe(said, applies):
    assert judged(qualified_by(*said)).code == (UNQUALIFIED if applies else QUALIFIED)


POLICY = "1.3.76.38.1.1.1"


@pytest.mark.parametrize(
    ("written", "applies"),
    [
        (identifier(POLICY), True),
        (identifier(f"urn:oid:{POLICY}", "OIDAsURN"), True),
        (identifier(f"URN:OID:{POLICY}", "OIDAsURI"), True),
        (identifier(f"\n  {POLICY}\n"), True),
        (identifier("1.3.76.38.1.1"), False),
    ],
)
def test_policies_are_the_same_however_they_are_written(written, applies):
    outcome = judged(qualified_by("all", policies(written)), wish=Wish(policies=(POLICY,)))

    assert outcome.code == (UNQUALIFIED if applies else QUALIFIED)


QUALIFIERS = {
    "not qualified": ("NotQualified", Wish(), UNQUALIFIED),
    "for companies": ("QCForLegalPerson", Wish(), UNQUALIFIED),
    "for seals": ("QCForESeal", Wish(), UNQUALIFIED),
    "for web sites": ("QCForWSA", Wish(), UNQUALIFIED),
    "for signatures": ("QCForESig", Wish(), QUALIFIED),
    "qualified without saying so": ("QCStatement", Wish(qualified=False), NO_DEVICE),
    "on a device without saying so": ("QCWithQSCD", Wish(device=False), QUALIFIED),
    "on an older device without saying so": ("QCWithSSCD", Wish(device=False), QUALIFIED),
    "on a device that somebody keeps": ("QCQSCDManagedOnBehalf", Wish(device=False), QUALIFIED),
    "on no device, whatever it says": ("QCNoQSCD", Wish(), NO_DEVICE),
    "on no older device, whatever it says": ("QCNoSSCD", Wish(), NO_DEVICE),
    "as the certificate says": ("QCQSCDStatusAsInCert", Wish(), QUALIFIED),
    "as the certificate does not say": ("QCQSCDStatusAsInCert", Wish(device=False), NO_DEVICE),
}


@pytest.mark.parametrize(("qualifier", "wish", "code"), QUALIFIERS.values(), ids=QUALIFIERS)
def test_qualifiers_say_more_than_the_certificate(qualifier, wish, code):
    assert judged(qualified_by("all", YES, qualifier=qualifier), wish=wish).code == code


def test_of_contradicting_qualifiers_the_stricter_counts():
    both = service(
        purpose(),
        qualifications(
            qualification(criteria("all", YES), "QCWithQSCD", "QCStatement"),
            qualification(criteria("none", NO), "QCNoQSCD"),
        ),
    )

    assert judged(both).code == NO_DEVICE


UNKNOWN = {
    "an unknown qualifier": qualified_by("all", YES, qualifier="QCForRobots"),
    "an unknown criterion": qualified_by("all", YES, lists.other("<x:Nuovo/>")),
    "an unknown kind of list": qualified_by("all", "<q:Nuovo/>"),
    "an unknown combination": qualified_by("most", YES),
    "no combination": qualified_by("", YES),
    "no criteria": qualified_by("all"),
    "an unknown bit": qualified_by("all", bits(robotUsage=True)),
    "a policy that is none": qualified_by("all", policies(identifier("urn:uuid:1"))),
    "an empty policy": qualified_by("all", policies(identifier(""))),
    "a set of no policies": qualified_by("all", policies()),
    "criteria without a qualifier": service(purpose(), qualifications(qualification(criteria("all", YES)))),
    "a time without a zone": service().replace("Z</StatusStartingTime>", "</StatusStartingTime>"),
    "no time": service().replace("StatusStartingTime", "x:Nuovo"),
}


@pytest.mark.parametrize("listed", UNKNOWN.values(), ids=UNKNOWN)
def test_what_decides_and_is_not_understood_trusts_nobody(listed):
    xml = lists.country(listed, service(identity=certificate(world.scheme().operator)))
    verified = trust_lists.verify_list(xml, [world.scheme().supervisor.der])

    registry, left_out = trust_lists.registry([verified])

    assert judged(listed).code == UNLISTED
    assert len(list(registry.known_certificate_authorities)) == 1
    assert left_out == {"IT": 1}
