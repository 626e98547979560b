"""Notices: told in the app, and sent on by the outbox."""
