"""The server around the pages: processes, routes, headers, who is asked at the door."""
