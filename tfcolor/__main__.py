"""`python -m tfcolor`: the command `tfcolor`, where it is not on the path."""

import sys

from tfcolor.cli import main

if __name__ == "__main__":
    sys.exit(main.run())
