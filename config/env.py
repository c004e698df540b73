"""The environment of the process: the one place that reads it, checked as a whole, frozen afterwards."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SHORTEST_SECRET = 32
SEALING_KEY_BYTES = 32
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

Group = TypeVar("Group", bound=BaseSettings)
CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class Environment(BaseSettings):
    """What the installation says through `SIGILLO_*` variables. Nothing secret has a default."""

    model_config = SettingsConfigDict(env_prefix="SIGILLO_", frozen=True, extra="ignore", hide_input_in_errors=True)

    secret_key: SecretStr
    sealing_keys: SecretStr
    base_url: str
    allowed_hosts: CommaSeparated = ()
    trusts_proxy: bool = False
    debug: bool = False
    static_root: str = "static-root"
    heartbeat_folder: str = ""
    metrics_token: SecretStr = SecretStr("")
    crl_folder: str = ""

    db_host: str
    db_port: int = 5432
    db_user: str
    db_password: SecretStr = SecretStr("")
    db_name: str = "sigillo"
    db_role: str = "sigillo_app"

    redis_url: SecretStr

    smtp_host: str = "localhost"
    smtp_port: int = 25
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool = False
    from_email: str

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("secret_key")
    @classmethod
    def _secret_is_long(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < SHORTEST_SECRET:
            msg = f"must be at least {SHORTEST_SECRET} characters of randomness"
            raise ValueError(msg)
        return value

    @field_validator("metrics_token")
    @classmethod
    def _token_is_long_or_none(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < SHORTEST_SECRET:
            msg = f"must be at least {SHORTEST_SECRET} characters of randomness, or empty for no metrics"
            raise ValueError(msg)
        return value

    @field_validator("base_url")
    @classmethod
    def _base_url_is_an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
            msg = "must be scheme://host[:port], without path"
            raise ValueError(msg)
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("redis_url")
    @classmethod
    def _redis_is_reachable_by_name(cls, value: SecretStr) -> SecretStr:
        if urlsplit(value.get_secret_value()).scheme not in {"redis", "rediss", "unix"}:
            msg = "must start with redis://, rediss:// or unix://"
            raise ValueError(msg)
        return value

    @field_validator("sealing_keys")
    @classmethod
    def _keys_have_their_size(cls, value: SecretStr) -> SecretStr:
        if not _decode_keys(value):
            msg = "must name at least one key"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Environment:
        if not self.is_local and not self.is_https:
            msg = "SIGILLO_BASE_URL must be https: plain http is for localhost only"
            raise ValueError(msg)
        if self.debug and not self.is_local:
            msg = "SIGILLO_DEBUG is refused unless SIGILLO_BASE_URL is on localhost"
            raise ValueError(msg)
        if "*" in self.allowed_hosts:
            msg = "SIGILLO_ALLOWED_HOSTS must name the hosts: links in mails are built from them"
            raise ValueError(msg)
        if self.secret_key.get_secret_value() in self.sealing_keys.get_secret_value():
            msg = "SIGILLO_SECRET_KEY and SIGILLO_SEALING_KEYS must be different secrets"
            raise ValueError(msg)
        if self.smtp_user and not (self.smtp_starttls or self.smtp_host in LOCAL_HOSTS):
            msg = "SIGILLO_SMTP_STARTTLS is needed where a mail password travels over the network"
            raise ValueError(msg)
        return self

    @property
    def host(self) -> str:
        """Host name of the base URL, without port."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def is_https(self) -> bool:
        """Whether users reach us over TLS."""
        return self.base_url.startswith("https://")

    @property
    def is_local(self) -> bool:
        """Whether the base URL is this machine only (demo, tests)."""
        return self.host in LOCAL_HOSTS

    @property
    def hosts(self) -> list[str]:
        """Host names that requests may carry: those named, and the base URL's own."""
        return sorted({self.host, *self.allowed_hosts})

    @property
    def sealing_key_ring(self) -> tuple[bytes, ...]:
        """Keys of `runtime.sealing`: the first seals, all open."""
        return _decode_keys(self.sealing_keys)

    @property
    def broker_url(self) -> str:
        """Redis address as kombu spells it: a unix socket is `redis+socket://` there, not `unix://`."""
        url = self.redis_url.get_secret_value()
        parts = urlsplit(url)
        if parts.scheme != "unix":
            return url
        database = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair).get("db", "0")
        return f"redis+socket://{parts.path}?virtual_host={database}"


def built(kind: type[Group]) -> Group:
    """Build one group of settings; raises ImproperlyConfigured with one line per variable, and no value in it."""
    try:
        return kind()
    except ValidationError as refusal:
        prefix = kind.model_config.get("env_prefix", "")
        lines = [_line(prefix, error["loc"], error["msg"]) for error in refusal.errors(include_input=False)]
        raise ImproperlyConfigured("\n".join(["The environment is not sound:", *lines])) from None


def _line(prefix: str, location: tuple[int | str, ...], message: str) -> str:
    name = f"{prefix}{location[0]}: ".upper() if location else ""
    return f"  {name}{message.removeprefix('Value error, ')}"


def _decode_keys(value: SecretStr) -> tuple[bytes, ...]:
    texts = [part.strip() for part in value.get_secret_value().split(",") if part.strip()]
    try:
        keys = tuple(base64.b64decode(text, validate=True) for text in texts)
    except (binascii.Error, ValueError):
        msg = "must be base64"
        raise ValueError(msg) from None
    if any(len(key) != SEALING_KEY_BYTES for key in keys):
        msg = f"each key must be {SEALING_KEY_BYTES} bytes in base64"
        raise ValueError(msg)
    return keys
