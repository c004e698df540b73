"""pkilint as its authors ship it, its command line tools, beside the linter of our own that stands before the signature."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from pkilint.bin import lint_crl, lint_etsi_cert, lint_ocsp_response, lint_pkix_cert

from pki import lint
from pki.gateway import Profile

FROM_WARNING = ("--severity", "WARNING")


class Linter:
    """Collects what any tool finds, with the tool's name, so that one look shows all; `seen` counts the documents."""

    def __init__(self, folder: Path) -> None:
        """Nothing found yet."""
        folder.mkdir(parents=True, exist_ok=True)
        self.file, self.seen = folder / "document.der", 0
        self.found: list[tuple[str, str]] = []

    def authority(self, der: bytes) -> None:
        """A root, issuing CA or OCSP signer."""
        self._look(der, lint.findings_in_authority(der), (lint_pkix_cert.main, ()))

    def holders(self, der: bytes, profile: Profile) -> None:
        """A holder's certificate; the qualified one also as ETSI EN 319 412 has it."""
        tools: list[_Tool] = [(lint_pkix_cert.main, ())]
        if profile is Profile.QUALIFIED_SIGNATURE:
            tools += [(lint_etsi_cert.main, ("--type", "QCP-N-QSCD-EIDAS-FINAL-CERTIFICATE"))]
        self._look(der, lint.findings_in_certificate(der, profile), *tools)

    def crl(self, der: bytes) -> None:
        """A CRL, in the PKIX profile."""
        self._look(der, lint.findings_in_crl(der), (lint_crl.main, ("--type", "CRL", "--profile", "PKIX")))

    def ocsp(self, der: bytes) -> None:
        """An OCSP response."""
        self._look(der, lint.findings_in_ocsp(der), (lint_ocsp_response.main, ()))

    def _look(self, der: bytes, ours: Sequence[object], *tools: _Tool) -> None:
        self.seen += 1
        self.found += [("pki.lint", str(finding)) for finding in ours]
        self.file.write_bytes(der)
        for main, options in tools:
            said = io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)  # the tools leave their file to the end of the process
                status = main(["lint", *options, *FROM_WARNING, str(self.file)])
            if status:
                self.found.append((main.__module__.rpartition(".")[2], said.getvalue()))


_Tool = tuple[Callable[[list[str]], int], tuple[str, ...]]
