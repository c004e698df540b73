"""`sigillo-idp`: stands in for the identification provider on one machine, for demonstrations and tests.

It speaks the provider's HTTP protocol (token, redirect, status, data, files, delete, signed webhooks, sent again where
they were not taken) and can misbehave as providers do. Whoever opens a session's page chooses how it ends: nobody is
identified here.
"""
