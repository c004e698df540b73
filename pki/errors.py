"""What can go wrong with keys, requests, signatures and the certification authority, in a closed list of kinds."""


class PkiError(Exception):
    """A refusal of this package: `code` is stable (noun-reason), the text is for engineers, never for a screen."""

    code = "pki-error"

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        """Keep the text; `code` narrows the class's own code (for example `key-roca` under `WeakKey`)."""
        super().__init__(message or (code or self.code))
        if code is not None:
            self.code = code


class MalformedInput(PkiError):
    """Bytes that are not what they claim to be (DER, PEM, CSR, certificate, CMS, PDF), or larger than allowed."""

    code = "input-malformed"


class WeakKey(PkiError):
    """A public key that the key gate refuses; the code says why (`key-size`, `key-roca`, `key-fermat`, ...)."""

    code = "key-weak"


class BadSignature(PkiError):
    """A signature, proof of possession or signed document that does not verify."""

    code = "signature-invalid"


class LintFailed(PkiError):
    """The linter found something at WARNING or above; nothing was signed."""

    code = "lint-failed"


class GatewayError(PkiError):
    """A failure of the certification authority. The subclass decides what the caller does next."""

    code = "ca-failure"


class GatewayUnavailable(GatewayError):
    """The CA was not reached and has done nothing: retry later with the same request id."""

    code = "ca-unavailable"


class GatewayPending(GatewayError):
    """The CA accepted the request and will answer later: poll by request id."""

    code = "ca-pending"


class OutcomeUnknown(GatewayError):
    """The CA may or may not have acted (lost answer): look up, then adopt or resend with the same id."""

    code = "ca-outcome-unknown"


class GatewayConflict(GatewayError):
    """The certificate is already in another state (revoked, not held, ...): read the status and reconcile."""

    code = "ca-conflict"


class GatewayRefused(GatewayError):
    """The CA's policy refuses this request for good: a person must look."""

    code = "ca-refused"


class GatewayNotAllowed(GatewayError):
    """We are not allowed to ask this (credentials, role): alarm."""

    code = "ca-not-allowed"
