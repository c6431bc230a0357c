"""Stages that arrange pop piano as lo-fi keyboards; each is a pure function of a piece and a random generator."""
