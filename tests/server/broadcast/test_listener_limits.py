from __future__ import annotations

import pytest

from radio.server.broadcast.listener_limits import Limits
from radio.server.http.problems import ProblemError
from tests.server.on_air import on_air


async def test_addresses_of_one_network_share_their_limit() -> None:
    limits = Limits(per_address=1)
    async with on_air() as radio:
        leave = limits.admit(radio.tone, "2001:db8:1:2::1")
        with pytest.raises(ProblemError, match="1 streams"):
            limits.admit(radio.tone, "2001:db8:1:2::2")
        assert limits.admit(radio.tone, "2001:db8:1:3::1") is not None
        assert leave is not None
        leave()
        assert limits.admit(radio.tone, "2001:db8:1:2::2") is not None
