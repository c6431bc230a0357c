"""A fixture for tests in which the choice among candidates does not matter."""

from tests.candidates import two_candidates

__all__ = ["two_candidates"]
