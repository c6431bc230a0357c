"""The microtiming of Groove's drummers: a table for the radio, and how close its timing comes to theirs.

Lateness is the distance in ms of a hit from its place on the grid, by the drummer's own click and swing: the part of
the timing that preparation removes. Its variance is divided by covariances into a slow drift that all limbs share, a
habit that recurs at one place of every bar, and chance. Velocity and lateness are almost independent (they correlate by
−0.06 to 0.09, except for crashes), and lateness in ms hardly depends on the tempo.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from radio.compose.drum_timing import ANY, FURTHEST_MS, KINDS, PLACES, STEADY, Timing, kind_of, place_of
from radio.compose.feel import Feel, swung
from radio.errors import MidiError, SettingsError
from radio.music.clock import Clock
from radio.types import SAMPLE_RATE, TICKS_PER_BAR, TICKS_PER_BEAT, JsonValue, Tick
from train.data.corpus.beat_placement import PAIR, STRAIGHT, BeatPlacement
from train.data.corpus.groove import DrumPerformance, TakePlacements, read_performance, rows
from train.data.drums.preparation import place_hits
from train.metrics.data_card import LICENSES

PLACING: Final = ("align", "straighten", "grid")

LOFI: Final = ("hiphop", "soul", "funk", "jazz")

FEWEST_HITS: Final = 4_000
"""Minimum hits for a style to get its own timing."""

PRIOR_HITS: Final = 40.0
"""The weight of the prior from coarser places, in hits at the place itself."""

LAGS: Final[Sequence[Tick]] = (60, 120, 180, 240, 360, 480)
"""Distances for measuring the shared drift: limbs alternate within half a beat, and little is left after a bar."""

HABIT_BARS: Final[Sequence[int]] = (4, 6, 8)
"""Distances in bars over which hits at the same place are compared: the drift has ended by then."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TimedGroove:
    """The hits of a groove in order. `late` is in ms; hits further than `FURTHEST_MS` from their place are left out."""

    style: str
    split: str
    tempo: float
    ticks: Sequence[Tick]
    pads: Sequence[int]
    late: Values


def timed_grooves(root: Path) -> list[TimedGroove]:
    """Read the grooves of the data set in `root`, without fills and broken files. Raises MidiError if none is left."""
    listed = rows(root)
    placements = TakePlacements(listed)
    grooves = []
    for row in tqdm(listed, unit="file", desc="timing"):
        with suppress(MidiError):
            performance = read_performance(row)
            if not performance.fill:
                grooves.append(_timed(performance, placements.of(row)))
    if not grooves:
        raise MidiError(f"{root}: no groove could be read")
    return grooves


def _timed(performance: DrumPerformance, placement: BeatPlacement) -> TimedGroove:
    ticks = place_hits([tick for tick, _, _ in performance.hits], placement, PLACING)
    ms_per_tick = 60_000 / performance.tempo / TICKS_PER_BEAT
    hits = sorted(
        (int(tick), pad, (placement.align(played) - tick - swung(int(tick % PAIR), placement.swing)) * ms_per_tick)
        for tick, (played, pad, _) in zip(ticks, performance.hits, strict=True)
    )
    near = [hit for hit in hits if abs(hit[2]) <= FURTHEST_MS and hit[0] >= 0]
    return TimedGroove(
        performance.style,
        performance.split,
        performance.tempo,
        [tick for tick, _, _ in near],
        [pad for _, pad, _ in near],
        np.array([late for _, _, late in near]),
    )


def fit_timings(grooves: Sequence[TimedGroove]) -> dict[str, Timing]:
    """Return timings by style: `any` for the lo-fi styles together, and one for each style with enough hits.

    Raises:
        SettingsError: There are too few hits in the lo-fi styles.
    """
    lofi = [groove for groove in grooves if groove.style in LOFI]
    hits = sum(len(groove.ticks) for groove in lofi)
    if hits < FEWEST_HITS:
        raise SettingsError(f"{hits:,} hits in {', '.join(LOFI)} are too few to measure; {FEWEST_HITS:,} are needed")
    usual = _means(lofi, _coarse(lofi))
    timings = {ANY: _timing(lofi, usual)}
    for style in sorted({groove.style for groove in grooves}):
        own = [groove for groove in grooves if groove.style == style]
        if sum(len(groove.ticks) for groove in own) >= FEWEST_HITS:
            timings[style] = _timing(own, _means(own, usual))
    return timings


def _hits(grooves: Sequence[TimedGroove]) -> Iterator[tuple[str, int, float]]:
    for groove in grooves:
        for tick, pad, late in zip(groove.ticks, groove.pads, groove.late.tolist(), strict=True):
            yield kind_of(pad), place_of(tick), late


def _coarse(grooves: Sequence[TimedGroove]) -> dict[str, Values]:
    """Return mean lateness by kind and place in the beat, repeated for every beat."""
    beat = len(PLACES) * TICKS_PER_BEAT // TICKS_PER_BAR
    sums = {kind: np.zeros(beat) for kind in KINDS}
    counts = {kind: np.full(beat, PRIOR_HITS) for kind in KINDS}
    for kind, place, late in _hits(grooves):
        sums[kind][place % beat] += late
        counts[kind][place % beat] += 1
    return {kind: np.tile(sums[kind] / counts[kind], len(PLACES) // beat) for kind in KINDS}


def _means(grooves: Sequence[TimedGroove], prior: Mapping[str, Values]) -> dict[str, Values]:
    """Return mean lateness by kind and place in the bar, close to `prior` if there are few hits."""
    sums = {kind: PRIOR_HITS * values for kind, values in prior.items()}
    counts = {kind: np.full(len(PLACES), PRIOR_HITS) for kind in prior}
    for kind, place, late in _hits(grooves):
        sums[kind][place] += late
        counts[kind][place] += 1
    return {kind: sums[kind] / counts[kind] for kind in prior}


@dataclass(frozen=True, slots=True)
class Covariances:
    """Covariances of lateness around its means, in ms²."""

    whole: float
    """The variance."""
    between_kinds: Values
    """Between different kinds at each of `LAGS`."""
    places: Values
    """Between hits of one kind at the same place after each of `HABIT_BARS`."""


def covariances(grooves: Sequence[TimedGroove], late: Mapping[str, Values]) -> Covariances:
    """Measure the covariances over all pairs of hits in each groove."""
    whole = np.zeros(2)
    between_kinds, places = np.zeros((len(LAGS), 2)), np.zeros((len(HABIT_BARS), 2))
    for groove in grooves:
        kinds = [kind_of(pad) for pad in groove.pads]
        rest = {
            (tick, kind): ms - late[kind][place_of(tick)]
            for tick, kind, ms in zip(groove.ticks, kinds, groove.late.tolist(), strict=True)
        }
        at: dict[Tick, list[tuple[str, float]]] = {}
        for (tick, kind), ms in rest.items():
            at.setdefault(tick, []).append((kind, ms))
        for (tick, kind), ms in rest.items():
            whole += ms * ms, 1
            for number, lag in enumerate(LAGS):
                for other, other_ms in at.get(tick + lag, ()):
                    if other != kind:
                        between_kinds[number] += ms * other_ms, 1
            for number, bars in enumerate(HABIT_BARS):
                again = rest.get((tick + bars * TICKS_PER_BAR, kind))
                if again is not None:
                    places[number] += ms * again, 1
    return Covariances(
        float(whole[0] / max(1, whole[1])),
        between_kinds[:, 0] / np.maximum(1, between_kinds[:, 1]),
        places[:, 0] / np.maximum(1, places[:, 1]),
    )


def _timing(grooves: Sequence[TimedGroove], late: Mapping[str, Values]) -> Timing:
    """Return the means with the spread around them, divided into drift, habit and chance."""
    measured = covariances(grooves, late)
    drift, memory = _decay(measured.between_kinds)
    habit = min(max(float(measured.places.mean()), 0.0), 0.9 * (measured.whole - drift))
    return Timing(
        {kind: [round(float(value), 1) for value in values] for kind, values in late.items()},
        drift=round(drift**0.5, 2),
        memory=round(memory, 2),
        habit=round(habit**0.5, 2),
        hit=round((measured.whole - drift - habit) ** 0.5, 2),
    )


def _decay(covariance: Values) -> tuple[float, float]:
    """Fit an exponential decay to `covariance` over `LAGS`; return its variance and its memory in beats."""
    lags = np.array(LAGS) / TICKS_PER_BEAT
    best = (np.inf, 0.0, 1.0)
    for memory in np.geomspace(0.25, 16, 121):
        shape = np.exp(-lags / memory)
        variance = max(0.0, float(shape @ covariance / (shape @ shape)))
        misfit = float(((covariance - variance * shape) ** 2).sum())
        best = min(best, (misfit, variance, float(memory)))
    return best[1], best[2]


def replay(grooves: Sequence[TimedGroove], timings: Mapping[str, Timing]) -> list[TimedGroove]:
    """Return the same hits with the radio's timing for their style, each groove with a different seed."""
    result = []
    for number, groove in enumerate(grooves):
        feel, clock = Feel("drums", number, timings.get(groove.style, timings[ANY])), Clock(groove.tempo)
        late = []
        for tick, pad in zip(groove.ticks, groove.pads, strict=True):
            sounding = tick + TICKS_PER_BAR  # a hit may be early, and there is no frame before 0
            late.append((feel.place(sounding, pad, clock, STRAIGHT) - clock.frame(sounding)) * 1000 / SAMPLE_RATE)
        result.append(TimedGroove(groove.style, groove.split, groove.tempo, groove.ticks, groove.pads, np.array(late)))
    return result


BINS: Final = np.arange(-FURTHEST_MS, FURTHEST_MS + 1, 3.0)


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the overlap area of two distributions of lateness in bins of 3 ms: 1 if equal, 0 if apart."""
    p, q = (np.histogram(late, BINS)[0] / max(1, len(late)) for late in (one, other))
    return float(np.minimum(p, q).sum())


def by_kind(grooves: Sequence[TimedGroove]) -> dict[str, list[float]]:
    """Return the lateness of all hits by kind of drum."""
    lateness: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for kind, _, late in _hits(grooves):
        lateness[kind].append(late)
    return lateness


def limb_correlation(grooves: Sequence[TimedGroove]) -> float:
    """Return the correlation of the lateness of two limbs within half a beat, around the groove's mean."""
    pairs = []
    for groove in grooves:
        late = groove.late - groove.late.mean() if len(groove.late) else groove.late
        for first, second in pairwise(zip(groove.ticks, groove.pads, late.tolist(), strict=True)):
            if first[1] != second[1] and second[0] - first[0] <= TICKS_PER_BEAT // 2:
                pairs.append((first[2], second[2]))
    return float(np.corrcoef(np.array(pairs).T)[0, 1])


def table(unseen: Sequence[TimedGroove], columns: Mapping[str, Sequence[TimedGroove]]) -> str:
    """Return Markdown: by kind, the overlap of each column's lateness with that of `unseen`; and limb correlations."""
    human = by_kind(unseen)
    counted = {name: by_kind(grooves) for name, grooves in columns.items()}
    kinds = [kind for kind in KINDS if len(human[kind]) >= 100]
    lines = [
        "| overlap area of lateness with validation | hits | " + " | ".join(columns) + " |",
        "| --- |" + " ---: |" * (len(columns) + 1),
    ]
    for kind in kinds:
        cells = " | ".join(f"{overlap(human[kind], late[kind]):.2f}" for late in counted.values())
        lines.append(f"| {kind} | {len(human[kind]):,} | {cells} |")
    means = [np.mean([overlap(human[kind], late[kind]) for kind in kinds]) for late in counted.values()]
    lines.append(f"| mean | {sum(map(len, human.values())):,} | " + " | ".join(f"{mean:.2f}" for mean in means) + " |")
    agree = " | ".join(f"{limb_correlation(grooves):.2f}" for grooves in columns.values())
    lines.append(
        f"| neighboring hits of two limbs, correlation (validation: {limb_correlation(unseen):.2f}) | | {agree} |"
    )
    return "\n".join(lines)


def measure_timing(root: Path) -> tuple[dict[str, JsonValue], str]:
    """Return the timing table from the training grooves of `root`, and a comparison with validation as Markdown."""
    grooves = timed_grooves(root)
    seen, unseen = ([groove for groove in grooves if groove.split == split] for split in ("train", "validation"))
    timings = fit_timings(seen)
    lofi, held_out = ([groove for groove in part if groove.style in LOFI] for part in (seen, unseen))
    columns = {
        "measured": replay(held_out, timings),
        "steady": replay(held_out, {ANY: STEADY}),
        "training grooves": lofi,
    }
    styles: dict[str, JsonValue] = {style: timing.as_json() for style, timing in timings.items()}
    return {"source": LICENSES["groove"], "styles": styles}, table(held_out, columns)
