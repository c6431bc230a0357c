"""A fixture for tests that do not depend on the choice among candidates."""

from tests.candidates import two_candidates

__all__ = ["two_candidates"]
