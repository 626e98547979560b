"""Sharing customers out among consultants, in proportion and never above a cap."""
