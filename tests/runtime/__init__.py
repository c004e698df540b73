"""The ground floor: clock, claims, nudge, limits, sealing."""
