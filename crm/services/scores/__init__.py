"""Homework and scores: handed in, scored, read by the student, and over a whole class."""
