"""Card families as data: what ships agrees with the client's file, and what they forbid is refused with its reason."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command

from cms.models import CardFamily
from cms.services import families
from renewals import sweeps
from renewals.models import RenewalCase
from tests.renewals.enrolment import Enrolment
from tests.renewals.world import OLD_NOT_AFTER

CLIENTS = Path(__file__).resolve().parents[2] / "cardclient" / "families.toml"
SHARED = (
    "name", "atrs", "asks_puk", "reinsert_after", "smallest_old_rsa", "renewable", "refusal", "replaces",
    "renewable_until", "certified_until", "max_renewals",
)  # fmt: skip


def code_of(card) -> str | None:
    return Enrolment(card).scan().json()["code"]


class TestShipped:
    def test_register_and_client_ship_the_same_families(self):
        clients = tomllib.loads(CLIENTS.read_text("utf-8"))
        theirs = {each["code"]: each for each in clients["families"]}
        ours = {each["code"]: each for each in families.shipped()}

        assert set(ours) == set(theirs)
        for code, mine in ours.items():
            assert {name: mine.get(name) for name in SHARED} == {name: theirs[code].get(name) for name in SHARED}, code

    def test_register_and_client_name_the_same_driver_and_tool(self):
        clients = tomllib.loads(CLIENTS.read_text("utf-8"))
        for mine, theirs in zip(families.shipped(), clients["families"], strict=True):
            driver = clients["drivers"].get(theirs.get("driver"), {})
            said = {"driver": "name", "driver_address": "address", "management_tool": "management_tool"}
            assert {ours: mine.get(ours) for ours in said} == {ours: driver.get(key) for ours, key in said.items()}

    def test_loading_adds_what_is_missing_and_changes_nothing_else(self, committed):
        CardFamily.objects.create(code="AC 2018", name="Come la chiamiamo noi", asks_puk=False)

        added = families.load_families()

        assert set(added) == {each["code"] for each in families.shipped()} - {"AC 2018"}
        assert CardFamily.objects.get(code="AC 2018").name == "Come la chiamiamo noi"
        assert CardFamily.objects.get(code="AC 2014").asks_puk
        assert families.load_families() == []

    def test_a_family_that_is_named_takes_the_shipped_values_again(self, committed, capsys):
        CardFamily.objects.create(code="AC 2018", name="Sbagliata", certified_until=date(2020, 1, 1))

        call_command("load_families", anew=["AC 2018"])

        family = CardFamily.objects.get(code="AC 2018")
        assert (family.name, family.certified_until, family.management_tool) == (
            "TS-CNS AC 2018", None, "IDProtect Manager",
        )  # fmt: skip


class TestRules:
    @pytest.fixture
    def limited(self, world):
        """The world's family with something set."""

        def set_values(**values):
            CardFamily.objects.filter(pk=world.family.pk).update(**values)
            world.family.refresh_from_db()

        return set_values

    def test_a_refused_family_says_why_in_its_own_words_and_nobody_is_invited(self, world, card, limited):
        limited(renewable=False, refusal="Chip ritirato dal produttore.")

        scan = Enrolment(card).scan().json()
        sweeps.open_windows(now=world.now)

        assert (scan["code"], scan["advice"]) == ("family-refused", "Chip ritirato dal produttore.")
        assert scan["family"]["refusal"] == "Chip ritirato dal produttore."
        assert not RenewalCase.objects.exists()

    def test_a_refused_family_without_words_says_the_usual_ones(self, card, limited):
        limited(renewable=False)

        assert Enrolment(card).scan().json()["advice"] == "La carta non è idonea al rinnovo: occorre un nuovo acquisto."

    @pytest.mark.parametrize(("until", "code"), [(date(2026, 3, 2), None), (date(2026, 3, 1), "device-end-of-life")])
    def test_renewable_until_is_inclusive(self, card, limited, until, code):
        limited(renewable_until=until)

        assert code_of(card) == code

    def test_a_day_that_passes_while_the_case_is_open_stops_it_at_the_diagnosis(self, card, limited):
        home = Enrolment(card)
        home.login()
        limited(renewable_until=date(2026, 3, 1))

        assert home.diagnose().json()["code"] == "device-end-of-life"

    def test_completed_renewals_of_the_card_count_against_the_limit(self, world, card, limited):
        limited(max_renewals=1)
        Enrolment(card).until("done")
        other = world.card(2, not_after=OLD_NOT_AFTER)

        assert code_of(other) is None
        RenewalCase.objects.update(card=other.pair.card)
        assert code_of(other) == "renewals-exhausted"

    def test_the_clock_invites_nobody_beyond_the_limit(self, world, card, limited):
        Enrolment(card).until("done")
        other = world.card(2, not_after=OLD_NOT_AFTER)
        RenewalCase.objects.update(card=other.pair.card)
        limited(max_renewals=1)

        sweeps.open_windows(now=world.now)

        assert not RenewalCase.objects.filter(old_pair=other.pair).exists()

    @pytest.mark.parametrize(("said", "replaces"), [(None, True), (False, False), (True, True)])
    def test_the_family_says_whether_old_keys_leave_the_card(self, card, limited, said, replaces):
        limited(replaces=said)
        scan = Enrolment(card).scan().json()

        assert (scan["family"]["replaces"], scan["offers"][0]["replaces"]) == (said, replaces)
