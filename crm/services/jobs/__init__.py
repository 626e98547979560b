"""Runs of jobs: when each is due, who takes it, and what became of it."""
