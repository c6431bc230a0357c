"""Metrics of music, each with its formula and source, and comparisons of two sets of music by them."""
