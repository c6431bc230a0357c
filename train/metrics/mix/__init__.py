"""Measures of a whole mix, with those of real lo-fi: loudness, spectrum, stereo, dynamics, rhythm, repetition."""
