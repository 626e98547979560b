"""The jobs process: the schedule, the loop that keeps it, and thin bodies that call services."""
