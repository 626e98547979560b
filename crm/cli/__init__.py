"""The command line: thin commands over the services. DESIGN's list of them is tested against `docs/command-line.md`."""
