"""Music composed by a station, as listeners hear it: whole tracks with the notes of each layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from time import process_time

from tqdm import tqdm

from radio.compose.bar import Bar
from radio.compose.feel import Feel
from radio.compose.plan import Track
from radio.music.clock import Clock
from radio.music.events import Note, NoteEvent
from radio.music.tokenizer import events_to_notes
from radio.settings.controls import PLAYED_LAYERS
from radio.settings.station import StationSettings
from radio.station.factory import music_seed, open_composer, open_timing
from radio.types import SAMPLE_RATE, TICKS_PER_BAR, TICKS_PER_BEAT, Seconds, Tick
from train.metrics.passage import Passage


@dataclass(frozen=True)
class TrackMusic:
    """One track: its bars and, by layer, its notes in ticks from its first bar line.

    late: ticks by which swing and feel move each strike of the keys, by (written tick, pitch).
    """

    bars: Sequence[Bar]
    passages: Mapping[str, Passage]
    late: Mapping[tuple[Tick, int], float]

    @property
    def track(self) -> Track:
        """The track's plan."""
        return self.bars[0].track

    @property
    def seconds(self) -> Seconds:
        """Length of the track."""
        return sum(bar.seconds for bar in self.bars)

    @property
    def form(self) -> tuple[str, ...]:
        """Names of the sections in order."""
        return tuple(script.section for script in self.track.script if script.place == 0)


@dataclass(frozen=True)
class StationMusic:
    """Hours of a station.

    late: as in `TrackMusic`, but in the station's ticks. cpu: processor time of composing.
    """

    bars: Sequence[Bar]
    late: Mapping[tuple[Tick, int], float]
    cpu: Seconds

    @property
    def seconds(self) -> Seconds:
        """Length of the music."""
        return sum(bar.seconds for bar in self.bars)

    def passage(self, layer: str) -> Passage:
        """Return one layer from beginning to end."""
        return _passage(self.bars, layer)

    def tracks(self) -> list[TrackMusic]:
        """Return the whole tracks, without the last one if it is incomplete."""
        grouped = [list(bars) for _, bars in groupby(self.bars, key=lambda bar: bar.track.number)]
        return [self._track(bars) for bars in grouped if len(bars) == bars[0].track.bars]

    def _track(self, bars: Sequence[Bar]) -> TrackMusic:
        passages = {layer: _passage(bars, layer) for layer in PLAYED_LAYERS}
        start = bars[0].plan.tick
        late = {(note.start, note.note): self.late[note.start + start, note.note] for note in passages["keys"].notes}
        return TrackMusic(bars, passages, late)


def compose(settings: StationSettings, *, hours: float, seed: int) -> StationMusic:
    """Compose `hours` of a station with its own controls, and place the keys as it would play them."""
    (music,) = compose_in_parts(settings, hours=hours, seed=seed, part=hours)
    return music


def compose_in_parts(settings: StationSettings, *, hours: float, seed: int, part: float) -> Iterator[StationMusic]:
    """Yield the same music in parts of `part` hours or a little more, cut at the beginning of a track."""
    composer = open_composer(settings, seed)
    feel, clock = Feel("keys", music_seed(settings, seed), open_timing(settings)), Clock(settings.controls.tempo)
    bars: list[Bar] = []
    late: dict[tuple[Tick, int], float] = {}
    left, played, cpu = 3600 * hours, 0.0, 0.0
    with tqdm(total=round(left), unit="s", desc=f"{settings.name}, seed {seed}") as progress:
        while left > 0:
            started = process_time()
            bar = composer.next_bar(settings.controls)
            spent = process_time() - started
            if bar.opens_track and played >= 3600 * part:
                yield StationMusic(bars, late, cpu)
                bars, late, played, cpu = [], {}, 0.0, 0.0
            cpu += spent
            if bar.opens_track:
                feel.begin_track(bar.track.number)
            clock.set_tempo(bar.plan.tick, bar.tempo)
            clock.forget(bar.plan.tick - TICKS_PER_BAR)
            late |= _late(bar, feel, clock)
            bars.append(bar)
            left -= bar.seconds
            played += bar.seconds
            progress.update(round(3600 * hours - left) - progress.n)
    yield StationMusic(bars, late, cpu)


def _late(bar: Bar, feel: Feel, clock: Clock) -> dict[tuple[Tick, int], float]:
    ticks_per_frame = bar.tempo * TICKS_PER_BEAT / (60 * SAMPLE_RATE)
    placed = {}
    for event in bar.events["keys"]:
        frame = feel.place(event.tick, event.note, clock, bar.swing)
        if event.velocity:
            placed[event.tick, event.note] = (frame - clock.frame(event.tick)) * ticks_per_frame
    return placed


def _passage(bars: Sequence[Bar], layer: str) -> Passage:
    """Return the notes of a layer, in ticks from the first of the bars; sounding notes end with the last bar."""
    start, end = bars[0].plan.tick, bars[-1].plan.tick + TICKS_PER_BAR
    events = [event for bar in bars for event in bar.events[layer]]
    sounding = {event.note: event.velocity for event in events}
    closing = [NoteEvent(end, note, 0) for note, velocity in sounding.items() if velocity]
    notes = [
        Note(note.start - start, min(note.end, end) - start, note.note, note.velocity)
        for note in events_to_notes([*events, *closing])
    ]
    chords = tuple(chord for bar in bars for chord in bar.plan.chords) if layer != "drums" else ()
    return Passage(notes, len(bars), chords)
