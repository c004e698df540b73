"""The pages around a certificate: nothing leaves without a fresh login and a second element, or the recipient's link."""

from __future__ import annotations

import re
import time

import pytest
from allauth.account.internal.userkit import user_id_to_str
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from smime.models import BundleDownload, CaOrder, KeyBundle, Order
from smime.services import admission, issuance
from tests.authority.founding import found
from tests.smime.customers import customer
from tests.smime.issuing import LATER, Willing, ready
from tests.smime.mailed import link_in, mails
from tests.smime.test_bundles import code_of


@pytest.fixture(autouse=True)
def authority(committed, settings, clock):
    settings.SMIME = settings.SMIME.model_copy(update={"bundle_iterations": 2000})
    clock.instant = LATER
    found()
    with admission.asking(Willing()):
        yield


def issued(**fields) -> Order:
    order = ready("mv", key_kind="ec-p256", **fields)
    issuance.carry_out(CaOrder.objects.get(order=order, kind="issue").pk, at=LATER)
    order.refresh_from_db()
    return order


def logged_in(user, *proofs, age=0) -> Client:
    """A session whose records hold these proofs, so many seconds old."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"at": time.time() - age, **proof} for proof in proofs]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.save()
    return client


PASSWORD = {"method": "password"}
APP = {"method": "mfa", "type": "totp"}


def page(order, name="download") -> str:
    return reverse(f"smime:{name}", kwargs={"uid": order.uid})


def with_app(order) -> None:
    Authenticator.objects.create(user=order.buyer, type="totp", data={"secret": "x"})


def test_a_fresh_second_element_gets_the_file_and_nobody_stores_it():
    order = issued()
    with_app(order)
    answer = logged_in(order.buyer, PASSWORD, APP).post(page(order), {"azione": "scarica"})

    assert answer["Content-Type"] == "application/x-pkcs12"
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["Content-Disposition"] == f'attachment; filename="smime-{order.code}.p12"'
    assert answer.content[:1] == b"0"
    assert BundleDownload.objects.get().proof == "totp"


@pytest.mark.parametrize("proofs", [(), (PASSWORD,)])
def test_a_password_alone_is_not_enough_where_an_app_is_there(proofs):
    order = issued()
    with_app(order)
    client = logged_in(order.buyer, *proofs)
    assert b"Conferma la Sua identit" in client.get(page(order)).content
    for act in ("scarica", "codice", "scarica-con-codice"):
        client.post(page(order), {"azione": act, "codice": "123456"})
    assert BundleDownload.objects.count() == 0
    assert mails(order, "smime-download-code") == []


def test_an_old_proof_is_none():
    order = issued()
    with_app(order)
    client = logged_in(order.buyer, PASSWORD, APP, age=301)
    assert client.post(page(order), {"azione": "scarica"})["Content-Type"].startswith("text/html")
    assert KeyBundle.objects.get().downloads == 0


def test_without_an_app_the_mailed_digits_do():
    order = issued()
    client = logged_in(order.buyer, PASSWORD)
    assert client.post(page(order), {"azione": "codice"}).status_code == 302
    wrong = client.post(page(order), {"azione": "scarica-con-codice", "codice": "x"})
    assert (wrong.status_code, "Il codice non è corretto" in wrong.content.decode()) == (422, True)

    answer = client.post(page(order), {"azione": "scarica-con-codice", "codice": code_of(order)})
    assert answer["Content-Type"] == "application/x-pkcs12"
    assert BundleDownload.objects.get().proof == "code"


def test_the_copy_is_noted_and_the_file_destroyed_on_demand():
    order = issued()
    client = logged_in(order.buyer, PASSWORD)
    client.post(page(order, "keep"))
    assert b"Eliminare il file" in client.get(page(order, "destroy")).content
    assert KeyBundle.objects.get().destroyed_at is None
    client.post(page(order, "destroy"))

    bundle = KeyBundle.objects.get()
    assert (bundle.saved_at, bundle.destroyed_because) == (LATER, "customer")
    assert "non è più disponibile" in client.get(page(order)).content.decode()


def test_the_recipient_collects_by_his_link_in_one_browser():
    order = issued(own=False)
    address = link_in(mails(order, "smime-download-link")[0])
    path = re.sub(r"^https?://[^/]+", "", address)
    browser, other = Client(), Client()
    for _ in range(3):
        assert browser.get(path).status_code == 200
    assert browser.head(path).status_code == 200
    assert BundleDownload.objects.count() == 0

    assert browser.post(path).status_code == 409  # without the button
    assert browser.post(path, {"azione": "conferma"})["Content-Type"] == "application/x-pkcs12"
    other.get(path)
    refused = other.post(path, {"azione": "conferma"})
    assert (refused.status_code, b"browser-other" in refused.content) == (409, True)
    assert KeyBundle.objects.get().downloads == 1


def test_the_buyer_of_another_s_certificate_sees_how_it_stands_and_gets_no_key():
    order = issued(own=False)
    with_app(order)
    client = logged_in(order.buyer, PASSWORD, APP)
    assert "solo dal destinatario" in client.get(page(order)).content.decode()
    client.post(page(order), {"azione": "scarica"})
    assert BundleDownload.objects.count() == 0


def test_revoking_asks_for_a_fresh_login_a_ground_and_the_word():
    order = issued()
    stale = logged_in(order.buyer, PASSWORD, age=301)
    assert stale.post(page(order, "revoke"), {"ground": "key-compromise", "word": "REVOCA"}).status_code == 302
    client = logged_in(order.buyer, PASSWORD)
    for said in ({}, {"ground": "key-compromise"}, {"ground": "misissuance", "word": "REVOCA"}, {"word": "si"}):
        assert client.post(page(order, "revoke"), said).status_code == 422
    assert not CaOrder.objects.filter(kind="revoke").exists()

    client.post(page(order, "revoke"), {"ground": "key-compromise", "word": "revoca"})
    assert CaOrder.objects.get(kind="revoke").ground == "key-compromise"


def test_a_lost_password_is_a_new_issuance():
    order = issued()
    client = logged_in(order.buyer, PASSWORD)
    assert "nuova emissione" in client.get(page(order, "reissue")).content.decode()
    client.post(page(order, "reissue"))
    order.refresh_from_db()
    assert (order.state, CaOrder.objects.get(kind="issue", edition=2).state) == ("approved", "planned")


@pytest.mark.parametrize("name", ["download", "keep", "destroy", "revoke", "reissue", "mail_download"])
def test_another_customer_s_order_does_not_exist(name):
    order = issued()
    stranger = logged_in(customer(), PASSWORD, APP)
    assert stranger.post(page(order, name), {"azione": "scarica", "ground": "misuse"}).status_code == 404


def test_the_guides_are_there():
    order = issued()
    said = logged_in(order.buyer).get(reverse("smime:guides")).content.decode()
    assert all(name in said for name in ("Outlook", "Thunderbird", "Apple Mail", "iPhone", "Android"))
