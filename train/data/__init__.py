"""Corpora: data sets read as pieces, arranged, and stored as tokens."""
