"""From pop piano to a lo-fi keyboard part: named stages, each a pure function of a piece and a generator."""
