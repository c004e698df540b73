"""What the floors above need and that knows nothing of the product: clock, claims, nudge, limits, sealing, embedded services."""
