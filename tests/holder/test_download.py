"""Scarica: the client with its hash, or the plain word that there is none; what one needs; in both languages."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.conf import settings as installed_settings

from cms.models import CardFamily
from tests.panel.browser import CHROMIUM, NARROW, WIDE, launched, opened, served, sideways
from tests.panel.pictures import PICTURES
from tests.panel.test_axe import ALL_RULES, AXE, RULES_OF_LOOK, RUN

PAGE = installed_settings.CLIENT_PATH
CONTENTS = {"windows-x64": b"MZ windows", "linux-x64": b"\x7fELF linux"}


def name_of(system):
    return f"sigillo-card-0.2.0-{system}.zip"


def manifest(**changed):
    files = [
        {"system": system, "name": name_of(system), "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for system, data in CONTENTS.items()
    ]
    return {"version": "0.2.0", "files": files} | changed


@pytest.fixture
def folder(settings, tmp_path):
    """A release as the bundle's build leaves it."""
    for system, data in CONTENTS.items():
        (tmp_path / name_of(system)).write_bytes(data)
    (tmp_path / "client.json").write_text(json.dumps(manifest()))
    settings.RENEWALS = settings.RENEWALS.model_copy(
        update={"client_folder": str(tmp_path), "client_hosts": ("pki.example.org",)}
    )
    return tmp_path


def families_known():
    """Two drivers, three families, and one that is refused."""
    CardFamily.objects.all().delete()
    needs = {"driver": "IDP 6.47.04", "driver_address": "https://driver.example.org/idp.zip", "asks_puk": True}
    for code in ("AC 2014", "AC 2018"):
        CardFamily.objects.create(
            code=code, name=code, management_tool="IDProtect Manager", reinsert_after=True, **needs
        )
    CardFamily.objects.create(code="ID 2019", name="ID 2019", driver="bit4xpki", management_tool="PKI Manager")
    CardFamily.objects.create(code="ST 2021", name="ST 2021", renewable=False, refusal="Il chip non lo consente.")


@pytest.fixture
def families(db):
    families_known()


def shown(stranger, **headers):
    answer = stranger.get(PAGE, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.django_db
class TestPage:
    """What stands on it."""

    def test_it_offers_each_file_with_version_size_hash_and_how_to_check_it(self, stranger, folder):
        page = shown(stranger)
        for system, data in CONTENTS.items():
            assert f'href="{PAGE}{name_of(system)}"' in page
            assert hashlib.sha256(data).hexdigest() in page
        assert "Versione 0.2.0" in page
        assert f"certutil -hashfile {name_of('windows-x64')} SHA256" in page
        assert f"sha256sum {name_of('linux-x64')}" in page

    def test_without_a_release_it_says_so_and_shows_the_rest(self, stranger, db):
        page = shown(stranger)
        assert "nulla da scaricare" in page
        assert "Che cosa serve" in page

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            json.dumps(manifest(version="newest")),
            json.dumps({"version": "0.2.0", "files": [{"system": "beos", "name": "x", "sha256": "0", "size": 1}]}),
            json.dumps({"version": "0.2.0", "files": [manifest()["files"][0] | {"name": "../secret"}]}),
            json.dumps({"version": "0.2.0", "files": [manifest()["files"][0] | {"name": 'a"b.zip'}]}),
            " " * 70_000 + json.dumps(manifest()),
        ],
    )
    def test_a_manifest_that_is_not_one_offers_nothing(self, stranger, folder, text):
        (folder / "client.json").write_text(text)
        assert "nulla da scaricare" in shown(stranger)

    def test_a_file_that_is_missing_or_half_copied_is_not_offered(self, stranger, folder):
        (folder / name_of("windows-x64")).write_bytes(b"MZ")
        (folder / name_of("linux-x64")).unlink()
        assert "nulla da scaricare" in shown(stranger)

    def test_files_may_be_fetched_from_elsewhere(self, stranger, folder, settings):
        settings.RENEWALS = settings.RENEWALS.model_copy(update={"client_files_url": "https://files.example.org/c/"})
        for system in CONTENTS:
            (folder / name_of(system)).unlink()
        assert f'href="https://files.example.org/c/{name_of("linux-x64")}"' in shown(stranger)

    def test_the_drivers_stand_by_family_and_what_is_refused_says_why(self, stranger, families):
        page = shown(stranger)
        assert "AC 2014, AC 2018" in page
        assert 'href="https://driver.example.org/idp.zip"' in page
        assert page.index("PIN e PUK</td>") < page.index("Solo PIN</td>")
        assert "ST 2021</strong>: Il chip non lo consente." in page

    def test_firewall_hosts_and_every_departure_from_the_guides_are_named(self, stranger, folder):
        page = shown(stranger)
        assert "pki.example.org" in page
        for word in ("Windows 7, 8 e 8.1", "Sistemi a 32 bit", "macOS", "contactless", "antivirus", "SOCKS5"):
            assert word in page

    def test_it_speaks_english_too(self, stranger, folder, families):
        page = shown(stranger, **{"accept-language": "en"})
        assert '<html lang="en">' in page
        assert "The renewal program" in page

    def test_it_needs_no_cookie_and_no_script(self, stranger, folder):
        answer = stranger.get(PAGE)
        assert dict(answer.cookies) == {}
        assert "<script" not in answer.content.decode()

    def test_the_entrance_of_the_holders_pages_leads_here(self, stranger, settings):
        assert f'href="{settings.BASE_URL}{PAGE}"' in stranger.get(settings.HOLDER_PATH).content.decode()


@pytest.mark.django_db
class TestFile:
    """What is handed out, and nothing else of the folder."""

    def test_it_comes_whole_with_its_hash(self, stranger, folder):
        answer = stranger.get(f"{PAGE}{name_of('linux-x64')}")
        data = b"".join(answer.streaming_content)
        assert data == CONTENTS["linux-x64"]
        assert answer.headers["Content-Length"] == str(len(data))
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name_of("linux-x64")}"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'
        assert answer.headers["Repr-Digest"].startswith("sha-256=:")

    def test_who_has_it_is_told_so(self, stranger, folder):
        tag = f'"{hashlib.sha256(CONTENTS["linux-x64"]).hexdigest()}"'
        assert stranger.get(f"{PAGE}{name_of('linux-x64')}", headers={"if-none-match": tag}).status_code == 304

    @pytest.mark.parametrize("name", ["client.json", "secret.txt", "..%2Fsecret.txt", "%2e%2e", "x" * 300, ".hidden"])
    def test_nothing_else_is_there(self, stranger, folder, name):
        (folder / "secret.txt").write_text("secret")
        assert stranger.get(f"{PAGE}{name}").status_code == 404

    def test_it_is_only_read(self, stranger, folder):
        assert stranger.post(f"{PAGE}{name_of('linux-x64')}").status_code == 405
        assert stranger.post(PAGE).status_code == 405


@pytest.mark.chromium
@pytest.mark.skipif(CHROMIUM is None, reason="no browser here: the system package `chromium` is missing")
def test_it_is_readable_by_everybody_at_every_width_and_look(committed, folder, pytestconfig):
    """axe finds nothing, nothing is wider than the page; pictures are left where they are asked for."""
    pictures = pytestconfig.stash.get(PICTURES, None)
    families_known()
    with launched() as browser, served() as address:
        for size in (WIDE, NARROW):
            for dark in (False, True):
                page = opened(browser, address, size=size, dark=dark)
                page.goto(PAGE)
                if pictures:
                    end = f"{size['width']}{'-dark' if dark else ''}.png"
                    page.screenshot(path=pictures / f"scarica-{end}", full_page=True)
                page.evaluate(AXE)
                assert page.evaluate(RUN, ALL_RULES if not dark else RULES_OF_LOOK) == []
                assert sideways(page) == 0
                assert page.complaints == []
                page.context.close()
