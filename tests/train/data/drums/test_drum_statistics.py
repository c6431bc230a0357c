from __future__ import annotations

from radio.music.events import Note
from radio.music.parts import DRUMS
from radio.music.vocab import FILL, style_token
from radio.types import TICKS_PER_BEAT
from train.data.corpus.piece import Piece
from train.data.drums.drum_statistics import DrumStatistics

ON_THE_BEAT = Note(0, 1, 36, 80)
OFF_THE_BEAT = Note(TICKS_PER_BEAT + 60, TICKS_PER_BEAT + 61, 42, 60)


def test_shares_are_weighted_by_bars_and_the_largest_comes_first() -> None:
    statistics = DrumStatistics()
    statistics.add(Piece("fill", DRUMS, "train", 1, [OFF_THE_BEAT], labels=(style_token("jazz"), FILL), tempo=60))
    groove = Piece("groove", DRUMS, "train", 2, [ON_THE_BEAT] * 2, labels=(style_token("rock"),), tempo=140, weight=1.5)
    statistics.add(groove)
    result = statistics.as_json()
    assert isinstance(result, dict)
    shares = {name: list(counts.items()) for name, counts in result.items() if isinstance(counts, dict)}
    assert shares == {
        "styles": [("rock", 0.75), ("jazz", 0.25)],
        "tempos": [("from 140", 0.75), ("60–85", 0.25)],
        "kinds": [("grooves", 0.75), ("fills", 0.25)],
        "places in the beat, ticks": [("0", 0.75), ("60", 0.25)],
    }


def test_pieces_without_style_or_tempo_are_also_counted() -> None:
    statistics = DrumStatistics()
    statistics.add(Piece("unknown", DRUMS, "train", 1, []))
    statistics.add(Piece("slow", DRUMS, "train", 3, [], tempo=59.9))
    assert statistics.styles == {"unnamed": 4}
    assert statistics.tempos == {"unknown": 1, "under 60": 3}
