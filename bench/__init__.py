"""Benchmarks of the radio's parts: `make bench`."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported, as in `radio.cli.main`
