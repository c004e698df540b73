"""The operators' panel: site, entrance, choice of the service, pages of the register."""
