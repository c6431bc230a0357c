"""Measure renders of prompts: do tempo, density, brightness, layers and mode follow the words?

    nice python -m tests.prompt.measure_renders [COUNT] > renders.jsonl

Print a line of JSON for each prompt, and at the end the number of correct measures of each kind. The sound is that of
the first bars of the first groove, about 20 seconds, compared with the same station and seed without the prompt.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np

from radio.paths import STATIONS
from radio.prompt.changes import understand, with_changes
from radio.prompt.concepts import PARTS
from radio.prompt.facets import CLEAR, EXACT, Facet
from radio.prompt.grammar import read
from radio.prompt.wishes import wishes_of
from radio.settings.config import load
from radio.settings.station import StationSettings
from radio.station.aired import AiredPassage
from radio.station.extent import BarLoop
from radio.station.replay import replay
from radio.station.score import Score, compose
from radio.station.score_audio import _LEAD, _lines, _placed, _with_releases
from radio.types import SAMPLE_RATE, Block
from tests.prompt.expectations import expectations

COUNT = 40
SEED = 7
BARS = 6
PRESENT, ABSENT = -60.0, -80.0
"""Levels in dBFS RMS: a layer is heard above the first, and not heard below the second."""
MEASURED = {"tempo", "density", "brightness", "mood", "mode", *PARTS, "vinyl", "rain"}


def main() -> None:
    """Measure the prompts, and print the results."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    chill = load(STATIONS).stations["chill"]
    plain = measures(chill)
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for prompt in prompts(count):
        settings = with_changes(chill, understand(prompt, chill, chill.controls))
        measured = measures(settings)
        results = {kind: bool(holds) for kind, holds in judged(prompt, measured, plain, settings)}
        total.update(kind.partition(" ")[0] for kind in results)
        right.update(kind.partition(" ")[0] for kind, holds in results.items() if holds)
        write({"prompt": prompt, **results, "measured": measured})
    write({kind: f"{right[kind]} of {total[kind]}" for kind in total})


def write(line: dict[str, object]) -> None:
    """Print a line of JSON."""
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def prompts(count: int) -> list[str]:
    """Return prompts with something to measure, spread evenly over the list."""
    eligible = [
        expectation.prompt
        for expectation in expectations()
        if len(MEASURED & set(wishes_of(read(expectation.prompt)).facets)) >= 2
    ]
    return eligible[:: max(1, len(eligible) // count)][:count]


def measures(settings: StationSettings) -> dict[str, object]:
    """Return tempo (BPM), key onsets per bar, centroid of the mix (Hz), levels by layer (dBFS) and the mode."""
    score = compose(settings, SEED, BarLoop(BARS))
    track = score.bars[0].track
    onsets = {event.tick for bar in score.bars for event in bar.events["keys"] if event.velocity}
    stems = sound(score)
    mix = np.sum([*stems.values()], axis=0)
    return {
        "tempo": round(float(np.mean([bar.tempo for bar in score.bars])), 2),
        "density": len(onsets) / BARS,
        "brightness": round(centroid(mix)),
        "mode": track.mode,
        "programs": dict(score.bars[0].programs),
        "levels": {layer: round(level(stem), 1) for layer, stem in stems.items()},
    }


def sound(score: Score) -> dict[str, Block]:
    """Return the processed sound of each layer."""
    bars = _with_releases(score)
    notes = [note._replace(frame=note.frame - _LEAD) for note in _placed(score, bars) if note.frame >= _LEAD]
    lines = _lines(score.bars, 0.0)
    passage = AiredPassage(score.settings, 0, score.frames, sorted(notes), lines, (), moves=lines)
    blocks = list(replay(passage, separate=True))
    return {layer: np.concatenate([block[layer] for block in blocks]) for layer in blocks[0]}


def level(stem: Block) -> float:
    """Return the level in dBFS RMS."""
    return 10 * float(np.log10(np.mean(np.square(stem, dtype=np.float64)) + 1e-12))


def centroid(mix: Block) -> float:
    """Return the centroid of the mean power spectrum in Hz."""
    mono = mix.mean(axis=1)
    frames = mono[: len(mono) // 4096 * 4096].reshape(-1, 4096) * np.hanning(4096)
    power = np.square(np.abs(np.fft.rfft(frames))).mean(axis=0)
    return float((power * np.fft.rfftfreq(4096, 1 / SAMPLE_RATE)).sum() / power.sum())


def judged(
    prompt: str, measured: dict[str, object], plain: dict[str, object], settings: StationSettings
) -> Iterator[tuple[str, object]]:
    """Yield the name of each measure, and True if it fits the prompt."""
    facets = wishes_of(read(prompt)).facets
    for aspect in ("tempo", "density", "brightness"):
        facet = facets.get(aspect)
        if facet is not None and facet.weight >= CLEAR:
            if aspect == "tempo" and facet.weight == EXACT:
                yield "tempo", abs(float(str(measured["tempo"])) - settings.controls.tempo) <= 2
            else:
                yield f"order of {aspect}", ordered(facet, aspect, measured, plain)
    levels = measured["levels"]
    assert isinstance(levels, dict)
    for layer in (*PARTS, "vinyl", "rain"):
        facet = facets.get(layer)
        if facet is None or layer not in levels or (layer == "lead" and facet.value != "off"):
            continue  # a lead rests for many bars
        is_off = facet.value == "off"
        yield f"layers {layer}", levels[layer] < ABSENT if is_off else levels[layer] > PRESENT
    mode = facets.get("mode")
    if mode is not None and measured["mode"] is not None:
        yield "mode", measured["mode"] == mode.value


def ordered(facet: Facet, aspect: str, measured: dict[str, object], plain: dict[str, object]) -> bool:
    """Return True if a measure differs from that of the plain station in the direction of the facet."""
    from radio.prompt.facets import SCALES

    scale = SCALES[aspect]
    neutral = (1.0 if scale.kind == "ratio" else 0.0) if facet.relative else scale.neutral
    higher = float(facet.value) > neutral
    before, after = float(str(plain[aspect])), float(str(measured[aspect]))
    return after > before if higher else after < before


if __name__ == "__main__":
    main()
