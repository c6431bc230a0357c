"""Preparation of corpora: MIDI files become JSON Lines, one piece per line, and binidx for training."""

from __future__ import annotations

import errno
import json
import tarfile
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random

from tqdm import tqdm

from radio.errors import MidiError, SettingsError
from radio.music.midi_files import has_midi_name
from radio.music.midi_parts import PartChoice
from radio.music.names import shown
from radio.music.parts import PARTS
from radio.types import TokenId
from train.data import binidx, tokenizer_json
from train.data.arrange import looping
from train.data.arrange.pipeline import arrange
from train.data.chords import chord_corpus as sheets
from train.data.chords import standards
from train.data.chords.sheet import Sheet
from train.data.corpus import band, folder, groove, pop909
from train.data.corpus.piece import Piece, Split
from train.data.drums import preparation as drumming
from train.metrics.data_card import DataCard

NOTES, EVENTS = "notes", "events"
"""Encodings: the notes of one part, or the events of all instruments."""


@dataclass(frozen=True, slots=True)
class PreparationSummary:
    """The numbers of pieces, bars and tokens of each split, and the skipped and damaged files with reasons."""

    pieces: Counter[str]
    bars: Counter[str]
    tokens: Counter[str]
    skipped: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the summary as lines of text."""
        rows = [
            f"{split}: {self.pieces[split]:,} pieces, {self.bars[split]:,} bars, {self.tokens[split]:,} tokens"
            for split in ("train", "validation")
        ]
        lists = {"skipped": self.skipped, "read in part": self.damaged}
        for title, lines in lists.items():
            if lines or title == "skipped":
                rows += [f"{title}: {len(lines)}", *(f"  {line}" for line in lines)]
        return rows


PieceVersions = tuple[Piece, list[Piece]]
"""A piece as it was read, and its versions for training or validation."""

Job = tuple[str, Callable[[], Iterator[PieceVersions]]]


def jobs(corpus: str, source: Path, stages: Sequence[str] = (), variants: int = 1) -> list[Job]:
    """Return the files of POP909 or Groove to read, each with a name and a reader."""
    if corpus == "groove":
        rows = groove.rows(source)
        placements = groove.TakePlacements(rows)
        return [(row["id"], partial(_drummed, row, placements, stages, variants)) for row in rows]
    return [
        (str(path), partial(_arranged, partial(pop909.read_song, path), stages, variants))
        for path in pop909.songs(source)
    ]


def _folder_jobs(reading: folder.FolderReading, stages: Sequence[str], variants: int) -> list[Job]:
    """Return the pieces that were read from a folder, some of them for validation, each with its arrangements."""
    held_out = folder.held_out(reading.pieces)
    chosen = [
        replace(piece, split="validation" if name in held_out else "train")
        for name, pieces in reading.pieces.items()
        for piece in pieces
    ]
    return [(piece.name, partial(_arranged, partial(iter, [piece]), stages, variants)) for piece in chosen]


def _arranged(read: Callable[[], Iterator[Piece]], stages: Sequence[str], variants: int) -> Iterator[PieceVersions]:
    """Yield pieces with their arrangements, without empty ones. Drums are not arranged."""
    for piece in read():
        if not stages or not piece.part.note_offs:
            yield piece, [piece]
            continue
        count = variants if piece.split == "train" else 1
        yield (
            piece,
            [version for variant in range(count) if (version := arrange(piece, stages, variant)) is not None],
        )


def _with_loops(read: Callable[[], Iterator[PieceVersions]]) -> Iterator[PieceVersions]:
    """Yield pieces with their versions, and with tracks made of loops of each version."""
    for piece, versions in read():
        numbered = enumerate(versions)
        tracks = (looping.tracks(version, Random(f"{piece.name}/{variant}/loops")) for variant, version in numbered)
        yield piece, [*versions, *chain.from_iterable(tracks)]


def _drummed(
    row: Mapping[str, str], placements: groove.TakePlacements, stages: Sequence[str], variants: int
) -> Iterator[PieceVersions]:
    """Yield a performance quantized as played, with its versions by the stages."""
    performance = groove.read_performance(row)
    read = drumming.piece(performance, groove.CLICK, ())
    if read is None:
        return
    if not stages:
        yield read, [read]
        return
    placement = placements.of(row)
    count = variants if performance.split == "train" else 1
    versions = (drumming.piece(performance, placement, stages, variant) for variant in range(count))
    yield read, [version for version in versions if version is not None]


def _chord_jobs(source: Path, progressions: Path | None, table: Path | None, variants: int) -> list[Job]:
    if progressions is None:
        raise SettingsError("chords need --progressions FILE, from which the moods of songs are guessed")
    written = sheets.read_progressions(progressions)
    guess = sheets.mood_guess(written)
    readers: list[tuple[str, Callable[[], Iterator[Sheet]]]] = [
        (str(path), partial(sheets.song_sheets, path, guess)) for path in pop909.songs(source)
    ]
    readers += [(str(progressions), partial(sheets.written_sheets, written))] if readers else []
    if table is not None:
        readers += [
            (f"{table}, tune {tune.number}", partial(standards.tune_sheets, tune, guess))
            for tune in standards.read_tunes(table)
        ]
    return [(name, partial(_enriched, read, variants)) for name, read in readers]


def _enriched(read: Callable[[], Iterator[Sheet]], variants: int) -> Iterator[PieceVersions]:
    """Yield sheets as labeled, with their versions of enriched chords and drawn moods."""
    for sheet in read():
        count = variants if sheet.split == "train" else 1
        yield sheet, [sheet.enrich(variant) for variant in range(count)]


def prepare(
    corpus: str,
    source: Path,
    out: Path,
    part_name: str | None = None,
    *,
    stages: Sequence[str] = (),
    variants: int = 1,
    loops: bool = False,
    progressions: Path | None = None,
    choice: PartChoice | None = None,
    encoding: str = NOTES,
    table: Path | None = None,
) -> PreparationSummary:
    """Read `source` (a folder, or a tar archive of one) and write `out`/{train,validation}.{jsonl,bin,idx}.

    Args:
        corpus: `pop909`, `groove`, `folder` for any MIDI files, or `chords` for POP909's chords.
        part_name: The part to read from a folder's files.
        stages: The stages to apply, in their order: of `train.data.arrange.pipeline.STAGES` for keyboards, of
            `train.data.drums.preparation.STAGES` for Groove's drums.
        variants: The number of arrangements of each training piece; validation pieces have one.
        loops: Add tracks made of loops of each piece with chords (`train.data.arrange.looping`).
        progressions: Written progressions with moods, for `chords`.
        choice: The part of a folder's files, instead of the part that a keyboard or a drummer plays.
        encoding: Of a folder's files: `notes` of one part, or `events` of all instruments or of the chosen part.
        table: A table of jazz standards, for `chords`; None leaves them out.

    Raises:
        SettingsError: There is nothing to read, or no piece to train on, or an option is for another corpus.
        OSError: The files cannot be written. In either case `out` is not changed.
    """
    if not source.exists():
        raise SettingsError(f"{shown(source)}: no such file or folder")
    if encoding == EVENTS and (corpus, part_name, stages) != ("folder", None, ()):
        raise SettingsError("--encoding events is for a folder, without --part and --arrange: it has all instruments")
    if corpus == "folder" and part_name is None and encoding == NOTES:
        raise SettingsError("a folder of MIDI files needs --part piano, --part drums or --encoding events")
    if part_name is not None and corpus != "folder":
        raise SettingsError(f"--part is for a folder; {corpus} has only one part")
    if loops and (corpus not in ("folder", "pop909") or part_name == "drums" or encoding == EVENTS):
        raise SettingsError("--loops is for piano pieces, of pop909 or of a folder with --part piano")
    with tempfile.TemporaryDirectory() as unpacked:
        if source.is_file() and not (corpus == "folder" and has_midi_name(source)):
            _unpack(source, Path(unpacked))
            source = Path(unpacked)
        summary = PreparationSummary(Counter(), Counter(), Counter())
        if corpus == "chords":
            files = _chord_jobs(source, progressions, table, variants)
        elif corpus == "folder":
            chosen = choice or PartChoice()
            reading = folder.read(
                source,
                partial(band.pieces_of, choice=chosen)
                if part_name is None
                else partial(folder.pieces_of, part=PARTS[part_name], choice=chosen),
            )
            files = _folder_jobs(reading, stages, variants)
            summary = replace(summary, skipped=reading.skipped, damaged=reading.damaged)
        else:
            files = jobs(corpus, source, stages, variants)
        if loops:
            files = [(name, partial(_with_loops, read)) for name, read in files]
        if not files and not summary.skipped:
            raise SettingsError(f"{shown(source)}: there is nothing to read as {corpus}")
        return _write(files, out, DataCard(corpus, ("harmony",) if corpus == "chords" else stages, variants), summary)


def _unpack(archive_path: Path, out: Path) -> None:
    try:
        with tarfile.open(archive_path) as archive:
            archive.extractall(out, filter="data")
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        reason = next(iter(str(error).splitlines()), "cut short")
        raise SettingsError(f"{shown(archive_path)}: neither a folder nor a tar archive ({reason})") from error


class _Prepared:
    """Prepared pieces by split, ready to be written."""

    def __init__(self, summary: PreparationSummary) -> None:
        self.summary = summary
        self._tokens: dict[Split, list[list[TokenId]]] = {"train": [], "validation": []}
        self._lines: dict[Split, list[str]] = {"train": [], "validation": []}
        self._weights: list[float] = []

    def add(self, piece: Piece) -> None:
        """Add a piece to its split."""
        ids = piece.tokens()
        self._tokens[piece.split].append(ids)
        row = {"name": piece.name, "part": piece.part.name, "bars": piece.bars, "tokens": ids}
        if piece.texture:
            row["texture"] = piece.texture
        self._lines[piece.split].append(json.dumps(row, separators=(",", ":")) + "\n")
        if piece.split == "train":
            self._weights.append(piece.weight)
        self.summary.pieces[piece.split] += 1
        self.summary.bars[piece.split] += piece.bars
        self.summary.tokens[piece.split] += len(ids)

    def write(self, out: Path) -> None:
        """Write the pieces to the folder `out`."""
        for split, pieces in self._tokens.items():
            (out / f"{split}.jsonl").write_text("".join(self._lines[split]))
            binidx.write(out / split, pieces)
        binidx.write_weights(out / "train", self._weights)


def _write(files: list[Job], out: Path, card: DataCard, summary: PreparationSummary) -> PreparationSummary:
    """Read all files, then write. An existing corpus in `out` is replaced only at the end."""
    prepared = _Prepared(summary)
    for _, read in tqdm(files, unit="file", desc=out.name):
        try:
            sources = list(read())
        except MidiError as error:
            summary.skipped.append(str(error))
            continue
        for source, arrangements in sources:
            card.add(source, arrangements)
            for piece in arrangements:
                prepared.add(piece)
    if not summary.pieces["train"]:
        count = len(files) + (len(summary.skipped) if card.corpus == "folder" else 0)
        raise SettingsError([f"no piece to train on in {count} files", *summary.skipped])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".partial-") as folder:
        written = Path(folder)
        try:
            prepared.write(written)
            counts = {"pieces": summary.pieces, "bars": summary.bars, "tokens": summary.tokens}
            card.write(written, counts, len(summary.skipped))
            tokenizer_json.write(written)
        except OSError as error:  # a full disk does not name the file
            raise OSError(error.errno, error.strerror, str(out)) from error
        (out / "train.weights").unlink(missing_ok=True)
        for path in written.iterdir():
            path.replace(out / path.name)
    return summary
