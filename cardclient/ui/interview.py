"""Gives each question of the flow its page, or its pages: an extension's texts come one by one, wrong data aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, singledispatchmethod

from cardclient.contract import Case, Text, TextKind
from cardclient.ports import Notice
from cardclient.ui import questions
from cardclient.ui.page import Page
from cardclient.ui.pages.acceptance import ContractsPage, EncryptionPage, PrivacyPage, TermsPage
from cardclient.ui.pages.codes import CodePage, LastTryPage, UnblockPage
from cardclient.ui.pages.holder import ConfirmationPage, ContactsPage, DataWrongPage, DiagnosisPage
from cardclient.ui.pages.start import EXTEND, Wish
from cardclient.ui.questions import Question
from cardclient.ui.window import Window

Answer = Callable[[object], None]


class Interview:
    """The pages of one run; `answer` takes each question's answer, None when the holder goes back."""

    def __init__(self, window: Window, wish: Wish | None, answer: Answer) -> None:
        """Speak of this wish; None when a removal is finished."""
        self._window, self._wish, self._answer = window, wish, answer
        self.notices: list[Notice] = []  # said since the last code was asked
        self.case: Case | None = None  # as the office last showed it

    @singledispatchmethod
    def ask(self, question: Question) -> None:
        """Show the page of a question; a kind without a page is an error of ours."""
        raise TypeError(type(question).__name__)

    def _show(self, page: Page, answer: Answer | None = None) -> None:
        page.answered.connect(answer or self._answer)
        self._window.show_page(page)

    @ask.register
    def _(self, question: questions.AskSecret) -> None:
        notices, self.notices = self.notices, []
        view = self._wish.scanned.view if self._wish else None
        self._show(CodePage(question.kind, question.problem, notices, view))

    @ask.register
    def _(self, question: questions.ConfirmLastTry) -> None:
        self._show(LastTryPage(question.kind))

    @ask.register
    def _(self, _question: questions.WantsUnblock) -> None:
        self._show(UnblockPage())

    @ask.register
    def _(self, question: questions.WarnEncryption) -> None:
        purchase = self._wish.scanned.answer.purchase_url if self._wish else None
        self._show(EncryptionPage(question.text, purchase or ""))

    @ask.register
    def _(self, question: questions.AcceptTexts) -> None:
        if self._wish is None or self._wish.offer.flow != EXTEND:
            self._show(ContractsPage(question.texts))
            return
        self._next_text(sorted(question.texts, key=lambda each: each.kind is TextKind.PRIVACY), agreed=True)

    def _next_text(self, left: Sequence[Text], agreed: object) -> None:
        """Show an extension's texts one page each, the privacy notice last."""
        if agreed is None or not left:
            self._answer(agreed)
            return
        text, *others = left
        page = PrivacyPage(text) if text.kind is TextKind.PRIVACY else TermsPage(text)
        self._show(page, partial(self._next_text, others))

    @ask.register
    def _(self, question: questions.ShowDiagnosis) -> None:
        self.case = question.case
        self._show(DiagnosisPage(question.case))

    @ask.register
    def _(self, question: questions.AskContacts) -> None:
        self.case = question.case
        page = ContactsPage(question.case, question.current, question.problem)
        page.data_wrong.connect(partial(self._ask_what_is_wrong, question))
        self._show(page)

    def _ask_what_is_wrong(self, question: questions.AskContacts) -> None:
        self._show(DataWrongPage(question.case), partial(self._told_what_is_wrong, question))

    def _told_what_is_wrong(self, question: questions.AskContacts, value: object) -> None:
        if value is None:
            self.ask(question)
        else:
            self._answer(value)

    @ask.register
    def _(self, question: questions.AskConfirmationCode) -> None:
        self._show(ConfirmationPage(question.email, question.problem))

    @ask.register
    def _(self, question: questions.SignForm) -> None:
        from cardclient.ui.pages.form import FormPage  # noqa: PLC0415 - the renderer's library loads when it is needed

        self.case = question.case
        self._show(FormPage(question.pdf, f"{question.case.code}.pdf"))
