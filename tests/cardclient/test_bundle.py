"""The bundle as a holder gets it: built here, unpacked elsewhere, started without Python, tried, offered with its hash."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from cardclient import __version__
from cardclient.packaging import manifest, server
from tests.cardclient import softhsm

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a bundle is built on the system that it is for")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder that `.ci/bundle` fills; a minute of work, done once."""
    folder = tmp_path_factory.mktemp("bundle")
    done = subprocess.run(
        [ROOT / ".ci" / "bundle", folder],
        env={**os.environ, "SIGILLO_SERVER": "demo"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def unpacked(built, tmp_path_factory):
    """Where a holder's computer has it: another folder, with nothing of the checkout beside it."""
    folder = tmp_path_factory.mktemp("holder")
    (made,) = json.loads((built / "client.json").read_text())["files"]
    with tarfile.open(built / made["name"]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "sigillo"


def run(program, *arguments, **environment):
    """With an environment that knows no Python and no checkout."""
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(Path(program).parent), "LANG": "C.UTF-8", **environment}
    return subprocess.run([program, *arguments], env=bare, capture_output=True, text=True, timeout=120, check=False)


def test_the_list_names_version_system_size_and_hash_of_what_is_offered(built):
    told = json.loads((built / "client.json").read_text())
    (made,) = told["files"]
    content = (built / made["name"]).read_bytes()

    assert told["version"] == __version__
    assert (made["system"], made["size"]) == (manifest.system(), len(content))
    assert made["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.softhsm
@pytest.mark.skipif(softhsm.missing() is not None, reason="softhsm2 and opensc are missing")
def test_it_reads_its_texts_scans_a_card_renders_a_pdf_and_opens_its_window(unpacked, shim, tmp_path):
    token = softhsm.make_token(tmp_path, pin="48273", puk="91827364")
    card = {"P11SHIM_DIR": str(tmp_path), "P11SHIM_MODULE": str(softhsm.module())}

    done = run(unpacked / "sigillo-card", "selftest", "--module", str(shim), **card, **token.environment)
    told = json.loads(done.stdout)

    assert (done.returncode, told["failed"]) == (0, []), done.stdout + done.stderr
    assert told["frozen"]
    assert told["server"] == "http://localhost:8000"
    assert told["card"] == 1
    assert told["pdf"] == [595, 842]
    assert told["texts"]["message"] == "Nessuna smartcard rilevata. Prova ad inserirla di nuovo"
    assert told["texts"]["english"] == "Readers"
    assert told["window"]["size"][0] >= 600


def test_a_part_that_does_not_work_is_named(unpacked):
    done = run(unpacked / "sigillo-card", "selftest", "--module", "/nowhere/driver.so")

    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"] == ["card"]


def test_the_command_line_says_its_version_and_what_is_wrong_with_its_use(unpacked):
    assert __version__ in run(unpacked / "sigillo-card", "--version").stdout
    assert run(unpacked / "sigillo-card", "renew", "--pin", "48273").returncode == 2


@pytest.mark.parametrize(
    "given", [None, "", "http://ra.example.org", "ra.example.org", "https://", "https://ra.example.org/x"]
)
def test_a_bundle_that_would_speak_to_nobody_or_in_clear_is_not_built(given, tmp_path):
    environment = {} if given is None else {"SIGILLO_SERVER": given}
    with pytest.raises(server.NoServer):
        server.write(tmp_path, environment)
    assert not list(tmp_path.iterdir())


def test_the_address_travels_as_a_file_without_its_last_slash(tmp_path):
    made = server.write(tmp_path, {"SIGILLO_SERVER": "https://ra.example.org:8443/"})
    assert (made.name, made.read_text()) == ("server.txt", "https://ra.example.org:8443\n")


def test_it_keeps_to_its_budget_and_leaves_qt_replaceable(built):
    assert manifest.size_of(built / "sigillo") <= manifest.MOST_MEGABYTES * 1_048_576
    assert list((built / "sigillo").rglob("libQt6Core.so.6"))


def test_a_folder_over_its_budget_is_not_offered(tmp_path):
    (tmp_path / "sigillo").mkdir()
    with (tmp_path / "sigillo" / "film.bin").open("wb") as file:
        os.truncate(file.fileno(), (manifest.MOST_MEGABYTES + 1) * 1_048_576)

    with pytest.raises(manifest.TooLarge):
        manifest.main([str(tmp_path)])
    assert not (tmp_path / "client.json").exists()
