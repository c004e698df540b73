"""`python -m config.demo.signing FORM`: sign a form of the alternative as the demo's customer would.

The signature is a qualified one as far as the demo's trusted lists go; nobody else trusts them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from config.demo.installation import ROOT
from config.demo.outside import LISTS, SIGNER_CERTIFICATE, SIGNER_KEY
from config.demo.trust_scheme import Identity, sign_pdf
from runtime.embedded.folder import default_folder


def sign(lists: Path, form: Path, *, at: datetime) -> Path:
    """Sign with the key that lies beside the trusted lists; return the signed file, which lies beside the form."""
    key = load_pem_private_key((lists / SIGNER_KEY).read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(SIGNER_KEY)
    signer, issuer = (
        Identity(key, each) for each in x509.load_pem_x509_certificates((lists / SIGNER_CERTIFICATE).read_bytes())
    )
    signed = form.with_name(f"{form.stem}-firmato.pdf")
    signed.write_bytes(sign_pdf(form.read_bytes(), signer, at=at, chain=[issuer]))
    return signed


def main(arguments: Sequence[str] | None = None) -> int:
    """Sign one file, and say where the signed one lies."""
    parser = argparse.ArgumentParser(prog="python -m config.demo.signing", description=__doc__)
    parser.add_argument("form", type=Path)
    form = parser.parse_args(arguments).form
    lists = default_folder(ROOT) / LISTS
    if not (lists / SIGNER_KEY).exists():
        sys.stderr.write("Nessuna installazione: avviare prima `make run`.\n")
        return 1
    sys.stdout.write(f"{sign(lists, form, at=datetime.now(UTC))}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
