from __future__ import annotations

import pytest

from radio.stream.relay.relay import Relay
from tests.stream.audience import Clock, FakeStation


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def station(clock: Clock) -> FakeStation:
    return FakeStation(clock)


@pytest.fixture
def relay(station: FakeStation) -> Relay:
    return station.relay
