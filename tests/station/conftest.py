"""Stations of tests choose among fewer candidates: invariants do not depend on it, and composing takes half."""

from tests.candidates import all_candidates, all_leads, few_candidates, few_leads

__all__ = ["all_candidates", "all_leads", "few_candidates", "few_leads"]
