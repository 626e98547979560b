"""Signing in, one's own account, people and what their roles may do."""
