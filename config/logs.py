"""Logging: one JSON object a line on standard error, with secrets scrubbed whatever the caller passed."""

from __future__ import annotations

import logging
import logging.config
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from runtime.scrubbing import HIDDEN, scrub_text

SECRET_NAMES = re.compile(
    r"pass(word|phrase|wd)?$|^pin$|^puk$|_pin$|_puk$|secret|token|user_code|confirmation_code|authori[sz]ation$"
    r"|cookie|session_?key|private_key|sealing|api_?key|credential",
    re.IGNORECASE,
)


def scrub(value: Any) -> Any:
    """Take secrets out of a value of any shape; keys that name a secret lose their value."""
    if isinstance(value, Mapping):
        return {key: HIDDEN if SECRET_NAMES.search(str(key)) else scrub(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [scrub(item) for item in value]
    if isinstance(value, str):
        return scrub_text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return scrub_text(str(value))


def scrub_event(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor of structlog: scrub the whole event."""
    return {key: HIDDEN if SECRET_NAMES.search(key) else scrub(value) for key, value in event.items()}


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is now, not to what it was when logging was configured."""

    def __init__(self) -> None:
        """Skip the parent's choice of a stream."""
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override] # the standard library's own last-resort handler does the same
        """Return the present standard error."""
        return sys.stderr


SHARED_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": SHARED_PROCESSORS,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                scrub_event,
                structlog.processors.JSONRenderer(),
            ],
        },
    },
    "handlers": {"stderr": {"()": StandardError, "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": [], "propagate": True},
        # One line a request is the web server's work; Django repeats only refusals.
        "django.request": {"level": "ERROR"},
        # At DEBUG these write whole contexts, parameters and letters, secrets included: never, whatever root is set to.
        "django.template": {"level": "INFO"},
        "django.db.backends": {"level": "INFO"},
        "mail.log": {"level": "INFO"},
    },
}


def configure_logging() -> None:
    """Route both structlog and the standard library through the one JSON formatter. Callable more than once."""
    logging.config.dictConfig(LOGGING)
    structlog.configure(
        processors=[*SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
