"""Composers of tests choose among fewer candidates: invariants do not depend on it, and composing takes half."""

from tests.candidates import all_candidates, few_candidates

__all__ = ["all_candidates", "few_candidates"]
