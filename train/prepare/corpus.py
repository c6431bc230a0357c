"""`python -m train prepare`: MIDI → JSON Lines (one piece a line, to be read by people) → binidx (to be trained on)."""

from __future__ import annotations

import json
import tarfile
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from radio.errors import MidiError, SettingsError
from radio.music.parts import PARTS, Part
from radio.types import TokenId
from train.data import binidx
from train.data import tokenizer_json as huggingface
from train.data.arrange.pipeline import arranged
from train.data.chords import chord_corpus as sheets
from train.data.chords.sheet import Sheet
from train.data.corpus import folder, groove, pop909
from train.data.corpus.piece import Piece, Split
from train.data.drums import preparation as drumming
from train.metrics.data_card import DataCard


@dataclass(frozen=True, slots=True)
class PreparationSummary:
    """What a preparation did: pieces, bars and tokens of each split, and the files it skipped with their reasons."""

    pieces: Counter[str]
    bars: Counter[str]
    tokens: Counter[str]
    skipped: list[str]

    def lines(self) -> list[str]:
        rows = [
            f"{split}: {self.pieces[split]:,} pieces, {self.bars[split]:,} bars, {self.tokens[split]:,} tokens"
            for split in ("train", "validation")
        ]
        return [*rows, f"skipped: {len(self.skipped)}", *(f"  {line}" for line in self.skipped)]


PieceVersions = tuple[Piece, list[Piece]]
"""A piece as it was read, and what is made of it for training or validation."""

Job = tuple[str, Callable[[], Iterator[PieceVersions]]]


def jobs(corpus: str, source: Path, part: Part | None, stages: Sequence[str] = (), variants: int = 1) -> list[Job]:
    """What there is to read: a name and a reader per file."""
    if corpus == "groove":
        rows = groove.rows(source)
        placements = groove.TakePlacements(rows)
        return [(row["id"], partial(_drummed, row, placements, stages, variants)) for row in rows]
    found: list[tuple[str, Callable[[], Iterator[Piece]]]]
    if corpus == "pop909":
        found = [(str(path), partial(pop909.read_song, path)) for path in pop909.songs(source)]
    elif part is None:
        raise SettingsError("a folder of MIDI files needs --part piano or --part drums")
    else:
        paths = folder.files(source)
        held_out = folder.held_out(paths, source)
        found = [
            (str(path), partial(folder.read_file, path, source, part, "validation" if path in held_out else "train"))
            for path in paths
        ]
    return [(name, partial(_arranged, read, stages, variants)) for name, read in found]


def _arranged(read: Callable[[], Iterator[Piece]], stages: Sequence[str], variants: int) -> Iterator[PieceVersions]:
    """Pieces with their arrangements, those of which nothing is left not counted; drums stay as they are."""
    for piece in read():
        if not stages or not piece.part.note_offs:
            yield piece, [piece]
            continue
        wanted = variants if piece.split == "train" else 1
        yield (
            piece,
            [each for variant in range(wanted) if (each := arranged(piece, stages, variant)) is not None],
        )


def _drummed(
    row: Mapping[str, str], placements: groove.TakePlacements, stages: Sequence[str], variants: int
) -> Iterator[PieceVersions]:
    """A performance rounded as it fell, and as the stages place and vary it."""
    performance = groove.read_performance(row)
    read = drumming.piece(performance, groove.CLICK, ())
    if read is None:
        return
    if not stages:
        yield read, [read]
        return
    placement = placements.of(row)
    wanted = variants if performance.split == "train" else 1
    made = (drumming.piece(performance, placement, stages, variant) for variant in range(wanted))
    yield read, [each for each in made if each is not None]


def _chord_jobs(source: Path, progressions: Path | None, variants: int) -> list[Job]:
    if progressions is None:
        raise SettingsError("chords need --progressions FILE: the moods of songs are guessed by what is written there")
    written = sheets.read_progressions(progressions)
    guess = sheets.mood_guess(written)
    found: list[tuple[str, Callable[[], Iterator[Sheet]]]] = [
        (str(path), partial(sheets.song_sheets, path, guess)) for path in pop909.songs(source)
    ]
    found += [(str(progressions), partial(sheets.written_sheets, written))] if found else []
    return [(name, partial(_enriched, read, variants)) for name, read in found]


def _enriched(read: Callable[[], Iterator[Sheet]], variants: int) -> Iterator[PieceVersions]:
    """Sheets as they were labelled, and with the chords and moods they are given."""
    for sheet in read():
        wanted = variants if sheet.split == "train" else 1
        yield sheet, [sheet.enriched(variant) for variant in range(wanted)]


def prepare(
    corpus: str,
    source: Path,
    out: Path,
    part_name: str | None = None,
    *,
    stages: Sequence[str] = (),
    variants: int = 1,
    progressions: Path | None = None,
) -> PreparationSummary:
    """Read `source` (a folder, or a .tar.gz of one) as `corpus` and write `out`/{train,validation}.{jsonl,bin,idx}.

    Args:
        corpus: `pop909`, `groove`, `folder` for any MIDI files, or `chords` for POP909's harmony alone.
        part_name: which part to take from a folder's files.
        stages: what pieces are taken through: for keyboards names of `train.data.arrange.pipeline.STAGES`, in that
        order, for
            Groove's drums of `train.data.drums.preparation.STAGES`.
        variants: how many arrangements of each piece are for training; validation has one.
        progressions: written progressions with moods, for `chords`.

    Raises:
        SettingsError: nothing usable there, or no piece of it to train on; `out` is left as it was.
    """
    if not source.exists():
        raise SettingsError(f"{source}: no such file or folder")
    with tempfile.TemporaryDirectory() as unpacked:
        if source.is_file():
            try:
                with tarfile.open(source) as archive:
                    archive.extractall(unpacked, filter="data")
            except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
                reason = next(iter(str(error).splitlines()), "cut short")
                raise SettingsError(f"{source}: neither a folder nor a tar archive ({reason})") from error
            source = Path(unpacked)
        if corpus == "chords":
            found = _chord_jobs(source, progressions, variants)
        else:
            found = jobs(corpus, source, PARTS[part_name] if part_name else None, stages, variants)
        if not found:
            raise SettingsError(f"{source}: nothing there that could be read as {corpus}")
        return _write(found, out, DataCard(corpus, ("harmony",) if corpus == "chords" else stages, variants))


class _Prepared:
    """Pieces by split, as they will be written."""

    def __init__(self) -> None:
        self.report = PreparationSummary(Counter(), Counter(), Counter(), [])
        self._tokens: dict[Split, list[list[TokenId]]] = {"train": [], "validation": []}
        self._lines: dict[Split, list[str]] = {"train": [], "validation": []}
        self._weights: list[float] = []

    def add(self, piece: Piece) -> None:
        ids = piece.tokens()
        self._tokens[piece.split].append(ids)
        row = {"name": piece.name, "part": piece.part.name, "bars": piece.bars, "tokens": ids}
        self._lines[piece.split].append(json.dumps(row, separators=(",", ":")) + "\n")
        if piece.split == "train":
            self._weights.append(piece.weight)
        self.report.pieces[piece.split] += 1
        self.report.bars[piece.split] += piece.bars
        self.report.tokens[piece.split] += len(ids)

    def write(self, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        for split, pieces in self._tokens.items():
            (out / f"{split}.jsonl").write_text("".join(self._lines[split]))
            binidx.write(out / split, pieces)
        binidx.write_weights(out / "train", self._weights)


def _write(found: list[Job], out: Path, card: DataCard) -> PreparationSummary:
    """Read every job, then write; what stood in `out` is replaced only when there is something to replace it with."""
    prepared = _Prepared()
    report = prepared.report
    for _, read in tqdm(found, unit="file", desc=out.name):
        try:
            sources = list(read())
        except MidiError as error:
            report.skipped.append(str(error))
            continue
        for source, arrangements in sources:
            card.add(source, arrangements)
            for piece in arrangements:
                prepared.add(piece)
    if not report.pieces["train"]:
        raise SettingsError([f"no piece to train on in {len(found)} files", *report.skipped])
    prepared.write(out)
    card.write(out, {"pieces": report.pieces, "bars": report.bars, "tokens": report.tokens}, len(report.skipped))
    huggingface.write(out)
    return report
