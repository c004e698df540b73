"""The settings' file: defaults, damage, other versions, and no password in it."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from cardclient.preferences import (
    Preferences,
    PreferencesUnsaved,
    ProxyChoice,
    ProxyKind,
    Store,
    user_folder,
)

NTLM = ProxyChoice(ProxyKind.NTLM, "proxy.example.org", 8080, "AZIENDA\\rossi", ask_each_time=True)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "new" / "folder")


def test_a_first_start_has_defaults_and_writes_nothing(store):
    assert store.load() == Preferences()
    assert store.load().proxy.kind is ProxyKind.SYSTEM
    assert not store.path.parent.exists()
    assert store.notice is None


def test_what_is_saved_is_loaded(store):
    wanted = Preferences("https://ra.example.org", "en", NTLM, debug_log=True)
    store.save(wanted)
    assert Store(store.path.parent).load() == wanted


def test_keys_of_a_newer_version_survive_a_save(store):
    store.save(Preferences())
    content = json.loads(store.path.read_text())
    store.path.write_text(json.dumps(content | {"news": [1], "proxy": content["proxy"] | {"realm": "x"}}))

    store.save(Preferences(language="en"))

    kept = json.loads(store.path.read_text())
    assert (kept["news"], kept["proxy"]["realm"], kept["language"]) == ([1], "x", "en")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"{" + b" " * 100_000 + b"}"])
def test_a_damaged_file_is_put_aside_and_said(store, content):
    store.save(Preferences(language="en"))
    store.path.write_bytes(content)

    assert store.load() == Preferences()
    assert store.notice == "preferences-damaged"
    assert (store.path.parent / "preferences.damaged.json").read_bytes() == content

    store.save(Preferences(language="en"))
    assert store.load().language == "en"
    assert store.notice is None


@pytest.mark.parametrize(
    "content",
    [
        {"language": "de", "server": 7, "debug_log": "yes", "proxy": "x"},
        {"proxy": {"kind": "carrier-pigeon", "host": "h", "port": 1}},
        {"proxy": {"kind": ["http"], "host": "h", "port": 1}},
        {"proxy": {"kind": "http", "host": "proxy.example.org", "port": "8080"}},
        {"proxy": {"kind": "http", "host": "", "port": 8080}},
        {"proxy": {"kind": "socks5", "host": "h", "port": 65536}},
    ],
)
def test_a_senseless_value_counts_as_its_default(store, content):
    store.path.parent.mkdir(parents=True)
    store.path.write_text(json.dumps(content))
    loaded = store.load()
    assert (loaded.server, loaded.language, loaded.debug_log) == ("", "it", False)
    assert loaded.proxy.kind is ProxyKind.SYSTEM


def test_a_save_that_fails_leaves_what_was_there(store):
    store.save(Preferences(language="en"))
    blocked = Store(store.path)  # a file where the folder should be
    with pytest.raises(PreferencesUnsaved):
        blocked.save(Preferences())
    assert store.load().language == "en"
    assert [each.name for each in store.path.parent.iterdir()] == ["preferences.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's; on Windows the profile's rights hold")
def test_only_this_user_can_read_it(store):
    store.save(Preferences())
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("system", "environment", "folder"),
    [
        ("win32", {"APPDATA": "/roaming"}, "/roaming/Sigillo"),
        ("win32", {}, "/home/x/AppData/Roaming/Sigillo"),
        ("darwin", {"XDG_CONFIG_HOME": "/etc"}, "/home/x/Library/Application Support/Sigillo"),
        ("linux", {}, "/home/x/.config/sigillo"),
        ("linux", {"XDG_CONFIG_HOME": "/conf"}, "/conf/sigillo"),
        ("linux", {"XDG_CONFIG_HOME": "conf"}, "/home/x/.config/sigillo"),
    ],
)
def test_each_system_has_its_folder(system, environment, folder):
    assert user_folder(system, environment, Path("/home/x")) == Path(folder)


@pytest.mark.parametrize(
    ("choice", "problem"),
    [
        (ProxyChoice(), None),
        (ProxyChoice(ProxyKind.NONE), None),
        (NTLM, None),
        (ProxyChoice(ProxyKind.HTTP, "", 80), "proxy-host-wrong"),
        (ProxyChoice(ProxyKind.HTTP, "http://proxy", 80), "proxy-host-wrong"),
        (ProxyChoice(ProxyKind.SOCKS4, "proxy", 0), "proxy-port-wrong"),
    ],
)
def test_a_proxy_names_what_it_lacks(choice, problem):
    assert choice.problem == problem


def test_the_bundles_server_is_used_until_the_holder_names_another(tmp_path):
    bundled = Store(tmp_path, shipped="https://ra.example.org")
    assert bundled.load().server == "https://ra.example.org"
    bundled.save(Preferences(server="https://other.example.org"))
    assert bundled.load().server == "https://other.example.org"


def test_a_later_bundle_may_name_another_server_to_who_has_set_none(tmp_path):
    Store(tmp_path, shipped="https://ra.example.org").save(Preferences(server="https://ra.example.org", language="en"))
    loaded = Store(tmp_path, shipped="https://new.example.org").load()
    assert (loaded.server, loaded.language) == ("https://new.example.org", "en")


def test_from_source_no_server_is_known(tmp_path):
    assert Store(tmp_path).load().server == ""
