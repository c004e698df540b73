"""The *codice utente*: random enough that its hash needs no stretching, told once, kept as a salted hash."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

import pytest
from django.contrib.auth.hashers import check_password

from cms.models import Holder
from cms.services import codes

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def holder(committed):
    return Holder.objects.create(tax_code="RSSMRA85T10A562S", given_name="Mario", surname="Rossi")


def test_a_code_has_at_least_64_bits():
    assert math.log2(len(set(codes._ALPHABET))) * codes._LENGTH >= 64


def test_the_register_keeps_a_salted_hash_that_knows_the_code_again(holder):
    code = codes.renew_user_code(holder, at=NOW)

    kept = Holder.objects.get(pk=holder.pk).user_code_hash
    assert code not in kept
    assert check_password(code, kept)
    assert not check_password(code[::-1], kept)


def test_two_holders_with_one_code_have_two_hashes(holder, monkeypatch):
    monkeypatch.setattr(codes, "_ALPHABET", "A")  # so that both codes are the same

    hashes = set()
    for _ in range(2):
        codes.renew_user_code(holder, at=NOW)
        hashes.add(Holder.objects.get(pk=holder.pk).user_code_hash)
    assert len(hashes) == 2


def test_making_a_code_costs_milliseconds_of_processor_time(holder):
    begun = time.process_time()
    codes.renew_user_code(holder, at=NOW)

    assert time.process_time() - begun < 0.05  # a password's hash takes 0.3 s
