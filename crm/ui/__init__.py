"""The signed-in person, shared widgets, the parts of pages, and the web server around them."""
