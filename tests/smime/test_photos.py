"""Photos of an identification: an officer compares those of the attempt before him, and accepts nobody without them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smime.admin import check_page
from smime.errors.desk import IdentityPhotosMissing
from smime.models import EvidenceFile
from smime.services import checks, desk, evidence, idp
from tests.smime import identified
from tests.smime.desk.office import CARD, officer
from tests.smime.mailed import NOW, check_of
from tests.smime.provider import FakeProvider
from tests.smime.test_attestation import Says

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def provider():
    with idp.installed(FakeProvider()) as fake:
        yield fake


@pytest.fixture
def order(provider):
    """An IV order whose first session is over: the provider approves, an officer has to compare."""
    order = identified.invited("iv")
    finish(order, provider, NOW + HOUR)
    return order


def finish(order, provider, at) -> None:
    identified.ends(order, provider, "approved", at)
    for file in EvidenceFile.objects.filter(order=order, scan="pending"):
        evidence.scan(file.pk, at=at, scanner=Says())


def decide(order, outcome="accepted"):
    return desk.decide_identification(
        identified.attempt_of(order).pk,
        outcome=outcome,
        document=CARD,
        ticked=("face", "data"),
        operator=officer(order),
        now=NOW + 5 * HOUR,
    )


def shown(order) -> list[tuple[str, bool]]:
    """Photos as the officer's page shows them, and whether it says that they are of an earlier attempt."""
    check = check_of(order, "identity")
    found = check_page.evidence_of(order, check, check_page.attempt_of(check), None)
    return [(each.file.kind, each.is_earlier) for each in found]


def test_they_are_of_the_round_of_the_identity_check(order, provider):
    assert set(EvidenceFile.objects.values_list("round", flat=True)) == {1}
    checks.restart(check_of(order, "identity"), at=NOW + 2 * HOUR)
    identified.work(NOW + 2 * HOUR)
    finish(order, provider, NOW + 3 * HOUR)
    newest = EvidenceFile.objects.filter(order=order).order_by("-pk")[:3]
    assert {file.round for file in newest} == {check_of(order, "identity").round} == {2}


def test_after_a_refusal_those_of_the_refused_attempt_are_marked(order, provider):
    assert {is_earlier for _kind, is_earlier in shown(order)} == {False}
    decide(order, "refused")
    identified.work(NOW + 5 * HOUR)
    finish(order, provider, NOW + 6 * HOUR)

    assert [is_earlier for _kind, is_earlier in shown(order)] == [False] * 3 + [True] * 3


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("face", {"scan": "pending"}),
        ("document-front", {"scan": "infected"}),
        ("document-front", {"kind": "document-back"}),
        ("face", {"erased_at": NOW}),
    ],
)
def test_without_one_that_can_be_looked_at_nobody_is_accepted(order, kind, change):
    EvidenceFile.objects.filter(order=order, kind=kind).update(**change)
    with pytest.raises(IdentityPhotosMissing):
        decide(order)
    assert check_of(order, "identity").state == "in-review"


def test_those_of_a_refused_attempt_prove_nothing_for_the_next(order, provider):
    decide(order, "refused")
    identified.work(NOW + 5 * HOUR)
    provider.pictures = lambda _scan_ref: {}
    finish(order, provider, NOW + 6 * HOUR)
    with pytest.raises(IdentityPhotosMissing):
        decide(order)


def test_with_face_and_document_the_person_is_accepted(order):
    decide(order)
    assert check_of(order, "identity").state == "passed"
