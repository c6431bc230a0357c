"""Figures of music, each with its formula and where it comes from, and how far two sets of music differ in them."""
