from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from radio.server.http.allowance import Allowance
from radio.server.http.client_address import client_address, network


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0.1, 20)), max_size=40))
def test_a_client_that_waits_as_asked_spends_no_more_than_its_allowance(steps: list[tuple[float, float]]) -> None:
    clock = Clock()
    allowance = Allowance(10, 60, clock)
    spent = 0.0
    for pause, cost in steps:
        clock.now += pause
        wait = allowance.wait("192.0.2.1", cost)
        clock.now += wait
        assert allowance.wait("192.0.2.1", cost) == pytest.approx(0, abs=1e-6)
        allowance.spend("192.0.2.1", cost)
        spent += min(cost, 10)
        assert spent <= 10 + (clock.now - 100) * 10 / 60 + 1e-6


def test_clients_do_not_share_an_allowance_and_the_memory_is_bounded() -> None:
    allowance = Allowance(1, 60, Clock())
    for number in range(10_000):
        address = f"10.0.{number // 256}.{number % 256}"
        assert allowance.wait(address, 1) == 0
        allowance.spend(address, 1)
        assert allowance.wait(address, 1) == 60
    assert len(allowance._spent) == 4_096


def test_the_client_whose_last_spending_is_the_oldest_is_forgotten_first() -> None:
    allowance = Allowance(3, 60, Clock())
    allowance.spend("192.0.2.1", 1)
    allowance.spend("192.0.2.2", 1)
    for number in range(5_000):
        if number == 2_000:
            allowance.spend("192.0.2.1", 1)
        allowance.spend(f"10.0.{number // 256}.{number % 256}", 1)
    assert [allowance.wait(address, 3) for address in ("192.0.2.1", "192.0.2.2")] == [40, 0]


def test_addresses_of_one_network_count_as_one_client() -> None:
    assert network("2001:db8:1:2:aaaa::1") == network("2001:db8:1:2::5") != network("2001:db8:1:3::5")
    assert network("::ffff:192.0.2.7") == network("192.0.2.7") != network("192.0.2.8")
    assert network("") == ""


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        (None, "203.0.113.9", ""),
    ],
)
def test_only_a_proxy_on_this_machine_names_the_client(peer: str | None, forwarded: str | None, client: str) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=peer)
    assert client_address(request) == client
