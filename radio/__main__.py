"""`python -m radio` is the command `radio`."""

import sys

from radio.cli import main

sys.exit(main())
