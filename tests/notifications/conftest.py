"""A mail server that does as it is told."""

import asyncio
import logging

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class ScriptedHandler:
    """Answers RCPT and DATA as scripted, then with acceptance; remembers what it accepted and on which connection."""

    def __init__(self):
        self.rcpt, self.data, self.accepted, self.peers = [], [], [], set()

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd calls it so
        self.peers.add(session.peer)
        envelope.mail_from = address
        return "250 ok"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd calls it so
        if self.rcpt:
            answer = self.rcpt.pop(0)
            if answer == "hang":
                await asyncio.sleep(30)
            if answer:
                return answer
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd calls it so
        answer = self.data.pop(0) if self.data else None
        if answer == "hang":
            await asyncio.sleep(30)
        if answer == "keep, then cut":
            self.accepted.append(envelope.content)
            server.transport.abort()
            return "250 lost"
        if answer:
            return answer
        self.accepted.append(envelope.content)
        return "250 kept"


@pytest.fixture(autouse=True)
def _quiet_server():
    """The server stands for a foreign one: what it logs is not ours."""
    log = logging.getLogger("mail.log")
    before, log.level = log.level, logging.CRITICAL
    yield
    log.level = before


@pytest.fixture
def server(settings):
    handler = ScriptedHandler()

    class AnyPort(Controller):
        def factory(self):
            return SMTP(handler)

        def _trigger_server(self):
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    controller = AnyPort(handler, hostname="127.0.0.1", port=0)
    controller.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    yield handler
    controller.stop()


@pytest.fixture
def impatient(settings):
    """Waits of one second, so that a hanging server costs the test no more."""
    settings.NOTIFICATIONS = settings.NOTIFICATIONS.model_copy(update={"reply_seconds": 1})
