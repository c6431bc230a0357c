"""Chord corpora from songs and written progressions, for the model of chord loops."""
