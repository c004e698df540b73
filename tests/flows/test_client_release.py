"""The client that a build has packed: offered and served as it is, told to windows, and what an older window is told."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from pathlib import Path

import pytest
from django.conf import settings as installed
from django.template.defaultfilters import filesizeformat

from cardclient import __version__
from cardclient.packaging import manifest
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from cardclient.ui.pages.start import StartPage
from renewals.conf import RenewalSettings
from renewals.versions import parse_version
from tests.cardclient.conftest import PIN, PUK, SERIAL
from tests.flows.live import LiveProduct
from tests.flows.programs import ROOT
from tests.flows.window import window
from tests.renewals.enrolment import BASE


@pytest.fixture
def release(tmp_path, monkeypatch, settings):
    """What the last step of `.ci/bundle` makes of a built folder, named to the server as an installation names it."""
    program = tmp_path / "sigillo" / "sigillo"
    program.parent.mkdir()
    program.write_bytes(os.urandom(5000))
    assert manifest.main([str(tmp_path)]) == 0
    monkeypatch.setenv("SIGILLO_RENEWAL_CLIENT_FOLDER", str(tmp_path))
    settings.RENEWALS = RenewalSettings()
    return tmp_path


@pytest.mark.django_db
def test_what_the_build_packed_is_offered_and_served_as_it_is(release, client):
    (packed,) = [path for path in release.iterdir() if path.name.startswith("sigillo-")]
    content = packed.read_bytes()
    digest = hashlib.sha256(content).hexdigest()

    page = client.get(installed.CLIENT_PATH).content.decode()
    assert f"Versione {__version__}" in page
    assert digest in page
    assert filesizeformat(len(content)) in page
    assert f'href="{installed.CLIENT_PATH}{packed.name}"' in page
    served = client.get(f"{installed.CLIENT_PATH}{packed.name}")
    assert hashlib.sha256(b"".join(served.streaming_content)).hexdigest() == digest
    assert client.get(f"{BASE}/capabilities").json()["client"]["current"] == __version__


@pytest.mark.django_db
def test_a_build_of_the_next_version_is_current_from_its_manifest_on(release, client):
    told = json.loads((release / "client.json").read_text())
    (release / "client.json").write_text(json.dumps(told | {"version": "99.0.0"}))

    assert "Versione 99.0.0" in client.get(installed.CLIENT_PATH).content.decode()
    assert client.get(f"{BASE}/capabilities").json()["client"]["current"] == "99.0.0"


def test_client_distribution_and_servers_defaults_name_one_version():
    distribution = tomllib.loads(Path(ROOT, "cardclient", "pyproject.toml").read_text())["project"]["version"]
    offered = RenewalSettings()

    assert distribution == offered.client_current == __version__
    assert parse_version(offered.client_minimum) <= parse_version(__version__)


def test_a_window_below_the_minimum_is_refused_before_any_code_and_led_to_the_page(
    committed, settings, qtbot, dressed, tmp_path
):
    page = "https://ra.example.org/scarica/"
    settings.RENEWALS = RenewalSettings(client_minimum="99.0.0", client_url=page)
    SimulatedCard.create(tmp_path / "card.json", serial=SERIAL, pin=Secret(PIN), puk=Secret(PUK))

    with LiveProduct() as product, window(qtbot, tmp_path, product.address, f"--simulator={tmp_path}/card.json") as one:
        one.sees(StartPage, "[client-outdated]")
        one.reads(SERIAL)
        assert one.buttons == ["Scansiona di nuovo"]
        (link,) = [each for each in one.links() if each.text() == "Scarica la versione aggiornata"]
        assert (link.isEnabled(), link.toolTip()) == (True, page)
