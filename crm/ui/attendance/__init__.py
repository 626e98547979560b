"""Taking attendance, apologies, make-ups, and how attendance is drawn."""
