"""`python -m radio` is the command `radio`."""

import sys

from radio.cli.main import main

sys.exit(main())
