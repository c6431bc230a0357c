"""Fixtures that set how many candidates a composer draws.

Those of a package must be imported by its conftest.py: pytest ends them with the session if a module imports them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest

from radio.compose import material, melody

_SHIPPED = material.CANDIDATES
_SHIPPED_LEADS = melody.CANDIDATES


@contextmanager
def fewer_candidates() -> Iterator[None]:
    """Draw two candidates within the block, which is much faster."""
    with mock.patch.object(material, "CANDIDATES", dict.fromkeys(_SHIPPED, 2)):
        yield


@pytest.fixture(scope="package", autouse=True)
def few_candidates() -> Iterator[None]:
    with fewer_candidates():
        yield


@pytest.fixture(scope="package", autouse=True)
def few_leads() -> Iterator[None]:
    with mock.patch.object(melody, "CANDIDATES", 3):
        yield


@pytest.fixture
def two_candidates() -> Iterator[None]:
    """Fewer candidates for one test, outside the packages whose tests all have them."""
    with fewer_candidates(), mock.patch.object(melody, "CANDIDATES", 3):
        yield


@pytest.fixture
def all_leads() -> Iterator[None]:
    with mock.patch.object(melody, "CANDIDATES", _SHIPPED_LEADS):
        yield


@pytest.fixture
def all_candidates(all_leads: None) -> Iterator[None]:
    """As many candidates as on air, for tests of the resulting music."""
    with mock.patch.object(material, "CANDIDATES", _SHIPPED):
        yield
