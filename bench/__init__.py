"""How fast each part of the radio is on this machine: `make bench`."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does, before numpy is imported
