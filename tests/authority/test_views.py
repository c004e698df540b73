"""What relying parties fetch over HTTP: types, caching, conditional requests, junk."""

from __future__ import annotations

import base64
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from authority.models import CertificationAuthority, Crl
from authority.services import publication
from runtime.clock import installed
from tests.authority import asking, lists
from tests.authority.asking import AT, later
from tests.authority.test_ocsp import question

pytestmark = pytest.mark.urls("tests.authority.addresses")
OCSP_TYPE = "application/ocsp-request"


@pytest.fixture
def client(gateway, clock):
    clock.instant = later(seconds=5)
    return Client()


@pytest.mark.parametrize("profile", asking.ROLES)
def test_the_addresses_in_certificates_are_the_addresses_served(client, gateway, profile):
    issued = gateway.issue(asking.request(profile), at=AT)
    publication.publish_due(AT)
    certificate = x509.load_der_x509_certificate(issued.certificate)
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    urls = [each.access_location.value for each in access] + [points[0].full_name[0].value]
    paths = [url.removeprefix("http://pki.example.org") for url in urls]

    assert all(path != url for path, url in zip(paths, urls, strict=True))
    ocsp_path, ca_path, crl_path = paths
    assert client.get(ca_path).content == issued.chain[0]
    assert client.get(crl_path).status_code == 200
    assert client.post(ocsp_path, question(issued), content_type=OCSP_TYPE).status_code == 200


@pytest.mark.parametrize("role", ["root", "cns", "signature", "smime"])
def test_a_ca_certificate_is_served(client, role):
    response = client.get(reverse("authority:ca", args=[role]))

    assert response.content == bytes(CertificationAuthority.objects.get(role=role).certificate)
    assert response["Content-Type"] == "application/pkix-cert"


@pytest.mark.parametrize("path", ["ca/nobody.crt", "crl/nobody.crl", "crl/cns/1999.crl", "crl/root/2026.crl"])
def test_what_is_not_there_is_404(client, path):
    assert client.get(f"/pki/{path}").status_code == 404


@pytest.mark.parametrize("args", [["cns"], ["cns", 2026], ["root"]], ids=str)
def test_a_crl_is_served_with_type_tag_and_a_short_life(client, args):
    name = "authority:crl-shard" if len(args) == 2 else "authority:crl"
    row = Crl.objects.get(issuer__role=args[0], year=args[1] if len(args) == 2 else None)

    response = client.get(reverse(name, args=args))

    assert response.content == lists.der(row.issuer.role, row.year)
    assert response["Content-Type"] == "application/pkix-crl"
    assert response["ETag"] == f'"{bytes(row.sha256).hex()}"'
    assert "max-age=30" in response["Cache-Control"]
    assert response["Last-Modified"] == "Mon, 02 Mar 2026 09:00:00 GMT"
    assert response["Expires"] == "Mon, 02 Mar 2026 09:00:35 GMT"


def test_a_crl_that_the_asker_has_is_not_sent_again_until_it_changes(client, gateway, issued):
    url = reverse("authority:crl", args=["cns"])
    tag = client.get(url)["ETag"]

    unchanged = client.get(url, headers={"if-none-match": tag})
    gateway.hold(issued.ref, request_id=uuid4(), at=AT)
    publication.publish_due(AT)
    changed = client.get(url, headers={"if-none-match": tag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert changed.status_code == 200
    assert x509.load_der_x509_crl(changed.content).get_revoked_certificate_by_serial_number(issued.ref.serial)


def test_an_unchanged_crl_costs_one_statement_without_its_bytes(client, django_assert_num_queries):
    url = reverse("authority:crl", args=["cns"])
    tag = client.get(url)["ETag"]

    with django_assert_num_queries(1) as statements:
        client.get(url, headers={"if-none-match": tag})

    assert "string_agg" not in statements[0]["sql"]


@pytest.mark.parametrize("path", ["ca/cns.crt", "crl/cns.crl", "ocsp/cns/AAAA"])
def test_only_reading_is_allowed(client, path):
    assert client.delete(f"/pki/{path}").status_code == 405
    assert client.post(f"/pki/{path}").status_code == 405


def test_ocsp_by_post(client, issued):
    response = client.post(reverse("authority:ocsp", args=["cns"]), question(issued), content_type=OCSP_TYPE)

    assert response["Content-Type"] == "application/ocsp-response"
    assert ocsp.load_der_ocsp_response(response.content).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("spelling", ["encoded", "plain", "double-slash"])
def test_ocsp_by_get(client, issued, spelling):
    text = base64.b64encode(question(issued)).decode()
    path = quote(text, safe="") if spelling == "encoded" else text
    base = f"/pki/ocsp/cns{'//' if spelling == 'double-slash' else '/'}"

    response = client.get(base + path)

    assert ocsp.load_der_ocsp_response(response.content).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert "max-age=30" in response["Cache-Control"]
    assert response["ETag"]


def test_ocsp_by_get_with_a_nonce_is_not_cached(client, issued):
    text = base64.b64encode(question(issued, nonce=b"n" * 16)).decode()

    response = client.get("/pki/ocsp/cns/" + quote(text, safe=""))

    assert response["Cache-Control"] == "no-store"
    assert "ETag" not in response


@pytest.mark.parametrize("text", ["%20", "not-base64!", "AAAA", "A" * 9000])
def test_junk_by_get_is_malformed(client, text):
    response = client.get(f"/pki/ocsp/cns/{text}")

    malformed = ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    assert response.status_code == 200
    assert ocsp.load_der_ocsp_response(response.content).response_status is malformed
    assert response["Cache-Control"] == "no-store"


def test_a_large_body_is_not_read_to_its_end(client):
    response = client.post("/pki/ocsp/cns", b"x" * 200_000, content_type=OCSP_TYPE)

    malformed = ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    assert ocsp.load_der_ocsp_response(response.content).response_status is malformed


def test_no_cookie_is_set_and_none_is_needed(client, issued):
    response = Client(enforce_csrf_checks=True).post("/pki/ocsp/cns", question(issued), content_type=OCSP_TYPE)

    assert response.status_code == 200
    assert not response.cookies


def test_when_the_database_is_away_ocsp_says_try_later(client, issued, clock):
    class Away:
        def now(self):
            raise OperationalError("the database is away")

    with installed(Away()):
        response = client.post("/pki/ocsp/cns", question(issued), content_type=OCSP_TYPE)

    assert ocsp.load_der_ocsp_response(response.content).response_status is ocsp.OCSPResponseStatus.TRY_LATER
    assert response["Cache-Control"] == "no-store"


def test_head_tells_the_size_without_reading_the_bytes(client, django_assert_num_queries):
    url = reverse("authority:crl", args=["cns"])
    whole = client.get(url)

    with django_assert_num_queries(1) as statements:
        head = client.head(url)

    assert "string_agg" not in statements[0]["sql"]
    assert head["Content-Length"] == str(len(whole.content))
    for name in ("ETag", "Last-Modified", "Expires", "Cache-Control", "Content-Type"):
        assert head[name] == whole[name]


def test_a_list_is_asked_for_by_date_too(client):
    url = reverse("authority:crl", args=["cns"])

    unchanged = client.get(url, headers={"if-modified-since": client.get(url)["Last-Modified"]})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged["ETag"]
    assert "max-age=30" in unchanged["Cache-Control"]


@pytest.mark.parametrize(("left", "seconds"), [(31, 30), (12, 12), (0, 0), (-3600, 0)])
def test_no_cache_keeps_a_list_beyond_its_own_next_update(client, clock, left, seconds):
    row = Crl.objects.get(issuer__role="cns", year=None)
    clock.instant = row.next_update - timedelta(seconds=left)

    response = client.get(reverse("authority:crl", args=["cns"]))

    assert f"max-age={seconds}," in response["Cache-Control"]
    assert parsedate_to_datetime(response["Expires"]) == clock.instant + timedelta(seconds=seconds)


def test_a_list_that_is_not_what_was_signed_is_not_served(client):
    row = Crl.objects.get(issuer__role="cns", year=None)
    Crl.objects.filter(pk=row.pk).update(tail=bytes(row.tail)[:-1] + bytes([bytes(row.tail)[-1] ^ 1]))

    response = client.get(reverse("authority:crl", args=["cns"]))

    assert (response.status_code, response.content) == (503, b"")
    assert response["Cache-Control"] == "no-store"
    assert response["Retry-After"]


@pytest.mark.parametrize("path", ["crl/cns.crl", "crl/cns/2026.crl", "ca/cns.crt"])
def test_when_the_database_is_away_there_is_no_list_rather_than_an_empty_one(client, path):
    def away(*_):
        raise OperationalError("the database is away")

    with connection.execute_wrapper(away):
        response = client.get(f"/pki/{path}")

    assert (response.status_code, response.content) == (503, b"")
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
def test_ocsp_by_post_wants_its_own_media_type(client, issued, media_type):
    response = client.post(reverse("authority:ocsp", args=["cns"]), question(issued), content_type=media_type)

    assert response.status_code == 415


def test_an_empty_body_is_malformed(client):
    response = client.post(reverse("authority:ocsp", args=["cns"]), b"", OCSP_TYPE, CONTENT_TYPE=OCSP_TYPE)

    malformed = ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    assert ocsp.load_der_ocsp_response(response.content).response_status is malformed


def test_ocsp_by_get_tells_caches_what_stands_in_the_answer(client, issued, clock):
    url = "/pki/ocsp/cns/" + quote(base64.b64encode(question(issued)).decode(), safe="")
    first = client.get(url)
    clock.instant += timedelta(seconds=100)

    again = client.get(url, headers={"if-none-match": first["ETag"]})
    by_date = client.get(url, headers={"if-modified-since": first["Last-Modified"]})

    stated = ocsp.load_der_ocsp_response(first.content)
    assert parsedate_to_datetime(first["Last-Modified"]) == stated.this_update_utc
    assert (again.status_code, by_date.status_code) == (304, 304)
    assert parsedate_to_datetime(again["Expires"]) == clock.instant + timedelta(seconds=30)


def test_a_hold_shows_in_the_very_next_answer_and_the_old_tag_is_worth_nothing(client, gateway, issued):
    url = "/pki/ocsp/cns/" + quote(base64.b64encode(question(issued)).decode(), safe="")
    tag = client.get(url)["ETag"]

    gateway.hold(issued.ref, request_id=uuid4(), at=AT)
    response = client.get(url, headers={"if-none-match": tag})

    assert response.status_code == 200
    assert ocsp.load_der_ocsp_response(response.content).certificate_status is ocsp.OCSPCertStatus.REVOKED
