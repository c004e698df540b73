"""The customer area through its doors: login, wizard, status, refusals."""

from __future__ import annotations

import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from smime.models import CaOrder, Order
from smime.services import checks
from tests.smime.customers import ANNA, NOW, customer, filled_in, proves, slot_of, started, submitted

pytestmark = pytest.mark.django_db
AREA = "/area-clienti/"

LABELS = {
    "destinatario": ["Nome", "Cognome", "Indirizzo email", "Richiedi"],
    "conferma": ["Conferma e prosegui"],
    "contatto-tecnico": ["Nome", "Cognome", "Indirizzo email", "Numero di telefono", "Conferma e prosegui"],
    "contatto-organizzativo": ["Nome", "Cognome", "Indirizzo email", "Conferma e prosegui"],
    "organizzazione": [
        "Partita IVA o codice fiscale",
        "Numero di iscrizione al Registro delle Imprese",
        "Paese di costituzione",
        "D-U-N-S Number",
        "Conferma e prosegui",
    ],
    "attestazione": ["Seleziona file", "Invia ora", "Carica e invia dopo"],
    "riepilogo": ["Avvia verifica"],
}
"""Words of the public guide by step, compared word for word with what the pages show."""


@pytest.fixture(autouse=True)
def _at_nine(clock):
    clock.instant = NOW


@pytest.fixture
def buyer():
    return customer()


@pytest.fixture
def browser(buyer):
    client = Client()
    client.force_login(buyer)
    return client


def words_of(answer) -> set[str]:
    """Texts of labels, legends, headings, buttons and links as the page shows them."""
    html = answer.content.decode()
    found = re.findall(r"<(label|button|legend|a|h1|h2)\b[^>]*>(.*?)</\1>", html, re.DOTALL)
    plain = (re.sub(r"<[^>]+>|\(facoltativo\)", " ", text) for _tag, text in found)
    return {" ".join(text.split()) for text in plain}


def step(order: Order, name: str) -> str:
    return f"{AREA}pratiche/{order.uid}/{name}/"


class TestEntrance:
    def test_strangers_log_in_first_and_come_back(self, client):
        answer = client.get(f"{AREA}pratiche/")
        assert (answer.status_code, answer["Location"]) == (302, f"/accesso/login/?next={AREA}pratiche/")

    def test_the_login_greets_customers_where_it_leads_to_their_area(self, client):
        assert "Accesso all'Area clienti" in client.get(f"/accesso/login/?next={AREA}").content.decode()
        assert "Accesso degli operatori" in client.get("/accesso/login/").content.decode()

    def test_customers_land_in_their_area_and_operators_in_the_panel(self, browser, client):
        assert browser.get("/")["Location"] == AREA
        client.force_login(customer(is_staff=True))
        assert client.get("/")["Location"] == "/pannello/"

    def test_a_customer_at_the_panel_is_led_to_his_area(self, browser):
        answer = browser.get("/pannello/")
        assert answer.status_code == 403
        assert "Vai alla Dashboard" in words_of(answer)

    def test_nothing_of_it_is_kept_on_the_way(self, browser):
        assert browser.get(AREA)["Cache-Control"] == "no-store, private"


class TestDashboard:
    def test_each_slot_can_be_activated(self, browser, buyer):
        slot = slot_of(buyer, "ov")
        page = browser.get(AREA)
        assert "Dashboard" in words_of(page)
        assert f"Attiva ora {slot.code}" in words_of(page)
        assert "OV · Organizzazione verificata" in page.content.decode()

    def test_an_empty_one_says_so(self, browser):
        assert "Non ha attivazioni disponibili" in browser.get(AREA).content.decode()

    def test_others_slots_and_orders_are_not_in_it(self, browser):
        other = submitted()
        slot_of(customer())
        page = browser.get(AREA).content.decode()
        assert other.code not in page
        assert "Attiva ora" not in page

    def test_activating_leads_into_the_wizard_and_a_second_time_to_the_same_order(self, browser, buyer):
        slot = slot_of(buyer)
        for _ in range(2):
            answer = browser.post(f"{AREA}attivazioni/{slot.code}/attiva/", follow=True)
            assert answer.redirect_chain[-1][0].endswith("/destinatario/")
        assert Order.objects.count() == 1

    def test_looking_at_the_address_starts_nothing(self, browser, buyer):
        assert browser.get(f"{AREA}attivazioni/{slot_of(buyer).code}/attiva/").status_code == 405


class TestWizard:
    @pytest.mark.parametrize("validation", ["mv", "ov", "sv", "iv"])
    def test_its_labels_are_the_guides_word_for_word(self, browser, buyer, validation):
        order = filled_in(validation, buyer=buyer)
        shown = 0
        for name, labels in LABELS.items():
            answer = browser.get(step(order, name))
            if answer.status_code == 404:
                assert validation in {"mv", "iv"} or name == "attestazione"
                continue
            shown += 1
            assert set(labels) <= words_of(answer), name
        assert shown == {"mv": 4, "iv": 4, "ov": 6, "sv": 7}[validation]

    def test_each_step_leads_to_the_next(self, browser, buyer):
        order = started("ov", buyer=buyer)
        person = {"given_name": "Niccolò", "surname": "D'Amico", "email": buyer.email}
        other = {"given_name": "Carla", "surname": "Esempio", "email": "carla@azienda.example.org", "ground": ""}
        company = {"vat_number": "IT07643520567", "register_number": "07643520567", "country": "IT", "duns": ""}
        way = [
            ("destinatario", person | {"who": "me"}, "conferma"),
            ("conferma", {}, "contatto-tecnico"),
            ("contatto-tecnico", person | {"phone": "333 1234567"}, "contatto-organizzativo"),
            ("contatto-organizzativo", other, "organizzazione"),
            ("organizzazione", company, "riepilogo"),
        ]
        for name, data, follows in way:
            answer = browser.post(step(order, name), data)
            assert (answer.status_code, answer.get("Location")) == (302, step(order, follows)), answer.content.decode()
        order.refresh_from_db()
        assert (order.surname, order.technical_phone, order.vat_number) == ("D'Amico", "+393331234567", "07643520567")

    def test_it_is_resumed_where_it_was_left_on_another_device(self, buyer):
        order = filled_in("ov", buyer=buyer)
        Order.objects.filter(pk=order.pk).update(vat_number="")
        elsewhere = Client()
        elsewhere.force_login(buyer)
        assert elsewhere.get(f"{AREA}pratiche/{order.uid}/")["Location"] == step(order, "organizzazione")

    def test_a_step_before_its_turn_leads_to_the_missing_one(self, browser, buyer):
        order = started("ov", buyer=buyer)
        assert browser.get(step(order, "riepilogo"))["Location"] == step(order, "destinatario")

    def test_the_technical_contact_is_prefilled_with_the_recipient(self, browser, buyer):
        order = filled_in(buyer=buyer)
        Order.objects.filter(pk=order.pk).update(technical_email="")
        assert f'value="{buyer.email}"' in browser.get(step(order, "contatto-tecnico")).content.decode()

    def test_the_buyers_own_addresses_are_offered_for_himself(self, browser, buyer):
        proves(buyer, "anna@casa.example.org")
        page = browser.get(step(started(buyer=buyer), "destinatario")).content.decode()
        assert re.findall(r'<option value="([^"]+)"', page) == [buyer.email, "anna@casa.example.org"]
        assert f"un indirizzo confermato del Suo account: {buyer.email}, anna@casa.example.org" in page

    def test_another_persons_mailbox_is_not_believed_to_be_the_buyers(self, browser, buyer):
        order = started(buyer=buyer)
        data = {"given_name": "Anna", "surname": "Prova", "email": ANNA.email, "who": "me"}
        answer = browser.post(step(order, "destinatario"), data)
        assert (answer.status_code, "oppure scelga «Un&#x27;altra persona»" in answer.content.decode()) == (422, True)
        assert 'id="id_email-error"' in answer.content.decode()
        assert browser.post(step(order, "destinatario"), data | {"who": "other"}).status_code == 302

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ({"email": "anna@pòsta.example.org"}, "solo indirizzi con lettere senza accenti"),
            ({"given_name": "A" * 65}, "64 caratteri"),
            ({"given_name": "Anna\r\nBcc: altri@example.org"}, "Scriva il nome"),
            ({"who": ""}, "Indichi chi utilizzerà il certificato"),
        ],
    )
    def test_wrong_data_are_refused_at_their_field_and_kept_as_typed(self, browser, buyer, data, said):
        order = started(buyer=buyer)
        right = {"given_name": "Anna", "surname": "Prova", "email": "anna@posta.example.org", "who": "me"}
        answer = browser.post(step(order, "destinatario"), right | data)
        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert 'value="Prova"' in answer.content.decode()
        order.refresh_from_db()
        assert order.mailbox == ""

    def test_one_person_for_both_contacts_is_asked_for_the_ground(self, browser, buyer):
        order = filled_in("ov", buyer=buyer)
        anna = {"given_name": "Anna", "surname": "Prova", "email": "anna.prova@posta.example.org", "ground": ""}
        answer = browser.post(step(order, "contatto-organizzativo"), anna)
        assert answer.status_code == 422
        assert "sono la stessa persona" in answer.content.decode()
        again = browser.post(step(order, "contatto-organizzativo"), anna | {"ground": "sole-proprietor"})
        assert again.status_code == 302

    def test_the_summary_starts_the_verification_once_the_terms_are_accepted(self, browser, buyer):
        order = filled_in(buyer=buyer)
        page = browser.get(step(order, "riepilogo"))
        hidden = dict(re.findall(r'name="(version|sha256)" value="([^"]+)"', page.content.decode()))
        assert browser.post(step(order, "riepilogo"), hidden).status_code == 422
        assert browser.post(step(order, "riepilogo"), hidden | {"accept": "on"}).status_code == 302
        order.refresh_from_db()
        assert order.state == "checking"


class TestStatus:
    def test_one_line_per_check_says_who_must_act_until_when(self, browser, buyer):
        order = filled_in("ov", buyer=buyer)
        hidden = dict(
            re.findall(
                r'name="(version|sha256)" value="([^"]+)"', browser.get(step(order, "riepilogo")).content.decode()
            )
        )
        page = browser.post(step(order, "riepilogo"), hidden | {"accept": "on"}, follow=True).content.decode()
        assert "Tocca a Lei" in page
        assert "Tocca al nostro ufficio" in page
        assert "martedì 3 marzo 2026, ore\N{NO-BREAK SPACE}10:00" in page

    def test_a_mail_is_sent_again_after_the_cooldown_only(self, browser, buyer, clock):
        order = submitted()
        Order.objects.filter(pk=order.pk).update(buyer=buyer)
        address = f"{AREA}pratiche/{order.uid}/invia-di-nuovo/mailbox/"
        assert "appena inviata" in browser.post(address, follow=True).content.decode()
        clock.instant = NOW.replace(minute=5)
        assert "inviata di nuovo" in browser.post(address, follow=True).content.decode()

    def test_it_can_be_corrected_and_given_up(self, browser, buyer):
        order = submitted("ov")
        Order.objects.filter(pk=order.pk).update(buyer=buyer)
        assert {"Modifica: Destinatario", "Modifica: Organizzazione", "Annulla la pratica"} <= words_of(
            browser.get(f"{AREA}pratiche/{order.uid}/")
        )
        assert browser.post(step(order, "annulla")).status_code == 302
        assert "Annullata" in browser.get(f"{AREA}pratiche/").content.decode()


class TestCorrecting:
    def test_a_corrected_mailbox_is_mailed_anew_and_the_page_says_so(self, browser, buyer):
        order = submitted("ov")
        Order.objects.filter(pk=order.pk).update(buyer=buyer)
        new = proves(buyer, "nuova@posta.example.org")
        data = {"who": "me", "given_name": "Anna", "surname": "Prova", "email": new}
        page = browser.post(step(order, "destinatario"), data, follow=True)
        assert page.redirect_chain[-1][0] == f"{AREA}pratiche/{order.uid}/"
        assert "Le verifiche interessate sono ripartite" in page.content.decode()
        assert "nuova@posta.example.org" in page.content.decode()

    def test_what_was_refused_says_why(self, browser, buyer):
        order = submitted("ov")
        Order.objects.filter(pk=order.pk).update(buyer=buyer)
        check = order.checks.get(kind="organisation")
        checks.fail_check(check, at=NOW, reason="Nel registro l'organizzazione risulta cessata.", by=7)
        page = browser.get(f"{AREA}pratiche/{order.uid}/").content.decode()
        assert "l&#x27;organizzazione risulta cessata" in page
        assert "Non superata" in page

    def test_where_another_person_uses_the_certificate_it_is_his_turn(self, browser, buyer):
        order = submitted("iv", own=False)
        Order.objects.filter(pk=order.pk).update(buyer=buyer)
        assert "Tocca al destinatario" in browser.get(f"{AREA}pratiche/{order.uid}/").content.decode()

    def test_a_step_of_another_type_is_not_there(self, browser, buyer):
        assert browser.get(step(filled_in("mv", buyer=buyer), "organizzazione")).status_code == 404

    def test_a_closed_order_is_not_corrected(self, browser, buyer):
        order = filled_in("mv", buyer=buyer)
        browser.post(step(order, "annulla"))
        assert browser.get(step(order, "destinatario")).status_code == 409


class TestKey:
    """Advanced: the customer's own request, of which the key alone counts."""

    def post(self, browser, order, content: bytes):
        file = SimpleUploadedFile("richiesta.csr", content)
        sent = {"origin": "csr", "kind": "rsa-2048", "bundle_format": "modern", "csr": file}
        return browser.post(step(order, "chiave"), sent)

    @pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
    def test_a_request_is_taken_in_either_form(self, browser, buyer, encoding):
        order = filled_in(buyer=buyer)
        request = request_of(ec.generate_private_key(ec.SECP256R1()))
        assert self.post(browser, order, request.public_bytes(encoding))["Location"] == step(order, "riepilogo")
        order.refresh_from_db()
        assert (order.key_origin, bytes(order.csr)) == ("csr", request.public_bytes(Encoding.DER))

    @pytest.mark.parametrize(
        "make",
        [
            lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505 - it is refused
            lambda: ec.generate_private_key(ec.SECP521R1()),
        ],
        ids=["short", "curve that mail programs do not know"],
    )
    def test_a_key_that_mail_cannot_use_is_refused(self, browser, buyer, make):
        order = filled_in(buyer=buyer)
        request = request_of(make())
        assert self.post(browser, order, request.public_bytes(Encoding.DER)).status_code == 422
        order.refresh_from_db()
        assert (order.key_origin, order.csr) == ("server", None)

    @pytest.mark.parametrize("content", [b"", b"junk", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", b"0" * 20_000])
    def test_junk_is_refused(self, browser, buyer, content):
        assert self.post(browser, filled_in(buyer=buyer), content).status_code == 422

    def test_the_service_makes_the_key_again(self, browser, buyer):
        order = filled_in(buyer=buyer)
        self.post(browser, order, request_of(ec.generate_private_key(ec.SECP256R1())).public_bytes(Encoding.DER))
        browser.post(step(order, "chiave"), {"origin": "server", "kind": "rsa-3072", "bundle_format": "compatible"})
        order.refresh_from_db()
        assert (order.key_origin, order.csr, order.key_kind, order.bundle_format) == (
            "server", None, "rsa-3072", "compatible"
        )  # fmt: skip

    def test_an_order_that_was_sent_back_for_its_key_alone_goes_on(self, browser, buyer):
        order = submitted()
        Order.objects.filter(pk=order.pk).update(buyer=buyer)
        checks.pass_check(order.checks.get(), at=NOW, method="SBR 3.2.2.2 v1.0.16")
        order.refresh_from_db()
        order.send_back()  # as the CA's refusal of a key leaves it
        order.save()
        CaOrder.objects.update(state="refused")
        assert "Modifica: Chiave" in words_of(browser.get(f"{AREA}pratiche/{order.uid}/"))

        request = request_of(ec.generate_private_key(ec.SECP256R1()))
        answer = self.post(browser, order, request.public_bytes(Encoding.DER))

        order.refresh_from_db()
        assert (answer["Location"], order.state) == (f"{AREA}pratiche/{order.uid}/", "approved")
        assert CaOrder.objects.get().state == "planned"

    def test_while_something_else_is_missing_it_stays(self, browser, buyer):
        order = submitted()
        Order.objects.filter(pk=order.pk).update(buyer=buyer)
        browser.post(step(order, "chiave"), {"origin": "server", "kind": "rsa-3072", "bundle_format": "modern"})
        order.refresh_from_db()
        assert (order.key_kind, order.state) == ("rsa-3072", "checking")

    def test_once_the_ca_may_have_been_asked_it_is_fixed(self, browser, buyer):
        order = submitted()
        Order.objects.filter(pk=order.pk).update(buyer=buyer)
        checks.pass_check(order.checks.get(), at=NOW, method="SBR 3.2.2.2 v1.0.16")
        assert browser.get(step(order, "chiave")).status_code == 409


def request_of(key) -> x509.CertificateSigningRequest:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chiunque")])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())


@pytest.mark.parametrize(
    "name",
    ["", "destinatario/", "conferma/", "contatto-tecnico/", "contatto-organizzativo/", "organizzazione/",
     "riepilogo/", "chiave/", "annulla/"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_customers_order_is_not_there(browser, name, method):
    order = started("ov")
    answer = getattr(browser, method)(f"{AREA}pratiche/{order.uid}/{name}")
    if (name, method) == ("", "post"):
        assert answer.status_code == 405
    else:
        assert answer.status_code == 404
        assert "Pratica non trovata" in answer.content.decode()


def test_sending_again_in_another_customers_order_is_not_possible(browser):
    order = submitted()
    assert browser.post(f"{AREA}pratiche/{order.uid}/invia-di-nuovo/mailbox/").status_code == 404


def test_nobody_waits_for_the_checks_of_an_order_that_is_over(browser, buyer):
    order = submitted("ov")
    Order.objects.filter(pk=order.pk).update(buyer=buyer)
    browser.post(step(order, "annulla"))
    page = browser.get(f"{AREA}pratiche/{order.uid}/").content.decode()
    assert "Non conclusa" in page
    assert "Tocca a" not in page
    assert "Abbiamo inviato" not in page
