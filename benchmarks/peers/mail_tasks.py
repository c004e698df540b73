"""The usual way to send many mails: Celery with Redis, one task a mail. Here the task sends nothing, in its favour."""

from __future__ import annotations

import os

from celery import Celery

QUEUE = "mails"
app = Celery("mail_tasks", broker=os.environ.get("BENCH_BROKER", ""))
app.conf.update(task_ignore_result=True, task_default_queue=QUEUE, worker_hijack_root_logger=False)


@app.task(name="mail_tasks.send")
def send(message_id: str) -> None:
    """Take one mail's id."""
