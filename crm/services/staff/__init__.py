"""Departments, employees, what each consultant is given, and what happens when somebody leaves."""
