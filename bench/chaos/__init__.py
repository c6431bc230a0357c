"""Fault injection into a running radio, and the silence that its listeners hear: `python -m bench.chaos`."""
