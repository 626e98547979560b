"""Thanos CRM: the internal tool of a training school."""

__version__ = "0.1.0"
