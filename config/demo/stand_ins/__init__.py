"""What a demonstration has in place of a virus scanner and of the world's DNS: small servers on this machine.

They show how the product speaks to the real ones; they protect nobody.
"""
