"""Reference tables of settings in Markdown, generated from their declarations."""

from __future__ import annotations

from collections.abc import Iterable

from radio.settings.fields import Setting


def table(settings: Iterable[Setting]) -> str:
    """Return a table with a row for each setting: name, values, default, meaning."""
    return "\n".join(["| setting | values | default | meaning |", "| --- | --- | --- | --- |", *map(_row, settings)])


def _row(setting: Setting) -> str:
    return f"| `{setting.name}` | {setting.kind.allowed} | {setting.default_text} | {setting.help} |"
