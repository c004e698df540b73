"""Pages of S/MIME at the operators' panel."""
