"""Management of renewals."""
