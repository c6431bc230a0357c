"""The page's files: all there, nothing from elsewhere, and a policy that browsers hold them to."""

from __future__ import annotations

import re
from urllib.parse import urljoin
from xml.dom.minidom import parseString

from radio.paths import WEB
from radio.server.artwork import draw_artwork, palette
from radio.settings.controls import Controls
from tests.server.on_air import on_air
from tests.server.tone_worker import settings

KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "woff2": "font/woff2"}


def references(text: str) -> set[str]:
    """What a document, a style sheet or a module asks for."""
    return {
        found
        for found in re.findall(r"""(?:src|href)="([^"#]+)"|url\("([^"]+)"\)|from "(\./[^"]+)";""", text)
        for found in found
        if found and "$" not in found
    }


def well_formed(svg: str) -> bool:
    return parseString(svg).documentElement.tagName == "svg"  # noqa: S318 — our own server drew it


async def test_every_file_that_the_pages_ask_for_is_served_as_what_it_is() -> None:
    async with on_air(start=False) as radio:
        waiting, seen = ["/", "/embed/tone", "/tone/overlay"], set()
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            async with radio.http.get(radio.root + path) as response:
                assert response.status == 200, path
                kind = KINDS[path.rpartition(".")[2] if "." in path else "html"]
                assert response.content_type in {kind, "application/javascript"}, path
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert ("frame-ancestors *" in policy) == path.startswith(("/embed", "/tone/overlay"))
                if kind == KINDS["woff2"]:
                    continue
                text = await response.text()
            assert not re.search(r"https?://(?!www\.w3\.org)", text), path
            assert not re.search(r"<script>|<style>|\sstyle=\"|\son\w+=\"", text) or path.endswith(".js"), path
            for reference in references(text):
                assert not reference.startswith("/"), (
                    f"{path}: {reference} would leave a path that the radio lives below"
                )
                waiting.append(urljoin(path, reference))
        files = {f"/web/{file.relative_to(WEB)}" for file in WEB.rglob("*") if file.suffix in {".js", ".css", ".woff2"}}
        assert files <= seen


async def test_nothing_else_is_served() -> None:
    async with on_air(start=False) as radio:
        for path in ("/web/", "/web/index.html", "/web/../pages.py", "/web/%2e%2e/server/pages.py", "/embed/nobody"):
            async with radio.http.get(radio.root + path) as response:
                assert response.status == 404, path


async def test_a_station_has_a_picture_of_its_own() -> None:
    async with on_air(settings("tone"), settings("other"), start=False) as radio:
        pictures = []
        for name in radio.channels:
            async with radio.http.get(f"{radio.root}/{name}/artwork") as response:
                assert response.content_type == "image/svg+xml"
                pictures.append(await response.text())
        async with radio.http.get(f"{radio.root}/api/stations") as response:
            brief = (await response.json())["stations"][0]
        assert pictures[0] != pictures[1]
        assert well_formed(pictures[0])
        colours = palette(radio.tone.settings)
        assert brief["art"] == {"image": "/tone/artwork", "hue": colours.hue, "ground": colours.ground}


def test_pictures_stay_the_same_and_show_the_weather() -> None:
    dry, wet = settings("tone"), settings("tone", controls=Controls(rain_mute=False))
    for style in ("hiphop", "jazz", "reggae"):
        plain = settings("tone", style=style)
        assert draw_artwork(plain) == draw_artwork(plain)
        assert well_formed(draw_artwork(plain))
    assert "stroke" in draw_artwork(wet)
    assert "stroke" not in draw_artwork(dry)
    assert palette(wet) != palette(dry)
