"""`python -m train timing`: how Groove's drummers time their hits, as a table for the radio, and how well it does.

Measured is what preparation takes out: each hit's distance in ms from where its place falls by its drummer's own click
and swing. Distances are taken apart by their covariances: what all limbs share drifts slowly, what comes back at one
place of every bar is a habit, the rest is chance. Ghost notes and accents are alike in this (velocity and lateness
correlate by −0.06 to 0.09, but for crashes), and so are tempos, in ms.
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
from train.data.corpus import groove
from train.data.corpus.beat_placement import PAIR, STRAIGHT, BeatPlacement
from train.data.drums.preparation import placed
from train.metrics.data_card import LICENCES

PLACING: Final = ("align", "straighten", "grid")

LOFI: Final = ("hiphop", "soul", "funk", "jazz")

FEWEST_HITS: Final = 4_000
"""Of a style with a timing of its own."""

PRIOR_HITS: Final = 40.0
"""How many hits what is known of a coarser place counts for, against those at the place itself."""

LAGS: Final[Sequence[Tick]] = (60, 120, 180, 240, 360, 480)
"""Over which the shared drift is measured: under a beat's half limbs alternate, over a bar little is left."""

HABIT_BARS: Final[Sequence[int]] = (4, 6, 8)
"""After how many bars a hit is compared with one at its own place: the drift is over by then."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TimedGroove:
    """A groove's hits in order: their ticks, pads, and how late each is in ms; further than `FURTHEST_MS` left out."""

    style: str
    split: str
    tempo: float
    ticks: Sequence[Tick]
    pads: Sequence[int]
    late: Values


def timed_grooves(root: Path) -> list[TimedGroove]:
    """The grooves of the data set in `root`, fills and unreadable files left out. Raises MidiError without any."""
    rows = groove.rows(root)
    placements = groove.TakePlacements(rows)
    found = []
    for row in tqdm(rows, unit="file", desc="timing"):
        with suppress(MidiError):
            performance = groove.read_performance(row)
            if not performance.fill:
                found.append(_timed(performance, placements.of(row)))
    if not found:
        raise MidiError(f"{root}: no groove that could be read")
    return found


def _timed(performance: groove.DrumPerformance, placement: BeatPlacement) -> TimedGroove:
    ticks = placed([tick for tick, _, _ in performance.hits], placement, PLACING)
    ms_per_tick = 60_000 / performance.tempo / TICKS_PER_BEAT
    hits = sorted(
        (int(tick), pad, (placement.aligned(played) - tick - swung(int(tick % PAIR), placement.swing)) * ms_per_tick)
        for tick, (played, pad, _) in zip(ticks, performance.hits, strict=True)
    )
    kept = [hit for hit in hits if abs(hit[2]) <= FURTHEST_MS and hit[0] >= 0]
    return TimedGroove(
        performance.style,
        performance.split,
        performance.tempo,
        [tick for tick, _, _ in kept],
        [pad for _, pad, _ in kept],
        np.array([late for _, _, late in kept]),
    )


def fitted(grooves: Sequence[TimedGroove]) -> dict[str, Timing]:
    """Timings by style from training grooves: the lo-fi styles together as `any`, and each style of enough hits.

    Raises:
        SettingsError: too few hits of the lo-fi styles.
    """
    lofi = [each for each in grooves if each.style in LOFI]
    if sum(len(each.ticks) for each in lofi) < FEWEST_HITS:
        raise SettingsError(f"under {FEWEST_HITS:,} hits in {', '.join(LOFI)}: too few to tell how drummers time them")
    usual = _means(lofi, _coarse(lofi))
    found = {ANY: _timing(lofi, usual)}
    for style in sorted({each.style for each in grooves}):
        own = [each for each in grooves if each.style == style]
        if sum(len(each.ticks) for each in own) >= FEWEST_HITS:
            found[style] = _timing(own, _means(own, usual))
    return found


def _hits(grooves: Sequence[TimedGroove]) -> Iterator[tuple[str, int, float]]:
    for each in grooves:
        for tick, pad, late in zip(each.ticks, each.pads, each.late.tolist(), strict=True):
            yield kind_of(pad), place_of(tick), late


def _coarse(grooves: Sequence[TimedGroove]) -> dict[str, Values]:
    """Means by kind and place in the beat, at each beat alike."""
    beat = len(PLACES) * TICKS_PER_BEAT // TICKS_PER_BAR
    sums = {kind: np.zeros(beat) for kind in KINDS}
    counts = {kind: np.full(beat, PRIOR_HITS) for kind in KINDS}
    for kind, place, late in _hits(grooves):
        sums[kind][place % beat] += late
        counts[kind][place % beat] += 1
    return {kind: np.tile(sums[kind] / counts[kind], len(PLACES) // beat) for kind in KINDS}


def _means(grooves: Sequence[TimedGroove], prior: Mapping[str, Values]) -> dict[str, Values]:
    """Means by kind and place, drawn towards `prior` where hits are few."""
    sums = {kind: PRIOR_HITS * values for kind, values in prior.items()}
    counts = {kind: np.full(len(PLACES), PRIOR_HITS) for kind in prior}
    for kind, place, late in _hits(grooves):
        sums[kind][place] += late
        counts[kind][place] += 1
    return {kind: sums[kind] / counts[kind] for kind in prior}


@dataclass(frozen=True, slots=True)
class Covariances:
    """Of what hits have beyond their means, in ms².

    whole: of a hit with itself. others: of different kinds at each of `LAGS`. places: of a kind with itself at its own
    place after `HABIT_BARS`.
    """

    whole: float
    others: Values
    places: Values


def covariances(grooves: Sequence[TimedGroove], late: Mapping[str, Values]) -> Covariances:
    """Measured over all pairs of hits in each groove."""
    whole = np.zeros(2)
    others, places = np.zeros((len(LAGS), 2)), np.zeros((len(HABIT_BARS), 2))
    for each in grooves:
        kinds = [kind_of(pad) for pad in each.pads]
        rest = {
            (tick, kind): ms - late[kind][place_of(tick)]
            for tick, kind, ms in zip(each.ticks, kinds, each.late.tolist(), strict=True)
        }
        at: dict[Tick, list[tuple[str, float]]] = {}
        for (tick, kind), ms in rest.items():
            at.setdefault(tick, []).append((kind, ms))
        for (tick, kind), ms in rest.items():
            whole += ms * ms, 1
            for number, lag in enumerate(LAGS):
                for other, its in at.get(tick + lag, ()):
                    if other != kind:
                        others[number] += ms * its, 1
            for number, bars in enumerate(HABIT_BARS):
                again = rest.get((tick + bars * TICKS_PER_BAR, kind))
                if again is not None:
                    places[number] += ms * again, 1
    return Covariances(
        float(whole[0] / max(1, whole[1])),
        others[:, 0] / np.maximum(1, others[:, 1]),
        places[:, 0] / np.maximum(1, places[:, 1]),
    )


def _timing(grooves: Sequence[TimedGroove], late: Mapping[str, Values]) -> Timing:
    """Means with the spread around them, taken apart."""
    found = covariances(grooves, late)
    drift, memory = _decay(found.others)
    habit = min(max(float(found.places.mean()), 0.0), 0.9 * (found.whole - drift))
    return Timing(
        {kind: [round(float(each), 1) for each in values] for kind, values in late.items()},
        drift=round(drift**0.5, 2),
        memory=round(memory, 2),
        habit=round(habit**0.5, 2),
        hit=round((found.whole - drift - habit) ** 0.5, 2),
    )


def _decay(covariance: Values) -> tuple[float, float]:
    """Variance and memory in beats of the exponential decay nearest to `covariance` over `LAGS` (least squares)."""
    lags = np.array(LAGS) / TICKS_PER_BEAT
    best = (np.inf, 0.0, 1.0)
    for memory in np.geomspace(0.25, 16, 121):
        shape = np.exp(-lags / memory)
        variance = max(0.0, float(shape @ covariance / (shape @ shape)))
        misfit = float(((covariance - variance * shape) ** 2).sum())
        best = min(best, (misfit, variance, float(memory)))
    return best[1], best[2]


def replayed(grooves: Sequence[TimedGroove], timings: Mapping[str, Timing]) -> list[TimedGroove]:
    """The same hits timed by the radio's feel, each groove by another drummer of its style's timing."""
    found = []
    for number, each in enumerate(grooves):
        feel, clock = Feel("drums", number, timings.get(each.style, timings[ANY])), Clock(each.tempo)
        late = []
        for tick, pad in zip(each.ticks, each.pads, strict=True):
            sounding = tick + TICKS_PER_BAR  # the feel may be early, and there is no frame before 0
            late.append((feel.place(sounding, pad, clock, STRAIGHT) - clock.frame(sounding)) * 1000 / SAMPLE_RATE)
        found.append(TimedGroove(each.style, each.split, each.tempo, each.ticks, each.pads, np.array(late)))
    return found


BINS: Final = np.arange(-FURTHEST_MS, FURTHEST_MS + 1, 3.0)


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Overlap area of two distributions of lateness, in bins of 3 ms: 1 where they are alike, 0 where apart."""
    p, q = (np.histogram(each, BINS)[0] / max(1, len(each)) for each in (one, other))
    return float(np.minimum(p, q).sum())


def by_kind(grooves: Sequence[TimedGroove]) -> dict[str, list[float]]:
    """Lateness of all hits by kind of drum."""
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for kind, _, late in _hits(grooves):
        found[kind].append(late)
    return found


def together(grooves: Sequence[TimedGroove]) -> float:
    """Correlation of what two limbs at one tick, or half a beat apart, have beyond the groove's own mean."""
    pairs = []
    for each in grooves:
        late = each.late - each.late.mean() if len(each.late) else each.late
        for (one, a, here), (other, b, there) in pairwise(zip(each.ticks, each.pads, late.tolist(), strict=True)):
            if a != b and other - one <= TICKS_PER_BEAT // 2:
                pairs.append((here, there))
    return float(np.corrcoef(np.array(pairs).T)[0, 1])


def table(unseen: Sequence[TimedGroove], columns: Mapping[str, Sequence[TimedGroove]]) -> str:
    """Markdown: for each kind, the overlap of every column's lateness with that of `unseen`; and how limbs agree."""
    human = by_kind(unseen)
    counted = {name: by_kind(grooves) for name, grooves in columns.items()}
    kinds = [kind for kind in KINDS if len(human[kind]) >= 100]
    lines = [
        "| overlap area of lateness with validation | hits | " + " | ".join(columns) + " |",
        "| --- |" + " ---: |" * (len(columns) + 1),
    ]
    for kind in kinds:
        cells = " | ".join(f"{overlap(human[kind], each[kind]):.2f}" for each in counted.values())
        lines.append(f"| {kind} | {len(human[kind]):,} | {cells} |")
    means = [np.mean([overlap(human[kind], each[kind]) for kind in kinds]) for each in counted.values()]
    lines.append(f"| mean | {sum(map(len, human.values())):,} | " + " | ".join(f"{mean:.2f}" for mean in means) + " |")
    agree = " | ".join(f"{together(grooves):.2f}" for grooves in columns.values())
    lines.append(f"| neighbouring hits of two limbs, correlation (validation: {together(unseen):.2f}) | | {agree} |")
    return "\n".join(lines)


def measured(root: Path) -> tuple[dict[str, JsonValue], str]:
    """The table for the radio, from the training grooves of `root`, and how near it comes to those for validation."""
    grooves = timed_grooves(root)
    seen, unseen = ([each for each in grooves if each.split == split] for split in ("train", "validation"))
    timings = fitted(seen)
    lofi, held_out = ([each for each in part if each.style in LOFI] for part in (seen, unseen))
    columns = {
        "measured": replayed(held_out, timings),
        "steady": replayed(held_out, {ANY: STEADY}),
        "training grooves": lofi,
    }
    styles: dict[str, JsonValue] = {style: timing.as_json() for style, timing in timings.items()}
    return {"source": LICENCES["groove"], "styles": styles}, table(held_out, columns)
