"""Measures of a whole mix, beside those of real lo-fi: loudness, spectrum, stereo, dynamics, rhythm, repetition."""
