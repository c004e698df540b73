"""The content of a card: which certificate belongs to which key, and what each says of itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cardclient.content import Match, Usage, Validity, content_of, facts_of
from cardclient.contract import Slot
from cardclient.errors import CardError
from cardclient.ports import CardCertificate, CardKey, KeyKind, ObjectKind
from cardclient.secret import Secret
from tests.cardclient.conftest import NOW, PIN
from tests.cardclient.fake_authority import OLD_END, OLD_START, TAX_CODE


@pytest.fixture
def opened(card):
    card.login(Secret(PIN))
    return card.view(), card.keys()


def test_each_certificate_is_shown_with_its_keys(opened):
    shown = content_of(*opened, now=NOW)
    assert [(each.private_keys, each.public_keys, each.match) for each in shown] == [(1, 1, Match.CERTAIN)] * 2
    assert {each.facts.slot for each in shown} == set(Slot)


def test_a_certificate_tells_holder_issuer_dates_key_and_usage(card):
    facts = facts_of(card.old[Slot.AUTHENTICATION], now=NOW)
    assert facts.holder.startswith(TAX_CODE)
    assert facts.issuer == "Prova CA"
    assert (facts.not_before, facts.not_after) == (OLD_START, OLD_END)
    assert facts.key == KeyKind("ec", 256)
    assert facts.usages == (Usage.SIGNING, Usage.CLIENT_LOGIN)
    assert facts_of(card.old[Slot.SIGNATURE], now=NOW).usages == (Usage.NON_REPUDIATION,)


@pytest.mark.parametrize(
    ("now", "validity"),
    [
        (OLD_START - timedelta(seconds=1), Validity.NOT_YET),
        (OLD_START, Validity.VALID),
        (OLD_END, Validity.VALID),
        (OLD_END + timedelta(seconds=1), Validity.EXPIRED),
        (datetime(2030, 1, 1, tzinfo=UTC), Validity.EXPIRED),
    ],
)
def test_the_last_second_of_a_certificate_still_counts(card, now, validity):
    assert facts_of(card.old[Slot.SIGNATURE], now=now).validity is validity


def test_without_the_pin_no_private_key_is_seen(card):
    assert {each.match for each in content_of(card.view(), card.keys(), now=NOW)} == {Match.NO_KEY}


def test_a_key_under_the_right_id_that_is_another_key_is_said(opened):
    view, keys = opened
    first, second = (each.id for each in view.certificates)
    swapped = tuple(replace(each, id=second if each.id == first else first) for each in keys)
    assert {each.match for each in content_of(view, swapped, now=NOW)} == {Match.OTHER_KEY}


def test_a_card_that_hides_public_keys_is_matched_by_id(opened):
    view, keys = opened
    private = tuple(replace(each, spki=None) for each in keys if each.kind is ObjectKind.PRIVATE_KEY)
    assert {each.match for each in content_of(view, private, now=NOW)} == {Match.BY_ID}


def test_half_a_pair_left_behind_is_shown_after_the_certificates(opened):
    view, keys = opened
    left = CardKey(ObjectKind.PRIVATE_KEY, b"half", "resto", None)
    last = content_of(view, (*keys, left), now=NOW)[-1]
    assert (last.label, last.has_certificate, last.private_keys, last.match) == ("resto", False, 1, None)


def test_an_unreadable_certificate_does_not_hide_the_others(opened):
    view, keys = opened
    broken = CardCertificate(b"broken", "guasto", b"\x30\x03")
    shown = content_of(replace(view, certificates=(broken, *view.certificates)), keys, now=NOW)
    assert shown[0].facts is None
    assert all(each.facts for each in shown[1:])
    with pytest.raises(CardError):
        facts_of(broken.der, now=NOW)
