"""Corpora: MIDI files become token files that training reads."""
