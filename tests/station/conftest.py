"""Stations in tests choose among fewer candidates. No invariant depends on it, and composing takes half the time."""

from tests.candidates import all_candidates, all_leads, few_candidates, few_leads

__all__ = ["all_candidates", "all_leads", "few_candidates", "few_leads"]
