"""Spreadsheets: the columns that can be imported, the template, reading, checking and the report of errors."""
