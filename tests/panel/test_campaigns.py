"""Campagne: who sees them, what they say, opening, changing, and the list of who may take part."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from cms.models import Agreement, Campaign, CampaignEntry, CardFamily, Event, Service, Stock, User
from cms.policy import rome_date
from cms.scope import scope_of
from cms.states import ApprovalMode, Flow, Role
from pki.tax_code import check_letter
from renewals.models import RenewalCase
from tests.panel.town import NOW

LIST = "/pannello/campagne/"
PAGE = f"{LIST}estensione/"
TODAY = rome_date(NOW)


def text(answer) -> str:
    return answer.content.decode()


def tax_code(number: int) -> str:
    body = f"RSSMRA85T10A{number:03d}"
    return body + check_letter(body)


@pytest.fixture
def provider(town):
    """An administrator of the provider, a manager of the centre."""
    town.root = User.objects.create_user(
        "root@fornitore.example.org", full_name="Irene Vanni", is_staff=True, is_administrator=True
    )
    town.manager = town.employ("resp@cdrl.example.org", "Rita Resta", role=Role.MANAGER)
    for user in (town.root, town.manager, town.operator):
        town.give_totp(user)
    return town


@pytest.fixture
def by(provider, seat, freshly):
    """Somebody logged in, freshly confirmed."""
    return lambda user: freshly(seat(user, provider.service))


@pytest.fixture
def root(provider, by):
    """The administrator."""
    return by(provider.root)


@pytest.fixture
def services(town):
    """A service to be extended and one to issue under."""
    made = [
        Service.objects.create(code=code, name=name, flow=Flow.EXTEND, types=["authentication"])
        for code, name in (("ts-cns", "TS-CNS"), ("ts-cns-est", "TS-CNS estensione"))
    ]
    for service in made:
        Agreement.objects.create(centre=town.centre, service=service, approval=ApprovalMode.AUTOMATIC)
    return made


def form(services, **changed):
    extended, issuing = services
    values = {
        "code": "estensione",
        "name": "Estensione TS-CNS",
        "service": extended.pk,
        "issuing_service": issuing.pk,
        "opens_on": TODAY + timedelta(days=1),
        "closes_on": "",
        "cutoff_on": TODAY + timedelta(days=200),
        "target_on": TODAY + timedelta(days=300),
    }
    return values | changed


@pytest.fixture
def campaign(services):
    """One that has begun a week ago."""
    extended, issuing = services
    return Campaign.objects.create(
        code="estensione",
        name="Estensione TS-CNS",
        service=extended,
        issuing_service=issuing,
        opens_on=TODAY - timedelta(days=7),
        cutoff_on=TODAY + timedelta(days=200),
        target_on=TODAY + timedelta(days=300),
    )


class TestOpening:
    def test_an_administrator_opens_a_campaign_for_chosen_families(self, root, services):
        family = CardFamily.objects.create(code="AC 2018", name="TS-CNS AC 2018")
        answer = root.post(f"{LIST}nuova/", form(services, families=[family.pk]), follow=True)

        assert "Campagna aperta." in text(answer)
        assert list(Campaign.objects.get().families.all()) == [family]
        assert Event.objects.get(verb="campaign.opened").facts == {"campaign": "estensione"}

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"closes_on": TODAY}, "campaign-dates-invalid"),
            ({"closes_on": TODAY + timedelta(days=301)}, "campaign-dates-invalid"),
            ({"opens_on": TODAY + timedelta(days=301)}, "campaign-dates-invalid"),
            ({"opens_on": TODAY - timedelta(9), "target_on": TODAY - timedelta(1)}, "campaign-dates-invalid"),
        ],
    )
    def test_days_that_do_not_fit_are_refused(self, root, services, changed, code):
        answer = root.post(f"{LIST}nuova/", form(services, **changed))

        assert code in text(answer)
        assert not Campaign.objects.exists()

    def test_the_issuing_service_has_the_cns_certificate_alone(self, root, services):
        services[1].types = ["authentication", "signature"]
        services[1].save()

        assert "campaign-service-invalid" in text(root.post(f"{LIST}nuova/", form(services)))

    def test_a_service_that_renews_is_not_offered(self, root, town, services):
        answer = root.post(f"{LIST}nuova/", form(services, service=town.service.pk))

        assert not Campaign.objects.exists()
        assert f'value="{town.service.pk}"' not in text(answer)


@pytest.mark.usefixtures("campaign")
class TestChanging:
    def test_a_campaign_that_has_begun_keeps_what_its_cases_stand_on(self, root, services):
        moved = {"target_on": TODAY + timedelta(days=250), "opens_on": TODAY + timedelta(days=20)}
        root.post(f"{PAGE}modifica/", form(services, cutoff_on=TODAY + timedelta(days=250), **moved))

        kept = Campaign.objects.get()
        assert (kept.target_on, kept.opens_on) == (TODAY + timedelta(days=300), TODAY - timedelta(days=7))
        assert kept.cutoff_on == TODAY + timedelta(days=250)

    def test_it_is_not_closed_in_the_past(self, root, services):
        answer = root.post(f"{PAGE}modifica/", form(services, closes_on=TODAY - timedelta(days=1)))

        assert "campaign-dates-invalid" in text(answer)
        assert "Campagna modificata" in text(
            root.post(f"{PAGE}modifica/", form(services, closes_on=TODAY), follow=True)
        )

    def test_what_changed_is_told_with_its_former_value_and_nothing_changed_is_not_told(self, root, services):
        root.post(f"{PAGE}modifica/", form(services, closes_on=TODAY))
        root.post(f"{PAGE}modifica/", form(services, closes_on=TODAY))

        told = Event.objects.get(verb="campaign.changed").facts["changed"]
        assert told == {"closes_on": [None, TODAY.isoformat()]}


@pytest.mark.usefixtures("campaign")
class TestWhoSeesIt:
    def test_only_administrators_of_the_provider(self, provider, by):
        for path in (LIST, PAGE, f"{PAGE}modifica/", f"{PAGE}elenco/"):
            assert by(provider.manager).get(path).status_code == 404
            assert by(provider.operator).get(path).status_code in {403, 404}

    def test_the_list_and_the_page_say_how_it_goes(self, root, town, services):
        Stock.objects.create(centre=town.centre, service=services[1], type="authentication", free=0)
        page = text(root.get(LIST)) + text(root.get(PAGE))

        for words in ("Estensione TS-CNS", "Aperta", "Ancora da estendere", town.centre.name):
            assert words in page


@pytest.mark.usefixtures("campaign")
class TestList:
    def send(self, root, content: bytes):
        return root.post(f"{PAGE}elenco/", {"file": SimpleUploadedFile("elenco.csv", content)}, follow=True)

    def test_people_and_cards_are_added_and_wrong_lines_named_by_number(self, root, campaign):
        lines = ["codice_fiscale", tax_code(1), tax_code(2).lower(), "6090010000000001", "", "RSSMRA85T10A001X", "a b"]
        page = text(self.send(root, "\r\n".join(lines).encode()))

        assert "3 voci aggiunte, 0 già presenti" in page
        assert "2 righe scartate" in page
        assert "6, 7" in page
        entries = set(campaign.entries.values_list("tax_code", "card_serial"))
        assert entries == {(tax_code(1), ""), (tax_code(2), ""), ("", "6090010000000001")}

    def test_a_second_upload_adds_and_the_same_file_again_changes_nothing(self, root, campaign):
        self.send(root, tax_code(1).encode())
        self.send(root, f"{tax_code(1)}\n{tax_code(2)}\n{tax_code(2)}".encode())
        page = text(self.send(root, tax_code(2).encode()))

        assert campaign.entries.count() == 2
        assert "0 voci aggiunte, 1 già presente" in page
        told = [event.facts for event in Event.objects.filter(verb="campaign.list-extended").order_by("pk")]
        assert [facts["added"] for facts in told] == [1, 1, 0]
        assert "RSSMRA" not in str(told)

    @pytest.mark.parametrize("content", [b"\0\1\2", b"1\n" * 200_002])
    def test_what_is_no_list_is_refused_whole(self, root, campaign, content):
        assert "list-unreadable" in text(self.send(root, content))
        assert not campaign.entries.exists()

    def test_a_file_is_asked_for(self, root):
        assert "Scelga il file" in text(root.post(f"{PAGE}elenco/"))

    def test_the_page_counts_and_names_nobody(self, root, campaign):
        CampaignEntry.objects.create(campaign=campaign, tax_code=tax_code(1))

        assert tax_code(1) not in text(root.get(PAGE))


def test_nothing_of_a_renewal_belongs_to_a_campaign(town):
    town.case()

    assert not RenewalCase.objects.filter(campaign__isnull=False).exists()


def test_an_operator_of_the_extended_service_sees_what_the_campaign_issues(provider, campaign, services):
    extended, issuing = services

    assert scope_of(provider.operator, extended.pk).service_ids == {extended.pk, issuing.pk}
    assert scope_of(provider.operator, issuing.pk).service_ids == {issuing.pk}
    assert scope_of(provider.operator, issuing.pk).kin_ids == {extended.pk, issuing.pk}
