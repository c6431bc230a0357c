"""Replay of what was on the air, from its notes: without the models, and with the same samples.

The past states of a synthesizer and a mixer cannot be restored. Instead, playing starts a little earlier, so that no
difference remains at the first requested frame. Vinyl, rain, ambience and the tape's wow depend on the frame alone.
"""

from __future__ import annotations

import wave
import zipfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from radio.audio.mixer import Mixer
from radio.compose.drums import KICKS
from radio.settings.controls import LAYERS, Controls
from radio.settings.station import StationSettings
from radio.station.audio_files import encode, to_pcm
from radio.station.factory import open_sounds
from radio.station.layers import PLAYED_LAYERS, change_programs
from radio.station.moves import Moves
from radio.types import (
    MIX_BLOCK,
    SAMPLE_RATE,
    STILL,
    Block,
    Frames,
    JsonValue,
    MixMove,
    SynthEvent,
    Tick,
)

PREROLL: Final[Frames] = 10 * SAMPLE_RATE // MIX_BLOCK * MIX_BLOCK
"""Length of the part played before a passage; the longest notes and the room's reverb decay within it."""

_PLAY_SHARE: Final = 0.9
"""Playing's share of the work if the audio is encoded or packed afterwards."""


class PlayedNote(NamedTuple):
    """A note event as it was played; velocity 0 releases the note."""

    frame: Frames
    layer: str
    note: int
    velocity: int
    tick: Tick


class BarLine(NamedTuple):
    """The beginning of a bar, its tempo, and the programs of its layers."""

    frame: Frames
    number: int
    tempo: float
    frames: Frames = 0
    move: MixMove = STILL
    programs: Mapping[str, int] = {}

    @property
    def end(self) -> Frames:
        """The frame at which the bar ended."""
        return self.frame + self.frames


@dataclass(frozen=True, slots=True)
class AiredPassage:
    """A part of one worker's output; all frames and ticks are the worker's own."""

    settings: StationSettings
    """The settings, with the worker's seed and the controls that were in effect `PREROLL` before `start`."""
    start: Frames
    end: Frames
    notes: Sequence[PlayedNote]
    """The notes from `PREROLL` before `start`, in order."""
    bars: Sequence[BarLine]
    """The bars that begin in the passage, in order."""
    changes: Sequence[tuple[Frames, Mapping[str, JsonValue]]]
    """Control changes since `PREROLL` before `start`, in order."""
    moves: Sequence[BarLine] = ()
    """The bars whose mix moves and programs are heard in the passage or before it, in order."""


def replay(passage: AiredPassage, *, separate: bool = False) -> Iterator[dict[str, Block]]:
    """Yield the sound of a passage in blocks of varying size.

    Args:
        passage: the passage to play.
        separate: yield each layer alone, processed by the station's mixer, instead of all layers as `mix`.

    Raises:
        AudioError: the soundfont cannot be used.
    """
    settings, controls = passage.settings, passage.settings.controls
    position = max(0, passage.start - PREROLL) // MIX_BLOCK * MIX_BLOCK
    synth, textures = open_sounds(settings, settings.seed)
    with closing(synth):
        first_frame = position
        for layer in PLAYED_LAYERS:
            notes = (note for note in passage.notes if note.layer == layer and note.frame >= first_frame)
            synth.schedule(layer, [SynthEvent(note.frame - first_frame, note.note, note.velocity) for note in notes])
        kicks = deque(note.frame for note in passage.notes if _is_kick(note) and note.frame >= first_frame)
        bass_notes = deque(note.frame for note in passage.notes if _is_bass(note) and note.frame >= first_frame)
        textures.seek(first_frame)
        mixers = {name: Mixer(settings.tone) for name in (LAYERS if separate else ("mix",))}
        for mixer in mixers.values():
            mixer.seek(first_frame)
        latency = next(iter(mixers.values())).latency
        changes = deque(passage.changes)
        moves = Moves()
        for bar in passage.moves:
            moves.add(bar.frame, bar.end, bar.move)
            change_programs(synth, bar.programs, bar.frame - first_frame)
        while position - latency < passage.end:
            while changes and changes[0][0] <= position:
                controls = controls.changed(changes.popleft()[1])
            stems = synth.render(MIX_BLOCK)
            stems |= textures.render(MIX_BLOCK, controls, _always if separate else mixers["mix"].is_audible)
            block_kicks, block_bass = (_within(frames, position) for frames in (kicks, bass_notes))
            first = max(0, passage.start - (position - latency))
            last = min(MIX_BLOCK, passage.end - (position - latency))
            move = moves.at(position + MIX_BLOCK)
            blocks = {
                name: mixer.process(_only(name, stems) if separate else stems, controls, block_kicks, move, block_bass)[
                    first:last
                ]
                for name, mixer in mixers.items()
            }
            position += MIX_BLOCK
            if first < last:
                yield blocks


def _always(_layer: str, _controls: Controls) -> bool:
    """Return True: a layer that is yielded alone is rendered while it is silent in the mix, too."""
    return True


def _only(layer: str, stems: Mapping[str, Block]) -> Mapping[str, Block]:
    """Return the stem of one layer; none for a lead in a station that plays none."""
    return {layer: stems[layer]} if layer in stems else {}


def _within(frames: deque[Frames], position: Frames) -> list[Frames]:
    """Take the frames of the block at `position` out of those to come, and return them counted from its start."""
    block = []
    while frames and frames[0] < position + MIX_BLOCK:
        block.append(frames.popleft() - position)
    return block


def _is_bass(note: PlayedNote) -> bool:
    return note.layer == "bass" and note.velocity > 0


def _is_kick(note: PlayedNote) -> bool:
    return note.layer == "drums" and note.note in KICKS and note.velocity > 0


@dataclass(frozen=True, slots=True)
class Export:
    """An export of consecutive passages to one file: a task for `radio.worker.job_queue`.

    `suffix` is .wav, .flac, .mp3, .opus or .zip; a .zip file holds a WAV file of each layer.
    """

    passages: Sequence[AiredPassage]
    name: str
    """The name of the file, without its suffix."""
    suffix: str
    title: str

    def run(self, folder: Path, on_progress: Callable[[float], None]) -> Path:
        """Write the file into `folder` and return its path."""
        target = folder / f"{self.name}{self.suffix}"
        share = 1.0 if self.suffix == ".wav" else _PLAY_SHARE
        wavs = self._write_wavs(folder, lambda done: on_progress(done * share))
        if self.suffix == ".zip":
            with zipfile.ZipFile(target, "w") as archive:
                for layer, wav in wavs.items():
                    archive.write(wav, f"{self.name}/{layer}.wav")
                    wav.unlink()
        elif self.suffix == ".wav":
            wavs["mix"].rename(target)
        else:
            encode(wavs["mix"], target, tags={"title": self.title, "artist": self.passages[0].settings.title})
            wavs["mix"].unlink()
        on_progress(1.0)
        return target

    def _write_wavs(self, folder: Path, on_progress: Callable[[float], None]) -> dict[str, Path]:
        total = sum(passage.end - passage.start for passage in self.passages)
        paths: dict[str, Path] = {}
        done: dict[str, Frames] = defaultdict(int)
        with ExitStack() as stack:
            files: dict[str, wave.Wave_write] = {}
            for passage in self.passages:
                for blocks in replay(passage, separate=self.suffix == ".zip"):
                    for name, block in blocks.items():
                        if name not in files:
                            paths[name] = folder / f"{name}.draft.wav"
                            files[name] = stack.enter_context(wave.open(str(paths[name]), "wb"))
                            files[name].setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
                        files[name].writeframes(to_pcm(block))
                        done[name] += len(block)
                    on_progress(min(done.values()) / total)
        return paths
