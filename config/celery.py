"""The Celery app. Redis is disposable: a message is a poke, everything due lies in PostgreSQL."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import setup_logging

from config.logs import configure_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("sigillo")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()


@setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Stop Celery from putting its own handlers over ours."""
    configure_logging()
