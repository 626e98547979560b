"""The command line: thin commands over the services. `docs/command-line.md` has them all, held by a test."""
