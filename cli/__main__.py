"""`.venv/bin/pointbook <command> ...`, or `.venv/bin/python -m cli <command> ...`."""

import sys

from cli.app import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
