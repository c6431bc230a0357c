"""Chords a bar: from songs and written progressions to a small model of loops."""
