"""The data card of a prepared corpus: where it is from, what was done to it, what it is like, before and after."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from radio.types import BEATS_PER_BAR, JsonValue
from train.data.corpus.piece import Piece
from train.data.drums.drum_statistics import DrumStatistics
from train.metrics.keyboard_features import NAMES, Features, features, windows
from train.metrics.passage import Passage

FILE: Final = "card.json"

LICENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pop909": "POP909, MIT, © 2020 Music X Lab; Wang et al., ISMIR 2020; github.com/music-x-lab/POP909-Dataset",
        "groove": "Groove MIDI Dataset, CC BY 4.0, Google LLC; Gillick et al., ICML 2019",
        "chords": "POP909 (MIT, © 2020 Music X Lab; Wang et al., ISMIR 2020; github.com/music-x-lab/POP909-Dataset); "
        "free-midi-chords' progressions (MIT, © 2019 Ludovic Drolez; github.com/ldrolez/free-midi-chords)",
        "folder": "the user's own files",
    }
)


@dataclass(slots=True)
class CorpusStatistics:
    """What pieces are like: beats and chords of each quality, chords as they are announced, and windows' features.

    Of drums there are shares instead.
    """

    qualities: Counter[str] = field(default_factory=Counter)
    announced: Counter[str] = field(default_factory=Counter)
    found: list[Features] = field(default_factory=list)
    drums: DrumStatistics | None = None

    def add(self, piece: Piece) -> None:
        if not piece.part.note_offs:
            self.drums = self.drums or DrumStatistics()
            self.drums.add(piece)
            return
        self.qualities.update(chord.quality for chord in piece.chords)
        self.announced.update(
            chord.quality
            for beat, chord in enumerate(piece.chords)
            if beat % BEATS_PER_BAR == 0 or chord != piece.chords[beat - 1]
        )
        self.found += map(features, windows(Passage(piece.notes, piece.bars, piece.chords)))

    def as_json(self) -> dict[str, JsonValue]:
        """By chord quality shares of beats and counts of chords; each feature's quartiles over windows of four bars."""
        if self.drums:
            return self.drums.as_json()
        beats = self.qualities.total()
        shares: dict[str, JsonValue] = {
            quality: round(count / beats, 4) for quality, count in self.qualities.most_common()
        }
        chords: dict[str, JsonValue] = {"chord qualities": shares, "chords": dict(self.announced.most_common())}
        if not self.found:
            return chords
        quartiles = np.quantile(np.array(self.found), (0.25, 0.5, 0.75), axis=0).T.round(3).tolist()
        return {**chords, "quartiles": dict(zip(NAMES, quartiles, strict=True))}


@dataclass(slots=True)
class DataCard:
    """Filled in while a corpus is prepared.

    corpus: what it was read as. stages, variants: how it was arranged. before, after: the pieces as they were read and
    as they are trained on, validation left out.
    """

    corpus: str
    stages: Sequence[str]
    variants: int
    before: CorpusStatistics = field(default_factory=CorpusStatistics)
    after: CorpusStatistics = field(default_factory=CorpusStatistics)

    def add(self, source: Piece, arrangements: Sequence[Piece]) -> None:
        """Take a piece and what was made of it into account; one arrangement of each is enough."""
        if source.split == "train":
            self.before.add(source)
            for arrangement in arrangements[:1]:
                self.after.add(arrangement)

    def write(self, out: Path, counts: Mapping[str, Mapping[str, int]], skipped: int) -> None:
        """Write the card into the corpus' folder; `counts` are pieces, bars and tokens by split."""
        card: dict[str, JsonValue] = {
            "source": self.corpus,
            "licence": LICENCES[self.corpus],
            "stages": list(self.stages),
            "variants": self.variants,
            **{what: dict(by_split) for what, by_split in counts.items()},
            "skipped files": skipped,
            "before": self.before.as_json(),
            "after": self.after.as_json(),
        }
        (out / FILE).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")


def facts(corpus: Path) -> dict[str, JsonValue]:
    """What a model's card repeats of its corpus' card: nothing where the corpus is gone, or has none."""
    try:
        card = json.loads((corpus / FILE).read_text())
        return {each: card[each] for each in ("source", "licence", "stages", "variants", "pieces", "bars", "tokens")}
    except (OSError, ValueError, KeyError):
        return {}
