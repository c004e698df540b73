"""The register behind the operators' panel: centres, holders, cards, certificates, stock, events, CA requests."""
