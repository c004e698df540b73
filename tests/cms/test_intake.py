"""Import: a table and certificates are vetted row by row, then registered; nothing half-written, nothing twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cms import errors
from cms.contacts import parse_contacts
from cms.import_errors import FileRefused, ImportClosed, TooManyImports
from cms.models import Agreement, Card, Certificate, Event, Holder, Job, JobFile, Pair, Registration, StockMovement
from cms.services import holders, intake, registration
from cms.states import CertificateStatus, JobRowState, JobState, Role
from renewals import sweeps
from renewals.models import RenewalCase
from tests.cms.roster_maker import HEADER, Mint, Person, archive, pem, table, tax_code
from tests.panel.town import NOW, Town


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def town(committed):
    return Town()


@pytest.fixture
def mint(town):
    made = Mint()
    registration.pin_issuer(made.certificate)
    return made


@pytest.fixture
def agreement(town):
    return Agreement.objects.get(centre=town.centre, service=town.service)


class Desk:
    """The operator and the worker of these tests."""

    def __init__(self, town, agreement) -> None:
        self.operator, self.agreement = town.operator, agreement

    def receive(self, people, bundle: bytes | None = None, *, csv: bytes | None = None) -> Job:
        return intake.receive_import(
            self.agreement.pk,
            table=table(people) if csv is None else csv,
            certificates=[archive(people) if bundle is None else bundle],
            operator=self.operator,
            now=NOW,
        )

    def check(self, people, bundle: bytes | None = None, *, csv: bytes | None = None) -> Job:
        return self.work(self.receive(people, bundle, csv=csv))

    def run(self, people, bundle: bytes | None = None) -> Job:
        job = self.check(people, bundle)
        intake.start_import(job.uid, operator=self.operator, now=NOW)
        return self.work(job)

    @staticmethod
    def work(job: Job) -> Job:
        intake.carry_out(job.pk, at=NOW)
        job.refresh_from_db()
        return job


@pytest.fixture
def desk(town, agreement):
    return Desk(town, agreement)


def report(job: Job) -> list[tuple[int, str, str]]:
    return list(job.rows.order_by("position").values_list("position", "state", "code"))


def codes(job: Job) -> list[str]:
    return [code for _, _, code in report(job)]


def test_a_check_says_what_would_be_registered_and_registers_nothing(desk, mint):
    job = desk.check([mint.person(1), mint.person(2)])

    assert (job.state, job.total, job.refused) == (JobState.CHECKED, 2, 0)
    assert job.rows.get(position=2).text == "Da registrare: nuovo titolare, carta con 2 certificati."
    assert not Card.objects.exists()
    assert not Holder.objects.exists()


def test_a_started_import_registers_holder_card_pair_and_certificates(desk, mint, agreement):
    job = desk.run([mint.person(1)])

    assert (job.state, job.done, job.refused) == (JobState.DONE, 1, 0)
    pair = Pair.objects.get(pk=job.rows.get().subject_id)
    assert (pair.centre, pair.service) == (agreement.centre, agreement.service)
    assert pair.window_opens_at is not None
    assert pair.holder.email == "persona1@posta.example.org"
    assert Registration.objects.filter(holder=pair.holder, centre=agreement.centre).exists()
    assert {half.status for half in pair.certificates.all()} == {CertificateStatus.ACTIVE}
    assert bytes(pair.certificates.get(type="signature").body.der) == mint_der(job, pair)
    event = Event.objects.get(verb="card.registered", card_id=pair.card_id)
    assert (event.channel, event.actor_id) == ("import", desk.operator.pk)
    assert not StockMovement.objects.exclude(kind="purchase").exists()


def mint_der(job, pair) -> bytes:
    return bytes(Certificate.objects.get(pair=pair, type="signature").body.der)


def test_an_imported_card_is_renewed_like_any_other(desk, mint):
    desk.run([mint.person(1, days=40)])

    sweeps.open_windows(now=NOW)

    assert RenewalCase.objects.get().card.serial == f"7{1:015d}"


def test_files_go_when_the_job_ends_and_rows_keep_the_card_only(desk, mint):
    job = desk.check([mint.person(1), mint.person(2).but(codice_fiscale="RSSMRA85T10A562X")])
    assert JobFile.objects.filter(job=job).exists()

    intake.start_import(job.uid, operator=desk.operator, now=NOW)
    desk.work(job)

    assert not JobFile.objects.filter(job=job).exists()
    assert [row.payload for row in job.rows.order_by("position")] == [{"card": f"7{1:015d}"}, {"card": f"7{2:015d}"}]


def test_a_card_without_activation_is_taken_with_a_warning(desk, mint):
    job = desk.check([mint.person(1).but(attivata_il="")])

    assert codes(job) == [""]
    assert "non potrà essere rinnovata" in job.rows.get().text


def test_the_same_file_again_creates_nothing_twice(desk, mint):
    people = [mint.person(1), mint.person(2)]
    desk.run(people)

    again = desk.check(people)

    assert codes(again) == ["card-known", "card-known"]
    with pytest.raises(ImportClosed):
        intake.start_import(again.uid, operator=desk.operator, now=NOW)
    assert Card.objects.count() == 2


def test_a_second_card_of_one_holder_keeps_the_first_contacts(desk, mint):
    first = mint.person(1)
    second = mint.person(2).but(codice_fiscale=first.cells["codice_fiscale"], cognome=first.cells["cognome"])
    code, card = first.cells["codice_fiscale"], second.cells["seriale_carta"]
    second.certificates = {type_: mint.issue(code, card, type_) for type_ in ("authentication", "signature")}
    first, second = (named(person) for person in (first, second))

    job = desk.run([first, second])

    assert codes(job) == ["", ""]
    assert Holder.objects.get().email == "persona1@posta.example.org"


def named(person: Person) -> Person:
    """The row names its certificates by serial number: decimal for one, hexadecimal with colons for the other."""
    from cryptography import x509

    numbers = {type_: x509.load_der_x509_certificate(der).serial_number for type_, der in person.certificates.items()}
    digits = f"{numbers['signature']:x}".zfill(40).upper()
    colons = ":".join(digits[i : i + 2] for i in range(0, 40, 2))
    return person.but(certificato_autenticazione=str(numbers["authentication"]), certificato_firma=colons)


def seven_bad_rows(mint, foreign) -> list[tuple[Person, str]]:
    """Each bad in another way, with its code."""
    stranger = mint.person(907)
    stranger.certificates = foreign.person(907).certificates
    return [
        (mint.person(901).but(codice_fiscale="RSSMRA85T10A562X"), "tax-code-invalid"),
        (mint.person(902).but(email="persona1@posta.example.org"), "contact-taken"),
        (mint.person(903, days=-1), "imported-certificate-expired"),
        (mint.person(904, types=["authentication"]), "certificate-missing"),
        (mint.person(905).but(prima_emissione="31/02/2024"), "date-invalid"),
        (mint.person(906).but(famiglia_carta="ignota"), "card-family-unknown"),
        (stranger, "certificate-unknown"),
    ]


def test_two_hundred_cards_with_seven_bad_rows_register_all_but_those(desk, mint):
    bad = seven_bad_rows(mint, Mint("Un'altra CA"))
    people = [mint.person(number) for number in range(1, 194)]
    for place, (person, _) in enumerate(bad):
        people.insert(10 + 25 * place, person)

    checked = desk.check(people)
    before = report(checked)
    intake.start_import(checked.uid, operator=desk.operator, now=NOW)
    job = desk.work(checked)

    assert len(people) == 200
    assert [code for code in codes(job) if code] == [code for _, code in bad]
    assert (job.total, job.done, job.refused) == (200, 193, 7)
    assert [(place, code) for place, _, code in before] == [(place, code) for place, _, code in report(job)]
    assert Card.objects.count() == Pair.objects.count() == Holder.objects.count() == 193
    assert Certificate.objects.count() == 386


CHANGED = {
    "no surname": ({"cognome": " "}, "cell-missing"),
    "a formula as name": ({"cognome": '=HYPERLINK("https://example.org")'}, "cell-invalid"),
    "another formula": ({"nome": "@SUM(A1)"}, "cell-invalid"),
    "NUL in a name": ({"cognome": "Pro\x00va"}, "cell-invalid"),
    "a line break in the address": ({"indirizzo": "Via\nRoma"}, "cell-invalid"),
    "a name that turns the line": ({"nome": "Ada\u202e"}, "cell-invalid"),
    "a name without end": ({"nome": "A" * 65}, "cell-invalid"),
    "a mailbox that is none": ({"email": "persona@"}, "contact-invalid"),
    "a landline": ({"cellulare": "0575 123456"}, "contact-invalid"),
    "a card as a spreadsheet writes it": ({"seriale_carta": "7,43E+15"}, "cell-invalid"),
    "issued tomorrow": ({"prima_emissione": "03/03/2026"}, "date-invalid"),
    "a date of another country": ({"prima_emissione": "03/31/2024"}, "date-invalid"),
    "a certificate that is not there": ({"certificato_firma": "12345"}, "certificate-missing"),
}


@pytest.mark.parametrize(("cells", "code"), CHANGED.values(), ids=CHANGED)
def test_a_row_is_refused_for_its_cells(desk, mint, cells, code):
    header = (*HEADER, "indirizzo")
    people = [mint.person(1).but(**cells), mint.person(2)]

    job = desk.check(people, csv=table(people, header=header))

    assert codes(job) == [code, ""]


def test_a_row_is_refused_for_what_stands_above_it(desk, mint):
    first = mint.person(1)
    people = [
        first,
        first,
        mint.person(3).but(email="Persona1@posta.example.org"),
        mint.person(4).but(cellulare="347 0000001"),
    ]

    assert codes(desk.check(people)) == ["", "row-duplicate", "contact-taken", "contact-taken"]


def test_a_row_is_refused_for_what_the_register_knows(desk, mint, town):
    contacts = parse_contacts(email="persona2@posta.example.org", mobile="+393479999999")
    holders.register_holder(
        tax_code=tax_code(50), given_name="Ada", surname="Altra", centre=town.found("b", "B"), contacts=contacts, at=NOW
    )

    assert codes(desk.check([mint.person(1), mint.person(2)])) == ["", "contact-taken"]


def test_certificates_of_another_are_refused(desk, mint):
    one, other, card = mint.person(1), mint.person(2), mint.person(3)
    stolen = named(other)
    one = one.but(certificato_firma=stolen.cells["certificato_firma"])
    card.certificates["authentication"] = mint.issue(tax_code(3), "7999999999999999", "authentication")
    people = [one, other, card]

    assert codes(desk.check(people)) == ["certificate-of-another", "", "certificate-missing"]


def test_two_certificates_that_fit_must_be_told_apart(desk, mint):
    person = mint.person(1)
    twin = mint.issue(tax_code(1), person.cells["seriale_carta"], "signature")
    bundle = archive([person], ("altro.cer", twin))

    assert codes(desk.check([person], bundle)) == ["certificate-ambiguous"]
    assert codes(desk.check([named(person)], bundle)) == [""]


def test_a_key_of_another_person_is_refused(desk, mint):
    key = ec.generate_private_key(ec.SECP256R1())
    people = [mint.person(1), mint.person(2)]
    for number, person in enumerate(people, start=1):
        serial = person.cells["seriale_carta"]
        person.certificates["signature"] = mint.issue(tax_code(number), serial, "signature", key=key)

    assert codes(desk.check(people)) == ["", "key-of-another"]
    desk.run(people[:1])
    assert codes(desk.check(people[1:])) == ["key-of-another"]


def test_a_pem_bundle_and_a_comma_table_in_windows_1252_serve_as_well(desk, mint):
    people = [mint.person(1).but(cognome="D’Alò"), mint.person(2)]
    bundle = b"Bag Attributes\n" + b"".join(pem(der) for each in people for der in each.certificates.values())

    job = desk.check(people, bundle, csv=table(people, delimiter=",", encoding="cp1252"))

    assert codes(job) == ["", ""]


def test_certificates_in_der_one_after_another_and_in_pkcs7_serve_as_well(desk, mint):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

    people = [mint.person(1), mint.person(2)]
    ders = [der for each in people for der in each.certificates.values()]
    parsed = [x509.load_der_x509_certificate(der) for der in ders]

    for bundle in (
        b"".join(ders),
        pkcs7.serialize_certificates(parsed, Encoding.DER),
        pkcs7.serialize_certificates(parsed, Encoding.PEM),
    ):
        assert codes(desk.check(people, bundle)) == ["", ""]
        intake.discard_import(Job.objects.latest("pk").uid, operator=desk.operator, now=NOW)


def test_headers_are_tolerant_and_unknown_ones_are_told(desk, mint):
    person = mint.person(1)
    text = table([person]).decode()
    head, rest = text.split("\r\n", 1)
    csv = (head.upper().replace("_", " ") + ";Note interne\r\n" + rest.replace("\r\n", ";\r\n", 1)).encode("utf-8-sig")

    job = desk.check([person], csv=csv)

    assert codes(job) == [""]
    assert job.parameters["ignored"] == ["note_interne"]


def test_only_members_who_decide_import(desk, town, mint, agreement):
    people = [mint.person(1)]
    for person, refusal in (
        (town.employ("revisore@cdrl.example.org", role=Role.AUDITOR), errors.RoleTooWeak),
        (town.employ("altrove@cdrl.example.org", centre=town.found("c", "C")), errors.WrongCentre),
    ):
        job = desk.check(people)
        other = Desk(town, agreement)
        other.operator = person
        with pytest.raises(refusal):
            other.receive(people)
        for use_case in (intake.start_import, intake.discard_import):
            with pytest.raises(refusal):
                use_case(job.uid, operator=person, now=NOW)


def test_a_role_taken_away_ends_the_registration(desk, mint, town):
    job = desk.check([mint.person(1)])
    intake.start_import(job.uid, operator=desk.operator, now=NOW)
    town.operator.memberships.update(role=Role.AUDITOR)

    assert codes(desk.work(job)) == ["role-insufficient"]
    assert not Card.objects.exists()


def test_a_discarded_import_keeps_no_file_and_cannot_start(desk, mint):
    job = desk.check([mint.person(1)])

    intake.discard_import(job.uid, operator=desk.operator, now=NOW)
    intake.discard_import(job.uid, operator=desk.operator, now=NOW)

    assert not JobFile.objects.exists()
    with pytest.raises(ImportClosed):
        intake.start_import(job.uid, operator=desk.operator, now=NOW)


def test_an_import_that_nobody_starts_is_forgotten(desk, mint):
    job = desk.check([mint.person(1)])

    assert intake.forget_imports(at=NOW + timedelta(hours=71)) == 0
    assert intake.forget_imports(at=NOW + timedelta(hours=73)) == 1

    job.refresh_from_db()
    assert job.state == JobState.STOPPED
    assert not JobFile.objects.exists()


def test_unfinished_imports_of_a_centre_are_few(desk, mint):
    people = [mint.person(1)]
    for _ in range(5):
        desk.receive(people)

    with pytest.raises(TooManyImports):
        desk.receive(people)


def test_a_contact_taken_between_check_and_start_is_that_row_s_refusal(desk, mint, town):
    job = desk.check([mint.person(number) for number in range(1, 9)])
    contacts = parse_contacts(email="persona5@posta.example.org", mobile="+393479999999")
    holders.register_holder(
        tax_code=tax_code(99), given_name="A", surname="B", centre=town.centre, contacts=contacts, at=NOW
    )

    intake.start_import(job.uid, operator=desk.operator, now=NOW)
    desk.work(job)

    assert codes(job) == ["", "", "", "", "contact-taken", "", "", ""]


def test_a_clash_in_the_very_moment_is_that_row_s_alone(desk, mint, town, monkeypatch):
    """Another worker stores card 5 after this one has looked and before it writes."""
    job = desk.check([mint.person(number) for number in range(1, 9)])
    intake.start_import(job.uid, operator=desk.operator, now=NOW)
    Card.objects.create(serial=f"7{5:015d}", family=town.family, holder=town.person(), first_issued_on=NOW.date())
    monkeypatch.setattr("cms.services.vetting.Examiner.learn", lambda *_: None)

    desk.work(job)

    assert codes(job) == ["", "", "", "", "register-changed", "", "", ""]
    assert job.rows.filter(state=JobRowState.DONE).count() == 7


def test_a_refused_file_stops_the_import_and_says_why(desk, mint):
    job = desk.check([mint.person(1)], b"questo non contiene certificati")

    assert job.state == JobState.STOPPED
    assert job.parameters["refusal"]["code"] == "import-certificates-unreadable"
    assert not JobFile.objects.exists()


def test_a_file_that_ends_every_worker_is_turned_down(desk, mint):
    job = desk.receive([mint.person(1)])
    Job.objects.filter(pk=job.pk).update(attempts=intake.MOST_CHECKS)

    assert desk.work(job).state == JobState.STOPPED


def test_a_table_that_is_none_is_refused_at_once(desk, mint):
    with pytest.raises(FileRefused):
        desk.receive([], archive([mint.person(1)]), csv=b"\x89PNG\r\n\x1a\n")
    assert not Job.objects.exists()
