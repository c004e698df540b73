"""What all floors need and that knows nothing of the product: clock, claims, nudge, limits, sealing, services."""
