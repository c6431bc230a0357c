"""Fuzzing of all readers of external bytes: `python -m tests.fuzz`."""
