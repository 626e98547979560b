"""Customers by a part of their name, for the search boxes of tables."""

from crm.store.name_pairs import containing

__all__ = ["containing"]
