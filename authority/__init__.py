"""The embedded certification authority: keys, its own ledger and journal, CRL and OCSP; one adapter of the port."""
