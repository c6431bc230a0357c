"""Preparation of drum performances: places on the grid, variations and weights."""
