from __future__ import annotations

import pytest

from radio.server.http.allowance import Allowance
from radio.server.http.authorization import WRONG_TOKENS, Authorization
from tests.server.on_air import OnAir, on_air

JSON = {"Content-Type": "application/json"}


async def change_tempo(radio: OnAir, **headers: str) -> tuple[int, str]:
    """Change a control with these headers; return the status and the error code."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    address = f"{radio.root}/api/stations/tone/controls"
    async with radio.http.patch(address, data='{"tempo": 70}', headers=JSON | names) as response:
        answer = await response.json()
        return response.status, answer.get("error", {}).get("code", "")


async def test_a_page_of_another_site_cannot_change_controls() -> None:
    async with on_air() as radio:
        own = f"{radio.host}:{radio.port}"
        for foreign in (
            "https://evil.example",
            "null",
            f"http://{radio.host}:1",
            "http://[",
            "http://localhost.evil:80",
        ):
            assert await change_tempo(radio, Origin=foreign) == (403, "foreign_page")
        for site in ("cross-site", "same-site", "nonsense"):
            assert await change_tempo(radio, Sec_Fetch_Site=site, Origin=f"http://{own}") == (403, "foreign_page")
        assert radio.tone.controls.tempo == 80
        assert (await change_tempo(radio, Origin=f"http://{own}"))[0] == 200
        assert (await change_tempo(radio, Sec_Fetch_Site="same-origin", Origin="https://radio.home"))[0] == 200
        assert (await change_tempo(radio))[0] == 200


async def test_a_form_of_another_site_is_refused() -> None:
    async with on_air() as radio:
        for path in ("/api/stations/tone/skip", "/api/stations/tone/controls", "/healthz"):
            async with radio.http.post(radio.root + path, headers={"Origin": "https://evil.example"}) as response:
                assert response.status == 403


async def test_a_foreign_host_name_is_refused_without_a_token() -> None:
    """DNS rebinding: page and radio have the origin evil.example, which now resolves to 127.0.0.1."""
    async with on_air(authorization=Authorization(control=True, token=None, hosts=("radio.home",))) as radio:
        evil = {"Host": "evil.example:8000", "Origin": "http://evil.example:8000", "Sec_Fetch_Site": "same-origin"}
        assert await change_tempo(radio, **evil) == (403, "foreign_host")
        for host in ("127.0.0.1.evil.example", "localhost.", "[::2]:80", "evil.example@localhost.evil", "0"):
            assert await change_tempo(radio, Host=host) == (403, "foreign_host")
        for host in ("localhost", "LOCALHOST:9000", "127.0.0.1:80", "[::1]:80", "radio.home", "radio.home:443"):
            assert (await change_tempo(radio, Host=host))[0] == 200
        async with radio.http.get(f"{radio.root}/api/stations", headers={"Host": "evil.example"}) as response:
            assert response.status == 200


async def test_any_host_name_is_accepted_with_the_token() -> None:
    async with on_air(authorization=Authorization(control=True, token="sesame")) as radio:
        assert (await change_tempo(radio, Host="radio.example", Authorization="Bearer sesame"))[0] == 200
        for scheme in ("bearer", "BEARER"):  # RFC 9110, 11.1
            assert (await change_tempo(radio, Host="radio.example", Authorization=f"{scheme} sesame"))[0] == 200
        assert await change_tempo(radio, Host="radio.example") == (401, "no_token")
        for wrong in ("Bearer", "Bearer ", "Basic sesame", "sesame", "Bearer sesame2", "Bearer ses ame"):
            assert await change_tempo(radio, Host="radio.example", Authorization=wrong) == (401, "no_token")


async def test_credentials_of_another_scheme_do_not_count_as_guesses() -> None:
    """A proxy may forward the credentials that a guest used to sign in to it."""
    failures = Allowance(WRONG_TOKENS, 60.0, lambda: 0.0)
    async with on_air(authorization=Authorization(control=True, token="sesame", failures=failures)) as radio:
        answers = [await change_tempo(radio, Authorization="Basic Z3Vlc3Q6") for _ in range(WRONG_TOKENS + 2)]
        assert answers == [(401, "no_token")] * (WRONG_TOKENS + 2)
        assert (await change_tempo(radio, Authorization="Bearer sesame"))[0] == 200


@pytest.mark.parametrize("path", ["/", "/api/stations", "/api/stations/tone", "/healthz", "/nowhere", "/tona.opus"])
async def test_pages_of_any_site_may_read(path: str) -> None:
    async with on_air(start=False) as radio:
        async with radio.http.get(radio.root + path, headers={"Origin": "https://a.example"}) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
        async with radio.http.options(radio.root + path, headers={"Origin": "https://a.example"}) as response:
            assert response.status == (404 if path == "/nowhere" else 204)
            allowed = response.headers.get("Access-Control-Allow-Methods")
            assert allowed == (None if path == "/nowhere" else "GET, HEAD, OPTIONS")


async def test_an_address_with_many_wrong_tokens_is_locked_out_for_a_while() -> None:
    failures = Allowance(WRONG_TOKENS, 60.0, lambda: 0.0)
    async with on_air(authorization=Authorization(control=True, token="sesame", failures=failures)) as radio:
        guesses = [await change_tempo(radio, Authorization=f"Bearer {number}") for number in range(WRONG_TOKENS + 2)]
        assert guesses == [(401, "no_token")] * WRONG_TOKENS + [(429, "too_many")] * 2
        assert await change_tempo(radio, Authorization="Bearer sesame") == (429, "too_many")
        assert (await change_tempo(radio, Authorization="Bearer sesame", X_Forwarded_For="203.0.113.9"))[0] == 200
        assert await change_tempo(radio) == (401, "no_token")
