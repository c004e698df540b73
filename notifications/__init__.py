"""Outbox of the mails: posted with the fact that causes them, sent after its commit, never twice under one key."""
