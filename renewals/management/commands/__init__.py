"""Commands of renewals."""
