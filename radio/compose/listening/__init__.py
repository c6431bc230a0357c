"""Analysis of a file: its beats, key, chords, passages and drums, as a prime for a station."""
