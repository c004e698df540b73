"""Beat and workers are dead, the web server lives: it opens the alarm and sends the mail by itself."""

from __future__ import annotations

from datetime import timedelta

from cms.models import User
from config import conditions, watch
from config.models import Alarm
from notifications.models import OutboxMessage
from runtime import clock
from runtime.embedded.mailsink import MailSink
from tests.flows.installation import Installation, eventually


def test_a_web_server_that_is_left_alone_tells_the_administrators(committed, tmp_path):
    now = clock.now()
    User.objects.create_user("ada@example.org", None, full_name="Ada", is_staff=True, is_administrator=True)
    watch.note_life(conditions.WATCH_SINCE, now=now - timedelta(hours=1))
    watch.note_life(conditions.WATCH, now=now - timedelta(seconds=40))
    for canary in (conditions.SCHEDULE, conditions.BEAT):
        watch.note_life(canary, now=now - timedelta(minutes=4))

    with (
        MailSink(tmp_path / "mailbox") as sink,
        Installation(tmp_path, SIGILLO_SMTP_HOST="127.0.0.1", SIGILLO_SMTP_PORT=str(sink.port)) as product,
    ):
        product.web()
        eventually(lambda: len(sink.messages()) == 2, seconds=60)

    assert set(Alarm.objects.values_list("kind", flat=True)) == {"beat-silent", "schedule-silent"}
    assert {mail["To"] for mail in sink.messages()} == {"ada@example.org"}
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {"sent"}
