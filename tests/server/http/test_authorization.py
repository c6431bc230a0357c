from __future__ import annotations

import pytest

from radio.server.http.authorization import Authorization
from tests.server.on_air import OnAir, on_air

JSON = {"Content-Type": "application/json"}


async def turned(radio: OnAir, **headers: str) -> tuple[int, str]:
    """Status and code of a change with these headers."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    address = f"{radio.root}/api/stations/tone/controls"
    async with radio.http.patch(address, data='{"tempo": 70}', headers=JSON | names) as response:
        answer = await response.json()
        return response.status, answer.get("error", {}).get("code", "")


async def test_a_page_of_another_site_turns_nothing() -> None:
    async with on_air() as radio:
        here = f"{radio.host}:{radio.port}"
        for foreign in (
            "https://evil.example",
            "null",
            f"http://{radio.host}:1",
            "http://[",
            "http://localhost.evil:80",
        ):
            assert await turned(radio, Origin=foreign) == (403, "foreign_page")
        for site in ("cross-site", "same-site", "nonsense"):
            assert await turned(radio, Sec_Fetch_Site=site, Origin=f"http://{here}") == (403, "foreign_page")
        assert radio.tone.controls.tempo == 80
        assert (await turned(radio, Origin=f"http://{here}"))[0] == 200
        assert (await turned(radio, Sec_Fetch_Site="same-origin", Origin="https://radio.home"))[0] == 200
        assert (await turned(radio))[0] == 200


async def test_another_sites_form_starts_nothing() -> None:
    async with on_air() as radio:
        for path in ("/api/stations/tone/skip", "/api/stations/tone/controls", "/healthz"):
            async with radio.http.post(radio.root + path, headers={"Origin": "https://evil.example"}) as response:
                assert response.status == 403


async def test_a_name_that_points_here_is_not_ours() -> None:
    """DNS rebinding: the page and the radio have one origin, evil.example, which is 127.0.0.1 by now."""
    async with on_air(authorization=Authorization(control=True, token=None, hosts=("radio.home",))) as radio:
        evil = {"Host": "evil.example:8000", "Origin": "http://evil.example:8000", "Sec_Fetch_Site": "same-origin"}
        assert await turned(radio, **evil) == (403, "foreign_host")
        for host in ("127.0.0.1.evil.example", "localhost.", "[::2]:80", "evil.example@localhost.evil", "0"):
            assert await turned(radio, Host=host) == (403, "foreign_host")
        for host in ("localhost", "LOCALHOST:9000", "127.0.0.1:80", "[::1]:80", "radio.home", "radio.home:443"):
            assert (await turned(radio, Host=host))[0] == 200
        async with radio.http.get(f"{radio.root}/api/stations", headers={"Host": "evil.example"}) as response:
            assert response.status == 200


async def test_who_has_the_token_may_come_under_any_name() -> None:
    async with on_air(authorization=Authorization(control=True, token="sesame")) as radio:
        assert (await turned(radio, Host="radio.example", Authorization="Bearer sesame"))[0] == 200
        assert await turned(radio, Host="radio.example") == (401, "no_token")


@pytest.mark.parametrize("path", ["/", "/api/stations", "/api/stations/tone", "/healthz", "/nowhere", "/tona.opus"])
async def test_every_page_may_read(path: str) -> None:
    async with on_air(start=False) as radio:
        async with radio.http.get(radio.root + path, headers={"Origin": "https://a.example"}) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
        async with radio.http.options(radio.root + path, headers={"Origin": "https://a.example"}) as response:
            assert "Access-Control-Allow-Methods" not in response.headers
