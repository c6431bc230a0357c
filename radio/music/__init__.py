"""Tokens, events, time and chords: pure functions on integers, shared by the radio and the training code."""
