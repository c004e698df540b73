"""The mail sink keeps what it accepts, privately and in order, and accepts nothing it has not kept."""

import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.embedded.mailsink import LARGEST_MESSAGE, MailSink, kept_messages
from runtime.embedded.sockets import free_port

LETTER = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: =?utf-8?q?perch=C3=A9?=\r\n\r\nciao\r\n"


def send(port: int, letter: bytes = LETTER, to: str = "b@example.org") -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail("a@example.org", [to], letter)


def test_a_message_is_kept_as_it_came_and_only_we_can_read_it(tmp_path: Path) -> None:
    with MailSink(tmp_path / "mails") as sink:
        send(sink.port)
    [path] = (tmp_path / "mails").iterdir()
    assert path.read_bytes() == LETTER
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "mails").stat().st_mode & 0o777 == 0o700
    assert sink.messages()[0]["subject"] == "perché"


def test_numbers_continue_after_a_restart(tmp_path: Path) -> None:
    for to in ("first@example.org", "second@example.org"):
        with MailSink(tmp_path) as sink:
            send(sink.port, to=to)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "00001-first@example.org.eml",
        "00002-second@example.org.eml",
    ]


def test_a_recipient_cannot_choose_where_the_message_lies(tmp_path: Path) -> None:
    with MailSink(tmp_path / "mails") as sink:
        send(sink.port, to='"../../x"@example.org')
    assert [path.parent for path in tmp_path.rglob("*.eml")] == [tmp_path / "mails"]


def test_a_stopped_sink_refuses_and_a_started_one_listens_where_it_did(tmp_path: Path) -> None:
    sink = MailSink(tmp_path).start()
    port = sink.port
    sink.stop()
    with pytest.raises(OSError, match="refused"):
        send(port)
    sink.start()
    send(port)
    sink.stop()
    assert len(sink.messages()) == 1


def test_a_message_that_is_too_large_is_refused_and_not_kept(tmp_path: Path) -> None:
    with MailSink(tmp_path) as sink, pytest.raises(smtplib.SMTPException):
        send(sink.port, LETTER + b"x" * LARGEST_MESSAGE)
    assert sink.messages() == []


def test_the_program_serves_until_it_is_asked_to_stop(tmp_path: Path, wait_for: Callable[..., None]) -> None:
    port = free_port(20025)
    command = [sys.executable, "-m", "runtime.embedded.mailsink", "--folder", str(tmp_path), "--port", str(port)]
    with subprocess.Popen(command) as program:

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_for(listens)
        send(port)
        program.terminate()
        assert program.wait(20) == 0
    assert len(kept_messages(tmp_path)) == 1
