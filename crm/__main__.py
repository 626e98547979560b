"""`python -m crm`: the command line."""

import sys

from crm.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
