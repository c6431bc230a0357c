from __future__ import annotations

import sys
from functools import cache

import pytest

from tests.conftest import _place, pytest_collection_modifyitems


@pytest.fixture(scope="module")
def shared() -> None:
    """A stand-in for a slow fixture."""


@pytest.mark.usefixtures("shared")
def test_tests_that_share_a_fixture_of_a_module_run_in_one_process(request: pytest.FixtureRequest) -> None:
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("runs with -n and --dist loadgroup")
    assert request.node.nodeid.endswith("@tests/test_grouping.py"), "pytest-xdist reads groups from node ids"


def test_tests_of_a_module_with_a_cached_function_run_in_one_process(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    @cache
    def passage() -> None:
        """A stand-in for a slow function."""

    items = [request.node]
    for function, grouped in ((shared, False), (passage, True)):
        monkeypatch.setattr(sys.modules[__name__], "kept", function, raising=False)
        pytest_collection_modifyitems(request.config, items)
        assert bool(list(request.node.iter_markers("xdist_group"))) == grouped


def test_tests_that_wait_are_spread_over_the_run_except_for_its_end() -> None:
    places = [_place(f"tests/server/test_app.py::test_{number}") for number in range(100)]
    assert max(places) < 0.8
    assert min(places) < 0.1
    assert max(_place(f"tests/audio/test_noise.py::test_{number}") for number in range(100)) > 0.9
