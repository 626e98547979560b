"""Attendance: taken, confirmed, excused in advance, made up, and the figures of it."""
