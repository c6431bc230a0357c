"""The data card of a prepared corpus: source, license, stages, and statistics before and after them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from radio.music.parts import BAND
from radio.types import BEATS_PER_BAR, JsonValue
from train.data.corpus.piece import Piece
from train.data.drums.drum_statistics import DrumStatistics
from train.metrics.keyboard_features import NAMES, Features, features
from train.metrics.keyboard_features import windows as cut_windows
from train.metrics.passage import Passage
from train.metrics.repetition import similarities

FILE: Final = "card.json"
LOOP_BARS: Final = 4

LICENSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pop909": "POP909, MIT, © 2020 Music X Lab; Wang et al., ISMIR 2020; github.com/music-x-lab/POP909-Dataset",
        "groove": "Groove MIDI Dataset, CC BY 4.0, Google LLC; Gillick et al., ICML 2019",
        "chords": "POP909 (MIT, © 2020 Music X Lab; Wang et al., ISMIR 2020; github.com/music-x-lab/POP909-Dataset); "
        "free-midi-chords' progressions (MIT, © 2019 Ludovic Drolez; github.com/ldrolez/free-midi-chords); "
        "with --standards irb (MIT, © 2021 Klaus Frieler; github.com/klausfrieler/parkR)",
        "folder": "the user's own files",
    }
)


@dataclass(slots=True)
class CorpusStatistics:
    """Statistics of a set of pieces: chord qualities and keyboard features, or those of drums."""

    qualities: Counter[str] = field(default_factory=Counter)
    """Beats of each chord quality."""
    changes: Counter[str] = field(default_factory=Counter)
    """Chord tokens of each quality: one at each bar line and each change."""
    windows: list[Features] = field(default_factory=list)
    drums: DrumStatistics | None = None
    textures: Counter[str] = field(default_factory=Counter)
    """Bars of tracks made of loops, by texture."""
    alike: list[bool] = field(default_factory=list)
    """For each bar of such a track with notes, True if it recurs after four bars."""

    def add(self, piece: Piece) -> None:
        """Count a piece."""
        if not piece.part.note_offs:
            self.drums = self.drums or DrumStatistics()
            self.drums.add(piece)
            return
        self.qualities.update(chord.quality for chord in piece.chords)
        self.changes.update(
            chord.quality
            for beat, chord in enumerate(piece.chords)
            if beat % BEATS_PER_BAR == 0 or chord != piece.chords[beat - 1]
        )
        self.windows += map(features, cut_windows(Passage(piece.notes, piece.bars, piece.chords)))

    def as_json(self) -> dict[str, JsonValue]:
        """Return shares of beats and numbers of chords by quality, and quartiles of the windows' features."""
        if self.drums:
            return self.drums.as_json()
        beats = self.qualities.total()
        shares: dict[str, JsonValue] = {
            quality: round(count / beats, 4) for quality, count in self.qualities.most_common()
        }
        chords: dict[str, JsonValue] = {"chord qualities": shares, "chords": dict(self.changes.most_common())}
        if not self.windows:
            return chords
        quartiles = np.quantile(np.array(self.windows), (0.25, 0.5, 0.75), axis=0).T.round(3).tolist()
        return {**chords, "quartiles": dict(zip(NAMES, quartiles, strict=True))}

    def add_track(self, track: Piece) -> None:
        """Count a track made of loops."""
        self.textures[track.texture] += track.bars
        self.alike += [value == 1 for value in similarities(Passage(track.notes, track.bars), LOOP_BARS)]


@dataclass(slots=True)
class DataCard:
    """The data card of a corpus that is being prepared."""

    corpus: str
    """The kind of source: a key of `LICENSES`."""
    stages: Sequence[str]
    variants: int
    before: CorpusStatistics = field(default_factory=CorpusStatistics)
    """Statistics of the training pieces as they were read."""
    after: CorpusStatistics = field(default_factory=CorpusStatistics)
    """Statistics of the training pieces after the stages."""
    loops: CorpusStatistics = field(default_factory=CorpusStatistics)
    """Textures and repetition of the tracks made of loops."""

    def add(self, source: Piece, arrangements: Sequence[Piece]) -> None:
        """Count a piece and the first of its arrangements."""
        if source.split == "train" and source.part is not BAND:
            self.before.add(source)
            for arrangement in arrangements[:1]:
                self.after.add(arrangement)
            for track in arrangements:
                if track.texture:
                    self.loops.add_track(track)

    def write(self, out: Path, counts: Mapping[str, Mapping[str, int]], skipped: int) -> None:
        """Write the card to the corpus' folder. `counts` are pieces, bars and tokens by split."""
        card: dict[str, JsonValue] = {
            "source": self.corpus,
            "licence": LICENSES[self.corpus],
            "stages": list(self.stages),
            "variants": self.variants,
            **{name: dict(by_split) for name, by_split in counts.items()},
            "skipped files": skipped,
            "before": self.before.as_json(),
            "after": self.after.as_json(),
        }
        if self.loops.alike:
            card["loops"] = {
                "bars by texture": dict(self.loops.textures.most_common()),
                "bars that come back after four": round(float(np.mean(self.loops.alike)), 3),
            }
        (out / FILE).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")


def facts(corpus: Path) -> dict[str, JsonValue]:
    """Return the entries of a corpus' card for a model's card; none if the corpus or its card is missing."""
    try:
        card = json.loads((corpus / FILE).read_text())
        return {name: card[name] for name in ("source", "licence", "stages", "variants", "pieces", "bars", "tokens")}
    except (OSError, ValueError, KeyError):
        return {}
