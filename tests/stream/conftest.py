from __future__ import annotations

import pytest

from radio.stream.relay.relay import Relay
from tests.stream.audience import Clock, Station


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def station(clock: Clock) -> Station:
    return Station(clock)


@pytest.fixture
def relay(station: Station) -> Relay:
    return station.relay
