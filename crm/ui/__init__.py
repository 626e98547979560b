"""The signed-in person, shared widgets, charts, and the web server around the pages."""
