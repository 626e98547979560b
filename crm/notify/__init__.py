"""Notices on their way out of the app: the outbox, what a message says, and the gateways that carry it."""
