"""Replacement of tables in Markdown files."""

from __future__ import annotations

from pathlib import Path

from bench import machine


def replace_table(document: Path, name: str, command: str, table: str) -> None:
    """Replace the text between the markers `<!-- name -->` and `<!-- /name -->` with `table` and its command."""
    first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    before, rest = document.read_text().split(first)
    _, after = rest.split(last)
    intro = f"Measured with `{command}` on {machine.describe()['processor']}."
    document.write_text(f"{before}{first}\n{intro}\n\n{table}\n{last}{after}")
