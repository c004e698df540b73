"""Management of the register."""
