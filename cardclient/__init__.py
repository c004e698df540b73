"""The program beside the card reader: it renews a smart card through the enrollment API.

A distribution of its own: it knows the published API, nothing of the server. PIN, PUK and private keys never leave it.
"""

__version__ = "0.1.0"
