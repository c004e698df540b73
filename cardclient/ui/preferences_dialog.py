"""`Preferenze`: proxy, language, server and log, with the guide's labels. Saved only when every field can be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QListWidget, QRadioButton, QStackedWidget, QWidget

from cardclient.errors import ClientError
from cardclient.messages import message_for, words_for
from cardclient.network.credentials import ProxyLogin, account
from cardclient.preferences import Keyring, Preferences, ProxyKind, Store
from cardclient.secret import Secret
from cardclient.ui import pieces
from cardclient.ui.bridge import Worker
from cardclient.ui.dialog import Dialog, column, scrolling
from cardclient.ui.errands import Errands
from cardclient.ui.fields import CheckLine, Field
from cardclient.ui.network_test import NetworkTest, Test
from cardclient.ui.proxy_form import ProxyForm
from cardclient.ui.theme import Tone
from cardclient.words import Language, tr

LANGUAGES = {Language.ITALIAN: "Italiano", Language.ENGLISH: "English"}  # each in its own language
ROW = 40  # px at 100 %
PROXY, LANGUAGE, SERVER, LOG, CONNECTION = range(5)


class PreferencesDialog(Dialog):
    """Edits `preferences` and keeps them in the store; `saved` carries what holds from now on.

    `usable_address` says whether a server's address may be used (https, or this machine).
    """

    saved = Signal(object)  # Preferences

    def __init__(
        self,
        preferences: Preferences,
        store: Store,
        keyring: Keyring,
        test: Test,
        usable_address: Callable[[str], bool],
        parent: QWidget | None = None,
    ) -> None:
        """Show what is set; nothing changes before `SALVA`."""
        super().__init__(tr("Preferenze"), parent, size=(860, 700))
        self._before, self._store, self._keyring, self._usable = preferences, store, keyring, usable_address
        self._worker = Worker()
        self.errands = Errands(self, self._worker)
        self.notice = pieces.NoticeBox(Tone.NEUTRAL, "")
        self.notice.hide()
        self.proxy = ProxyForm(preferences.proxy)
        self.test = NetworkTest(test, keyring)
        self._build(preferences)
        self._build_buttons()
        self.finished.connect(self._end)
        self._tell_damage()
        self._ask_keyring()

    def _build(self, preferences: Preferences) -> None:
        self.categories = QListWidget()
        self.categories.setProperty("role", "categories")
        self.categories.setAccessibleName(tr("Categorie"))
        self.categories.addItems([tr("Proxy"), tr("Lingua"), tr("Server"), tr("Log"), tr("Connessione")])
        self.categories.setFixedWidth(160)
        for place in range(self.categories.count()):
            self.categories.item(place).setSizeHint(QSize(0, ROW))  # measured before the style sheet it would be lower
        self.pages = QStackedWidget()
        pages = (self._language(preferences), self._server(preferences), self._log(preferences))
        for page in (scrolling(self.proxy), *pages, self._connection()):
            self.pages.addWidget(page)
        self.categories.currentRowChanged.connect(self.pages.setCurrentIndex)
        self.categories.setCurrentRow(PROXY if preferences.server else SERVER)
        row = QHBoxLayout()
        row.setSpacing(pieces.SPACE[4])
        row.addWidget(self.categories)
        row.addWidget(self.pages, 1)
        self.body.addWidget(self.notice)
        self.body.addLayout(row, 1)

    def _connection(self) -> QWidget:
        page, lines = column()
        lines.addWidget(pieces.subheading(tr("Connessione")))
        lines.addWidget(pieces.lead(tr("Prova le impostazioni così come sono scritte, anche prima di salvarle.")))
        lines.addWidget(self.test)
        return scrolling(page)

    def _language(self, preferences: Preferences) -> QWidget:
        page, lines = column()
        lines.addWidget(pieces.subheading(tr("Lingua")))
        self.languages = QButtonGroup(self)
        for place, (language, name) in enumerate(LANGUAGES.items()):
            button = QRadioButton(name)
            button.setChecked(language == preferences.language)
            self.languages.addButton(button, place)
            lines.addWidget(button)
        lines.addWidget(pieces.muted(tr("La lingua cambia appena salvi, senza riavviare il programma.")))
        return page

    def _server(self, preferences: Preferences) -> QWidget:
        page, lines = column()
        lines.addWidget(pieces.subheading(tr("Server")))
        hint = tr("L'indirizzo del servizio di rinnovo, come lo comunica il tuo CDRL. Comincia con https://.")
        self.server = Field(tr("Indirizzo del servizio"), preferences.server, hint=hint, width=520)
        lines.addWidget(self.server)
        return page

    def _log(self, preferences: Preferences) -> QWidget:
        page, lines = column()
        lines.addWidget(pieces.subheading(tr("Log")))
        self.debug = CheckLine(tr("Log dettagliato (debug): serve all'assistenza per capire un problema."))
        self.debug.box.setChecked(preferences.debug_log)
        lines.addWidget(self.debug)
        lines.addWidget(pieces.muted(tr("I log restano su questo computer e non contengono PIN, PUK o password.")))
        return page

    def _build_buttons(self) -> None:
        self.test_button = self.add_button(pieces.secondary(tr("Prova la connessione")))
        self.test_button.clicked.connect(self._try)
        self.test.errands.busy.connect(self._show_testing)
        self.save_button = self.add_button(pieces.primary(tr("SALVA")))
        self.save_button.clicked.connect(self.save)
        for field in (self.proxy.host, self.proxy.port, self.proxy.username, self.proxy.password, self.server):
            field.entered.connect(self.save)

    def _tell_damage(self) -> None:
        if self._store.notice:
            message = message_for(self._store.notice)
            self._say(Tone.WAIT, message.text, message.advice)

    # The keyring is asked in a thread: one that is locked may ask the person, or take its time.

    def _ask_keyring(self) -> None:
        proxy = self._before.proxy

        def look(_errand: object) -> tuple[bool, bool]:
            known = self._keyring.available
            kept = known and proxy.kind.is_manual and bool(proxy.username)
            return known, bool(kept and self._keyring.read(account(proxy, proxy.username)))

        self.errands.start(
            look, done=lambda found: self.proxy.know_keyring(available=found[0], kept=found[1]), failed=_drop
        )

    # What is set.

    @property
    def chosen(self) -> Preferences:
        """The preferences as they stand in the fields."""
        return replace(
            self._before,
            server=self.server.value.rstrip("/"),
            language=list(LANGUAGES)[self.languages.checkedId()].value,
            proxy=self.proxy.choice,
            debug_log=self.debug.is_ticked,
        )

    def _show_problems(self) -> bool:
        """Say under the fields what cannot be used, and show the first of them."""
        self.server.set_error("")
        if self.proxy.choice.problem:
            self.categories.setCurrentRow(PROXY)
            return self.proxy.show_problems()
        self.proxy.show_problems()
        if not self._usable(self.server.value):
            self.categories.setCurrentRow(SERVER)
            self.server.set_error(message_for("address-insecure").cause or message_for("address-insecure").text)
            return True
        return False

    @Slot()
    def _try(self) -> None:
        """Start the test of what stands in the fields, or end the one under way."""
        if self.test.errands.is_busy and self.test.bar.isVisible():
            self.test.interrupt()
            self._show_testing(busy=False)
        elif not self._show_problems():
            chosen = self.chosen
            typed = self.proxy.password.peek
            login = ProxyLogin(chosen.proxy.username, typed) if typed else None
            self.categories.setCurrentRow(CONNECTION)
            self.test.start(chosen, login)
            self._show_testing(busy=True)

    @Slot(bool)
    def _show_testing(self, busy: bool) -> None:  # noqa: FBT001 - a signal's argument
        words = tr("Interrompi la prova") if busy and self.test.bar.isVisible() else tr("Prova la connessione")
        self.test_button.setText(words)
        self.test_button.setAccessibleName(words)

    @Slot()
    def save(self) -> None:
        """Save when every field can be used; else show what cannot."""
        if not self.save_button.isEnabled() or self._show_problems():
            return
        chosen, password = self.chosen, self.proxy.take_password()
        self.save_button.setEnabled(False)
        self.errands.start(
            lambda _errand: self._keep(chosen, password),
            done=lambda kept: self._kept(chosen, kept=kept),
            failed=self._not_kept,
        )

    def _keep(self, chosen: Preferences, password: Secret) -> bool:
        """Write file and keyring, in the thread; False when a password was given and could not be kept."""
        self._store.save(chosen)
        proxy = chosen.proxy
        if not proxy.kind.is_manual or not proxy.username or proxy.kind is ProxyKind.SOCKS4:
            return True
        if proxy.ask_each_time:
            self._keyring.forget(account(proxy, proxy.username))
            return True
        return not password or self._keyring.write(account(proxy, proxy.username), password)

    def _kept(self, chosen: Preferences, *, kept: bool) -> None:
        self.save_button.setEnabled(True)
        self.saved.emit(chosen)
        if kept:
            self.accept()
            return
        text = tr("Il portachiavi di sistema non l'ha accettata: sarà chiesta quando il proxy la richiede.")
        self._say(Tone.WAIT, tr("Preferenze salvate, ma non la password."), text)

    def _not_kept(self, problem: ClientError) -> None:
        self.save_button.setEnabled(True)
        message = words_for(problem)
        self._say(Tone.DANGER, message.text, f"{message.cause} {message.advice}".strip(), problem.code)

    def _say(self, tone: Tone, title: str, text: str, code: str = "") -> None:
        self.notice.say(tone, title, text, code)
        self.notice.show()
        pieces.announce(self.notice, self.notice.text)

    @Slot()
    def _end(self) -> None:
        """Let the threads go; a test that hangs ends by itself."""
        self.test.end()
        self._worker.stop(0)


def _drop(_problem: ClientError) -> None:
    """A keyring that fails counts as one that keeps nothing."""
