"""How the client becomes a folder and an installer; of this folder only the two entries travel in the bundle."""
