from __future__ import annotations

from random import Random
from statistics import fmean

from radio.compose.bass import write_bass
from radio.compose.bass_line import clashing
from radio.compose.composer import Composer
from radio.compose.conductor import Conductor
from radio.compose.track_writer import TrackWriter
from radio.model.engines.selection import open_engine
from radio.music.events import Note
from radio.settings.controls import Controls
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from tests.compose.test_bass import LOOPS, MODEL, chords_of, is_root
from tests.compose.test_loop_writer import shipped
from tests.model.models import checkpoint


def lines(seeds: int = 40) -> list[tuple[Note, ...]]:
    return [
        write_bass(chords_of(LOOPS[seed % 4]), 4, None, "hiphop", Random(seed), model=MODEL).notes
        for seed in range(seeds)
    ]


def test_a_band_without_drums_has_a_long_root_on_each_chord() -> None:
    for seed, notes in enumerate(lines()):
        starts = {note.start for note in notes}
        assert {bar * TICKS_PER_BAR for bar in range(4)} <= starts
        assert starts <= {half * TICKS_PER_BAR // 2 for half in range(8)}
        assert fmean(note.end - note.start for note in notes) > 1.8 * TICKS_PER_BEAT
        for note, following in zip(notes, [*notes[1:], None], strict=True):
            assert note.end <= (following.start if following else 4 * TICKS_PER_BAR)
        first = [is_root(note, chords_of(LOOPS[seed % 4])) for note in notes if note.start % TICKS_PER_BAR == 0]
        assert sum(first) >= 2
    assert fmean(len(notes) for notes in lines()) < 6


def test_a_held_bass_does_not_clash_with_the_keys() -> None:
    keys = write_bass(chords_of(LOOPS[0], 12), 4, None, "soul", Random(1), model=MODEL).transposed(37)
    for seed in range(20):
        line = write_bass(chords_of(LOOPS[0]), 4, None, "soul", Random(seed), model=MODEL, keys=keys)
        assert not clashing(line.notes, keys.notes)


def test_a_station_without_drums_samples_none_and_its_bass_is_held() -> None:
    seed = 2
    conductor = Conductor(
        TrackWriter(writer=shipped(), progressions=(), keys=("C",), seed=seed, layers=frozenset({"keys", "bass"})),
        style="hiphop",
    )
    player = Composer(open_engine(checkpoint("piano")), open_engine(checkpoint("drums")), conductor, seed=seed)
    bars = [player.next_bar(Controls()) for _ in range(24)]
    assert not any(bar.events["drums"] for bar in bars)
    strikes = [event.tick - bar.plan.tick for bar in bars for event in bar.events["bass"] if event.velocity]
    assert strikes
    assert set(strikes) <= {0, TICKS_PER_BAR // 2}
