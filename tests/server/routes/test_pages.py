"""The files of the pages: complete, self-contained, and restricted by a content security policy."""

from __future__ import annotations

import re
from urllib.parse import urljoin
from xml.dom.minidom import parseString

from radio.paths import WEB
from radio.server.artwork import artwork_path, draw_artwork, palette
from radio.settings.controls import Controls
from tests.server.on_air import on_air
from tests.server.tone_worker import settings

KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "woff2": "font/woff2"}


def references(text: str) -> set[str]:
    """Return the references of a document, a style sheet or a module."""
    return {
        reference
        for groups in re.findall(r"""(?:src|href)="([^"#]+)"|url\("([^"]+)"\)|from "(\./[^"]+)";""", text)
        for reference in groups
        if reference and "$" not in reference
    }


def well_formed(svg: str) -> bool:
    return parseString(svg).documentElement.tagName == "svg"  # noqa: S318 — the radio's own picture


async def test_every_file_of_the_pages_is_served_with_its_type() -> None:
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
                assert not reference.startswith("/"), f"{path}: {reference} is outside the path of the radio"
                waiting.append(urljoin(path, reference))
        files = {f"/web/{file.relative_to(WEB)}" for file in WEB.rglob("*") if file.suffix in {".js", ".css", ".woff2"}}
        surveys = {"/web/survey.js", "/web/survey.css"}  # `radio survey` serves their page
        assert files - surveys <= seen


async def test_other_files_are_not_served() -> None:
    async with on_air(start=False) as radio:
        for path in ("/web/", "/web/index.html", "/web/../pages.py", "/web/%2e%2e/server/pages.py", "/embed/unknown"):
            async with radio.http.get(radio.root + path) as response:
                assert response.status == 404, path


async def test_each_station_has_its_own_picture() -> None:
    async with on_air(settings("tone"), settings("other"), start=False) as radio:
        pictures = []
        for name in radio.channels:
            async with radio.http.get(f"{radio.root}/{name}/artwork") as response:
                assert response.content_type == "image/svg+xml"
                pictures.append(await response.text())
        async with radio.http.get(f"{radio.root}/api/stations") as response:
            summary = (await response.json())["stations"][0]
        assert pictures[0] != pictures[1]
        assert well_formed(pictures[0])
        colors = palette(radio.tone.settings)
        assert summary["art"] == {
            "image": artwork_path(radio.tone.settings),
            "hue": colors.hue,
            "ground": colors.ground,
        }


def test_pictures_are_reproducible_and_show_the_rain() -> None:
    dry, wet = settings("tone"), settings("tone", controls=Controls(rain_mute=False))
    for style in ("hiphop", "jazz", "reggae"):
        plain = settings("tone", style=style)
        assert draw_artwork(plain) == draw_artwork(plain)
        assert well_formed(draw_artwork(plain))
    assert "stroke" in draw_artwork(wet)
    assert "stroke" not in draw_artwork(dry)
    assert palette(wet) != palette(dry)
