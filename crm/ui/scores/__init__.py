"""Homework, scores, what becomes of them, and the student's own page."""
