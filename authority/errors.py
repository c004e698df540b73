"""Refusals of the CA that its gateway does not name yet."""

from pki.errors import GatewayUnavailable


class NoCeremony(GatewayUnavailable):
    """The CA was not founded yet: `manage.py ceremony` comes first."""

    code = "ca-not-founded"


class KeyUnusable(GatewayUnavailable):
    """A signing key does not open, does not fit its certificate, or made a signature that does not verify."""

    code = "ca-key-unusable"


class CrlDamaged(Exception):
    """A published list is not what was signed: its bytes, its number or its signature do not fit its row."""


class CrlSuperseded(Exception):
    """A file holds a newer list than the one that is published; it stays, and the next publication goes beyond it."""
