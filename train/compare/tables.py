"""The comparison as JSON, Markdown and a plot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from train.compare.measure import ModelResult, Throughput
from train.compare.speed import EARLY, LATE


def write(rows: Sequence[ModelResult], out: Path) -> str:
    """Write compare.json, compare.md and compare.png to the folder `out`; return the Markdown."""
    out.mkdir(parents=True, exist_ok=True)
    words = table(rows)
    (out / "compare.json").write_text(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False) + "\n")
    (out / "compare.md").write_text(words + "\n")
    plot(rows, out / "compare.png")
    return words


def table(rows: Sequence[ModelResult]) -> str:
    """Return two tables: results of training with the learning rate, and speed of generation."""
    marks = f"token {EARLY:,} | token {LATE:,}"
    trained = _head(
        "", "layers × width", "parameters", "tokens", "rate", "bits per sampled token", "accuracy", "training"
    )
    played = _head("", f"numpy, {marks}", f"on air, {marks}", f"state, {marks}")
    for row in rows:
        trained.append(
            f"| {row.title} | {row.layers} × {row.width} | {row.parameters / 1e6:.2f} M | {row.tokens / 1e6:.1f} M "
            f"| {row.rate:g} | {row.bits:.3f} | {row.accuracy:.1%} | {row.training:,.0f} tokens/s |"
        )
        played.append(
            f"| {row.title} | {row.numpy.early:,.0f} | {row.numpy.late:,.0f} | {_air(row.air)} "
            f"| {row.early_bytes / 1000:,.1f} kB | {row.late_bytes / 1000:,.1f} kB |"
        )
    tried = [f"- {row.title}: " + ", ".join(f"{rate}: {bits:.3f}" for rate, bits in row.rates.items()) for row in rows]
    tuned = "Rates tried in short runs, and their validation bits:"
    return "\n".join([*trained, "", "Generation, tokens per second:", "", *played, "", tuned, "", *tried])


def _head(*names: str) -> list[str]:
    names = tuple(" | ".join(names).split(" | "))
    return [f"| {' | '.join(names)} |", "| --- |" + " ---: |" * (len(names) - 1)]


def plot(rows: Sequence[ModelResult], path: Path) -> None:
    """Plot validation bits over training tokens, one line per architecture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for row in rows:
        axes.plot(
            [tokens / 1e6 for tokens, _ in row.curve],
            [bits for _, bits in row.curve],
            label=f"{row.title}, {row.bits:.2f}",
        )
    axes.set(
        xlabel="million tokens trained", ylabel="bits per sampled token, validation", title="architectures of one size"
    )
    axes.legend()
    figure.savefig(path, dpi=110)


def _air(speed: Throughput) -> str:
    """Return two cells; if a station uses numpy too, its speed is in the other column already."""
    return f"{speed.early:,.0f} | {speed.late:,.0f}" if speed.engine != "numpy" else "numpy | numpy"
