"""Messaggi › Anteprime: every message with example data, bare in a frame that can do nothing."""

from __future__ import annotations

import pytest

from notifications.catalog import Message
from notifications.samples import SECRETS
from renewals.admin.previews import AUDIENCES, FRAME_POLICY

PAGE = "/pannello/messaggi/anteprime/"


def test_every_message_is_listed_once_under_who_gets_it(desk):
    page = desk.get(PAGE).content.decode()

    assert sorted(message for kinds in AUDIENCES.values() for message in kinds) == sorted(Message)
    for message in Message:
        assert page.count(f'href="{PAGE}{message}/"') == 1


@pytest.mark.parametrize("message", Message)
def test_a_preview_shows_subject_frame_and_text(desk, message):
    page = desk.get(f"{PAGE}{message}/").content.decode()
    mail = desk.get(f"{PAGE}{message}/messaggio/")

    assert f'src="{PAGE}{message}/messaggio/?lingua=it"' in page
    assert "sandbox" in page
    assert "----------" in page
    assert "<table" in mail.content.decode()


def test_the_bare_mail_may_style_itself_and_do_nothing_else(desk):
    mail = desk.get(f"{PAGE}suspended/messaggio/")

    assert mail["Content-Security-Policy"] == FRAME_POLICY
    assert mail["X-Frame-Options"] == "SAMEORIGIN"


def test_language_and_width_are_switched_by_links(desk):
    page = desk.get(f"{PAGE}suspended/?lingua=en&larghezza=360").content.decode()

    assert 'lang="en"' in page
    assert "mail-frame narrow" in page
    assert "lingua=it&amp;larghezza=360" in page
    assert 'lang="en"' in desk.get(f"{PAGE}suspended/messaggio/?lingua=en").content.decode()


def test_what_nobody_offers_falls_back_to_the_first_choice(desk):
    page = desk.get(f"{PAGE}suspended/?lingua=xx&larghezza=1").content.decode()

    assert "messaggio/?lingua=it" in page
    assert "narrow" not in page


def test_an_unknown_message_is_not_found(desk):
    assert desk.get(f"{PAGE}altro/").status_code == 404
    assert desk.get(f"{PAGE}altro/messaggio/").status_code == 404


def test_a_message_with_a_deadline_shows_its_calendar_entry(desk):
    assert "BEGIN:VEVENT" in desk.get(f"{PAGE}suspension-warning/").content.decode()
    assert "BEGIN:VEVENT" not in desk.get(f"{PAGE}contact-changed/").content.decode()


def test_the_secrets_of_previews_are_examples(desk):
    assert SECRETS["user_code"] in desk.get(f"{PAGE}user-code/").content.decode()
