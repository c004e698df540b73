"""`Preferenze`: the guide's labels, what is refused, where the password goes, and what the connection test says."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel, QRadioButton
from shiboken6 import isValid

from cardclient.network.legs import Leg, Network
from cardclient.preferences import Preferences, ProxyChoice, ProxyKind, Store
from cardclient.ui.preferences_dialog import CONNECTION, PROXY, SERVER, PreferencesDialog

MANUAL = ProxyChoice(ProxyKind.HTTP, "proxy.example.org", 3128, "mario")
BEFORE = Preferences(server="https://ra.example.org", proxy=MANUAL)
ACCOUNT = "mario@proxy.example.org:3128"


class Ring:
    """A keyring in memory; one that is not available keeps nothing."""

    def __init__(self):
        self.kept, self.available = {}, True

    def read(self, account):
        return self.kept.get(account)

    def write(self, account, password):
        if self.available:
            self.kept[account] = password
        return self.available

    def forget(self, account):
        self.kept.pop(account, None)


class Wires:
    """Stands for the network: tells its legs, and hangs where it is told to until it is stopped."""

    def __init__(self):
        self.legs, self.verdict, self.hangs, self.asked = (
            (Leg("direct", "ra.example.org:443", "ok", 12),),
            "legs-ok",
            False,
            [],
        )

    def __call__(self, preferences, logins, told, stopped):
        self.asked.append((preferences, logins.ask(preferences.proxy, None)))
        for leg in self.legs:
            told(leg)
        if self.hangs:
            stopped.wait(5)
        return Network("ra.example.org:443", "none", self.legs, (), "" if stopped.is_set() else self.verdict)


@pytest.fixture
def ring():
    return Ring()


@pytest.fixture
def wires():
    return Wires()


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def open_dialog(qtbot, ring, wires, store):
    opened = []

    def make(before=BEFORE):
        dialog = PreferencesDialog(before, store, ring, wires, lambda address: address.startswith("https://"))
        dialog.heard = []
        dialog.saved.connect(dialog.heard.append)
        dialog.show()
        opened.append(dialog)
        qtbot.waitUntil(lambda: not dialog.errands.is_busy)
        return dialog

    yield make
    for each in filter(isValid, opened):
        each.reject()


def save(qtbot, dialog):
    dialog.save()
    qtbot.waitUntil(lambda: not dialog.errands.is_busy)


def words(dialog):
    labels = {each.text() for each in dialog.findChildren(QLabel) + dialog.findChildren(QRadioButton)}
    kinds = {dialog.proxy.kind.itemText(place) for place in range(dialog.proxy.kind.count())}
    return labels | kinds | {dialog.back_button.text(), dialog.save_button.text()}


def test_the_guide_s_labels_stand_word_for_word(open_dialog):
    guide = {
        "Proxy", "Nessun Proxy", "Usa configurazione di sistema", "Configurazione manuale", "Tipo", "HTTP", "SOCKS4",
        "SOCKS5", "NTLM", "Host", "Porta", "Credenziali d'accesso", "INDIETRO", "SALVA",
    }  # fmt: skip
    dialog = open_dialog()
    assert guide <= words(dialog)
    assert dialog.categories.accessibleName() == "Categorie"


def test_what_is_set_is_shown_and_saved_unchanged(qtbot, open_dialog, store):
    dialog = open_dialog()
    save(qtbot, dialog)
    assert dialog.heard == [BEFORE]
    assert store.load() == BEFORE


def test_nothing_is_saved_by_going_back(open_dialog, store):
    dialog = open_dialog()
    dialog.proxy.host.edit.setText("other.example.org")
    dialog.reject()
    assert dialog.heard == []
    assert not store.path.exists()


@pytest.mark.parametrize(("way", "manual", "password"), [(0, False, False), (1, False, False), (2, True, True)])
def test_fields_are_open_only_for_what_is_chosen(open_dialog, way, manual, password):
    dialog = open_dialog()
    dialog.proxy.ways.button(way).setChecked(True)
    assert dialog.proxy.host.edit.isEnabled() is manual
    assert dialog.proxy.password.edit.isEnabled() is password


def test_socks4_knows_no_password(open_dialog):
    dialog = open_dialog()
    dialog.proxy.kind.setCurrentIndex(1)
    assert dialog.proxy.username.edit.isEnabled()
    assert not dialog.proxy.password.edit.isEnabled()


@pytest.mark.parametrize("kind", [ProxyKind.HTTP, ProxyKind.SOCKS4, ProxyKind.SOCKS5, ProxyKind.NTLM])
def test_every_kind_of_proxy_is_kept(qtbot, open_dialog, store, kind):
    dialog = open_dialog(replace(BEFORE, proxy=replace(MANUAL, kind=kind)))
    save(qtbot, dialog)
    assert store.load().proxy.kind is kind


@pytest.mark.parametrize("port", ["", "0", "65536", "abc", "-1", "٣١٢٨"])
def test_a_port_that_is_none_is_said_under_its_field(qtbot, open_dialog, store, port):
    dialog = open_dialog()
    dialog.proxy.port.edit.setText(port)
    dialog.categories.setCurrentRow(SERVER)
    save(qtbot, dialog)
    assert dialog.categories.currentRow() == PROXY
    assert "65535" in dialog.proxy.port.error
    assert not store.path.exists()


@pytest.mark.parametrize("host", ["", "http://proxy.example.org", "a b"])
def test_a_host_that_is_none_is_said_under_its_field(qtbot, open_dialog, store, host):
    dialog = open_dialog()
    dialog.proxy.host.edit.setText(host)
    save(qtbot, dialog)
    assert dialog.proxy.host.error
    assert not store.path.exists()


def test_a_server_that_is_not_https_is_refused(qtbot, open_dialog, store):
    dialog = open_dialog()
    dialog.server.edit.setText("http://ra.example.org")
    save(qtbot, dialog)
    assert dialog.categories.currentRow() == SERVER
    assert "https" in dialog.server.error
    assert not store.path.exists()


def test_the_password_goes_to_the_keyring_and_never_into_the_file(qtbot, open_dialog, ring, store):
    dialog = open_dialog()
    dialog.proxy.password.edit.setText("s3gr3ta!")
    save(qtbot, dialog)
    assert ring.kept[ACCOUNT].reveal() == "s3gr3ta!"
    assert "s3gr3ta!" not in store.path.read_text("utf-8")


def test_a_password_asked_for_each_time_is_forgotten(qtbot, open_dialog, ring, store):
    ring.kept[ACCOUNT] = "old"
    dialog = open_dialog()
    dialog.proxy.ask_each_time.box.setChecked(True)
    dialog.proxy.password.edit.setText("s3gr3ta!")
    save(qtbot, dialog)
    assert not ring.kept
    assert store.load().proxy.ask_each_time


def test_a_password_that_is_kept_is_not_shown_but_said(open_dialog, ring):
    from cardclient.secret import Secret

    ring.kept[ACCOUNT] = Secret("old")
    dialog = open_dialog()
    assert dialog.proxy.password.edit.text() == ""
    assert dialog.proxy.password.edit.placeholderText() == "conservata"


def test_without_a_keyring_the_password_is_asked_for_each_time(qtbot, open_dialog, ring, store):
    ring.available = False
    dialog = open_dialog()
    assert "non ha un portachiavi" in dialog.proxy.keeping.text()
    save(qtbot, dialog)
    assert store.load().proxy.ask_each_time


def test_the_test_tries_what_stands_in_the_fields_before_it_is_saved(qtbot, open_dialog, wires, store):
    dialog = open_dialog()
    dialog.proxy.host.edit.setText("new.example.org")
    dialog.proxy.password.edit.setText("s3gr3ta!")
    dialog.test_button.click()
    qtbot.waitUntil(lambda: not dialog.test.errands.is_busy)
    ((preferences, login),) = wires.asked
    assert preferences.proxy.host == "new.example.org"
    assert (login.username, login.password.reveal()) == ("mario", "s3gr3ta!")
    assert dialog.categories.currentRow() == CONNECTION
    assert "Il servizio di rinnovo è raggiungibile." in dialog.test.verdict.text
    assert dialog.proxy.password.edit.text() == "s3gr3ta!"
    assert not store.path.exists()


def test_the_leg_that_fails_is_named_with_what_to_do(qtbot, open_dialog, wires):
    wires.legs = (
        Leg("proxy", "proxy.example.org:3128", "ok", 3),
        Leg("through-proxy", "ra.example.org:443", "proxy-login-wrong"),
        Leg("direct", "ra.example.org:443", "server-timeout"),
    )
    wires.verdict = "legs-server-unreachable"
    dialog = open_dialog()
    dialog.test_button.click()
    qtbot.waitUntil(lambda: not dialog.test.errands.is_busy)
    shown = " ".join(each.text() for each in dialog.test.findChildren(QLabel))
    assert "Il proxy risponde, ma il servizio di rinnovo non si raggiunge." in shown
    assert "2. attraverso il proxy" in shown
    assert "raggiunto in 3 ms" in shown


def test_a_test_that_hangs_is_stopped_at_once(qtbot, open_dialog, wires):
    wires.hangs = True
    dialog = open_dialog()
    dialog.test_button.click()
    assert dialog.test_button.text() == "Interrompi la prova"
    dialog.test_button.click()
    assert dialog.test_button.text() == "Prova la connessione"
    assert "Prova interrotta." in dialog.test.verdict.text
    qtbot.waitUntil(lambda: not dialog.test.errands.is_busy)
    assert "Prova interrotta." in dialog.test.verdict.text


def test_closing_during_a_test_stops_it(qtbot, open_dialog, wires):
    wires.hangs = True
    dialog = open_dialog()
    dialog.test_button.click()
    before = threading.active_count()
    dialog.reject()
    qtbot.waitUntil(lambda: threading.active_count() < before)


def test_a_folder_that_cannot_be_written_is_said(qtbot, open_dialog, store, tmp_path):
    store._folder = tmp_path / "file"
    store._folder.write_text("in the way")
    dialog = open_dialog()
    save(qtbot, dialog)
    assert "[preferences-unsaved]" in dialog.notice.text
    assert dialog.heard == []


def test_damaged_preferences_are_told(qtbot, open_dialog, store):
    store.path.write_text("{")
    before = store.load()
    assert "non erano leggibili" in open_dialog(before).notice.text


def test_language_and_detailed_log_are_saved(qtbot, open_dialog, store):
    dialog = open_dialog()
    dialog.languages.button(1).setChecked(True)
    dialog.debug.box.setChecked(True)
    save(qtbot, dialog)
    assert (store.load().language, store.load().debug_log) == ("en", True)
