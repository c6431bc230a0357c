"""Faults that are done to a running radio, and what its listeners hear of them: `python -m bench.chaos`."""
