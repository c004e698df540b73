"""What is plugged into this computer: readers through PC/SC, card families by ATR, drivers, and the cards they read."""
