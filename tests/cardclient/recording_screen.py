"""A screen for tests: answers from lists, remembers what it was shown, and may do something at a phase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cardclient.ports import Phase, SecretKind
from cardclient.secret import Secret


class RecordingScreen:
    def __init__(self, **secrets: list[str] | str) -> None:
        self.secrets = {
            SecretKind(name.replace("_", "-")): list([codes] if isinstance(codes, str) else codes)
            for name, codes in secrets.items()
        }
        self.phases: list[Phase] = []
        self.notices: list[str] = []
        self.problems: list[tuple[SecretKind, str | None]] = []
        self.at: dict[Phase, Callable[[], None]] = {}
        self.choice: int | None = None
        self.last_try, self.unblocks, self.accepts, self.signs = False, False, True, True
        self.goes_on, self.accepts_warning = True, True
        self.contacts: list = [{}]
        self.codes = ["123456"]
        self.shown_pdf = b""
        self.shown_texts: list[str] = []
        self.order: list[str] = []

    def phase(self, phase):
        self.phases.append(phase)
        if phase in self.at:
            self.at.pop(phase)()

    def say(self, notice):
        self.notices.append(notice.key)
        self.order.append(f"say {notice.key}")

    def choose(self, choices):
        self.choices = choices
        return self.choice

    def ask_secret(self, kind, problem):
        self.problems.append((kind, problem))
        self.order.append(f"ask {kind}")
        codes = self.secrets.get(kind, [])
        return Secret(codes.pop(0)) if codes else None

    def confirm_last_try(self, kind):
        self.order.append(f"last-try {kind}")
        return self.last_try

    def wants_unblock(self):
        return self.unblocks

    def show_diagnosis(self, case):
        self.order.append("show diagnosis")
        return self.goes_on

    def ask_contacts(self, case, current, problem):
        self.order.append("ask contacts")
        self.contact_problem, self.proposed = problem, current
        answer = self.contacts.pop(0) if self.contacts else None
        return replace(current, **answer) if isinstance(answer, dict) else answer

    def ask_confirmation_code(self, email, problem):
        self.order.append(f"ask code of {email}")
        return self.codes.pop(0) if self.codes else None

    def warn_encryption(self, text):
        self.order.append(f"warn {text.kind}")
        self.shown_texts.append(text.kind)
        return self.accepts_warning

    def accept_texts(self, texts):
        self.order.append("accept " + " ".join(each.kind for each in texts))
        self.shown_texts += [each.kind for each in texts]
        return self.accepts

    def writing(self, active):
        self.order.append(f"writing {active}")

    def sign_form(self, pdf, case):
        self.shown_pdf = pdf
        return self.signs
