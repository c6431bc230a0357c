"""Listening to a file: its beats, key, chords, passage and drums, as a prime for a station."""
