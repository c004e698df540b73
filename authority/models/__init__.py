"""Tables of the CA: authorities and their keys, the ledger of certificates, the journal, the CRLs."""

from authority.models.authorities import CertificationAuthority, OcspSigner, SigningKey
from authority.models.crls import PART_BITS, Crl, CrlPart, UnpublishedChange
from authority.models.ledger import IssuedDer, JournalEntry, LedgerEntry

__all__ = [
    "PART_BITS",
    "CertificationAuthority",
    "Crl",
    "CrlPart",
    "IssuedDer",
    "JournalEntry",
    "LedgerEntry",
    "OcspSigner",
    "SigningKey",
    "UnpublishedChange",
]
