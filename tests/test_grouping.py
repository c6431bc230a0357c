from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def shared() -> None:
    """Stands for a fixture that takes long to set up."""


@pytest.mark.usefixtures("shared")
def test_tests_that_share_a_fixture_of_a_module_run_in_one_process(request: pytest.FixtureRequest) -> None:
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("runs with -n and --dist loadgroup")
    assert request.node.nodeid.endswith("@tests/test_grouping.py"), "pytest-xdist reads groups from node ids"
