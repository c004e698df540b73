"""Which campaign extends which card at which instant; the guide's own, at instants of 2022 and 2023."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from cms.models import Campaign, CampaignEntry, CardFamily, Service
from cms.services import campaigns, families
from renewals.errors import CampaignOver
from renewals.models import RenewalCase
from renewals.services import decisions
from renewals.states import CaseState
from tests.renewals.enrolment import Enrolment
from tests.renewals.extension import AUTHENTICATION, TARGET, Extension
from tests.renewals.world import OLD_NOT_AFTER, World, tax_code

GUIDE = "estensione-ts-cns-2023"
LAST_DAY = datetime(2023, 12, 31, 22, 59, 59, tzinfo=UTC)


@pytest.fixture
def extension(world):
    return Extension(world)


def code_of(home: Enrolment) -> str | None:
    return home.scan().json()["code"]


class TestGuide:
    """Cut-off 30/12/2023 inclusive, extended until 31/12/2023 (SogeiExtend guide §1)."""

    @pytest.fixture
    def then(self, committed, clock, ca, settings):
        """A world in which the guide was published a month ago, its campaign loaded, and a stock bought."""
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        clock.instant = datetime(2022, 11, 14, 9, 0, tzinfo=UTC)
        world = World(ca, clock.instant)
        CardFamily.objects.all().delete()
        families.load_families()
        campaigns.load_campaigns(campaigns.FILE.read_text("utf-8"))
        campaign = Campaign.objects.get(code=GUIDE)
        world.agreement = world.agree(world.centre, campaign.service)
        world.agree(world.centre, campaign.issuing_service)
        world.buy(5, campaign.issuing_service)
        return world

    def home(self, world, *, expires_on=date(2022, 12, 30), family="AC 2018", not_after=None) -> Enrolment:
        """A TS-CNS that expires with its certificate at the end of 2022, in its holder's reader."""
        return Enrolment(
            world.card(
                1,
                types=AUTHENTICATION,
                not_after=not_after or datetime(2022, 12, 30, 22, 59, 59, tzinfo=UTC),
                family=CardFamily.objects.get(code=family),
                first_issued_on=date(2016, 12, 30),
                expires_on=expires_on,
            )
        )

    def test_a_card_of_the_guide_is_extended_until_the_last_second_of_2023(self, then):
        home = self.home(then).until("done")

        assert home.case["result"]["message"] == "Estensione conclusa: la carta può essere usata fino al 31/12/2023."
        assert RenewalCase.objects.get().new_pair.certificates.get().not_after == LAST_DAY

    @pytest.mark.parametrize(
        ("expires_on", "code"),
        [
            (date(2023, 12, 29), None),
            (date(2023, 12, 30), None),
            (date(2023, 12, 31), "campaign-excluded"),
            (None, "campaign-excluded"),
        ],
    )
    def test_the_cut_off_looks_at_the_card_and_is_inclusive(self, then, expires_on, code):
        assert code_of(self.home(then, expires_on=expires_on)) == code

    @pytest.mark.parametrize("family", ["AC 2014", "AC 2018", "OT 2015", "OT 2016", "ID 2019", "ACe 2021", "ACx 2021"])
    def test_every_family_whose_driver_the_guide_names_is_extended(self, then, family):
        assert code_of(self.home(then, family=family)) is None

    def test_st_2021_is_known_and_refused_with_its_reason(self, then):
        scan = self.home(then, family="ST 2021").scan().json()

        assert (scan["code"], scan["message"]) == (
            "family-refused",
            "Nessun certificato rinnovabile presente nella carta",
        )
        assert scan["advice"] == scan["family"]["refusal"] == CardFamily.objects.get(code="ST 2021").refusal

    @pytest.mark.parametrize(
        ("instant", "code"),
        [
            (datetime(2022, 10, 13, 21, 59, 59, tzinfo=UTC), "campaign-excluded"),
            (datetime(2022, 10, 13, 22, 0, 0, tzinfo=UTC), None),  # midnight in Italy of the day of publication
            (datetime(2022, 12, 30, 22, 59, 59, tzinfo=UTC), None),  # the certificate's last second
            (datetime(2022, 12, 30, 23, 0, 0, tzinfo=UTC), "certificate-expired"),
        ],
    )
    def test_from_the_first_day_until_the_certificates_own_end(self, then, clock, instant, code):
        home = self.home(then)
        clock.instant = instant

        assert code_of(home) == code

    @pytest.mark.parametrize(
        ("instant", "code"),
        [
            (datetime(2023, 12, 30, 12, 0, tzinfo=UTC), None),
            (datetime(2023, 12, 31, 12, 0, tzinfo=UTC), None),
            (datetime(2023, 12, 31, 23, 0, tzinfo=UTC), "campaign-excluded"),
        ],
    )
    def test_the_campaign_ends_with_its_target_day(self, then, clock, instant, code):
        home = self.home(then, not_after=datetime(2023, 12, 31, 12, 30, tzinfo=UTC))
        if code:
            home = self.home_that_outlives(then)
        clock.instant = instant

        assert code_of(home) == code

    def home_that_outlives(self, world) -> Enrolment:
        """A card whose certificate lives into 2024, so that only the campaign can be over."""
        return Enrolment(
            world.card(
                2,
                types=AUTHENTICATION,
                not_after=datetime(2024, 3, 1, 12, 0, tzinfo=UTC),
                family=CardFamily.objects.get(code="AC 2018"),
                expires_on=date(2023, 12, 30),
            )
        )

    def test_a_certificate_that_lives_longer_than_the_target_loses_no_day(self, then):
        assert code_of(self.home_that_outlives(then)) == "campaign-excluded"

    def test_loading_again_adds_nothing_and_changes_nothing(self, then):
        Campaign.objects.update(name="Altro nome")

        assert campaigns.load_campaigns(campaigns.FILE.read_text("utf-8")) == []
        assert Campaign.objects.get().name == "Altro nome"
        assert Service.objects.filter(code="ts-cns").count() == 1


class TestChoice:
    def test_the_campaign_that_reaches_furthest_is_taken(self, extension):
        later = extension.open_campaign("oltre", target_on=date(2027, 6, 30))
        extension.open_campaign("prima", target_on=date(2026, 6, 30))
        extension.enrolment().until("requests")

        assert RenewalCase.objects.get().campaign == later

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"opens_on": date(2026, 3, 2)}, None),
            ({"opens_on": date(2026, 3, 3)}, "campaign-excluded"),
            ({"closes_on": date(2026, 3, 2)}, None),
            ({"closes_on": date(2026, 3, 1)}, "campaign-excluded"),
        ],
    )
    def test_first_and_last_day_are_inclusive_in_italy(self, extension, changed, code):
        Campaign.objects.update(**changed)

        assert code_of(extension.enrolment()) == code

    def test_a_family_that_the_campaign_does_not_name_is_left_out(self, extension):
        home = extension.enrolment()
        extension.campaign.families.set([CardFamily.objects.create(code="AC 2018", name="altra")])

        assert code_of(home) == "campaign-excluded"

    @pytest.mark.parametrize("entry", [{"tax_code": tax_code(1)}, {"card_serial": "6090010000000001"}])
    def test_a_list_lets_in_whom_it_names_by_codice_fiscale_or_card(self, extension, entry):
        Campaign.objects.update(is_listed=True)
        CampaignEntry.objects.create(campaign=extension.campaign, **entry)

        assert code_of(extension.enrolment(1)) is None
        assert code_of(extension.enrolment(2)) == "campaign-excluded"

    @pytest.mark.parametrize("activated_on", [None, date(2026, 3, 3)])
    def test_only_activated_cards_are_extended(self, extension, activated_on):
        home = extension.enrolment()
        card = home.card.pair.card
        card.activated_on = activated_on
        card.save()

        assert code_of(home) == "card-not-activated"

    def test_a_centre_without_an_agreement_for_the_campaigns_stock_cannot_extend(self, extension):
        home = extension.enrolment()
        extension.issuing_agreement.delete()
        home.login()

        assert home.refusal == "agreement-missing"


class TestAfterwards:
    def test_the_card_says_that_it_is_renewed_with_either_certificate(self, extension):
        home = extension.enrolment().until("done")
        new = RenewalCase.objects.get().new_pair.certificates.select_related("body").get()

        assert code_of(home) == "certificate-renewed"
        home.card.certificates = {"authentication": bytes(new.body.der)}
        assert code_of(home) == "certificate-renewed"
        assert home.scan().json()["message"] == "Certificato già rinnovato per la carta"

    def test_a_later_campaign_extends_the_extended_card_again(self, extension):
        home = extension.enrolment().until("done")
        issued = RenewalCase.objects.get().new_pair.certificates.select_related("body").get()
        extension.open_campaign("di-nuovo", service=extension.issuing, target_on=date(2027, 12, 31))
        again = Enrolment(home.card)
        again.card.certificates = {"authentication": bytes(issued.body.der)}
        again.card.keys = dict(home.card.new_keys)
        again.card.name = "card-1-again"
        again.until("done")

        assert RenewalCase.objects.filter(state=CaseState.COMPLETED).count() == 2

    @pytest.mark.parametrize(
        "changed",
        [{"closes_on": date(2026, 3, 1)}, {"cutoff_on": date(2026, 1, 1)}, {"is_listed": True}],
    )
    def test_a_campaign_that_is_changed_later_does_not_move_an_open_case(self, extension, changed):
        home = extension.enrolment().until("requests")
        Campaign.objects.update(**changed)
        again = Enrolment(home.card).until("done")

        assert again.case["result"]["new_not_after"] == "2026-12-31T22:59:59Z"

    def test_a_newer_campaign_does_not_move_an_open_case_either(self, extension):
        home = extension.enrolment().until("requests")
        extension.open_campaign("oltre", target_on=date(2027, 6, 30))
        Enrolment(home.card).until("done")

        assert RenewalCase.objects.get().campaign.target_on == TARGET

    def test_a_stopped_extension_is_opened_again_in_its_own_campaign_by_an_operator_alone(self, extension, world):
        home = extension.enrolment().until("requests")
        home.call("post", "/case/cancellation", {"reason": "holder-declines", "confirm": True})
        Campaign.objects.update(is_listed=True)
        assert code_of(home) in {"pair-closed", "campaign-excluded"}

        reopened = decisions.reopen_renewal(RenewalCase.objects.get().pk, operator=world.operator, now=world.now)
        assert (reopened.campaign, reopened.issuing_service) == (extension.campaign, extension.issuing)
        assert Enrolment(home.card).until("done").case["next_step"] == "done"

    def test_a_closed_campaign_reopens_nothing(self, extension, world):
        home = extension.enrolment().until("requests")
        home.call("post", "/case/cancellation", {"reason": "holder-declines", "confirm": True})
        Campaign.objects.update(closes_on=date(2026, 3, 1))

        with pytest.raises(CampaignOver):
            decisions.reopen_renewal(RenewalCase.objects.get().pk, operator=world.operator, now=world.now)

    def test_the_pair_expires_for_good_one_second_after_its_last(self, extension, clock):
        home = extension.enrolment()
        clock.instant = OLD_NOT_AFTER + timedelta(seconds=1)

        assert code_of(home) == "certificate-expired"
