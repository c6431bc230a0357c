"""What was on the air, played again from its notes: no model is asked, and the sound is the same to the sample.

A synthesizer and a mixer cannot be set to what they were; they are begun a little earlier, and by the first frame that
is wanted nothing is left of the difference. Vinyl, rain and the tape's wavering depend on the frame alone.
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
from radio.audio.noise import Noise
from radio.compose.bass import KICKS
from radio.settings.controls import LAYERS
from radio.settings.station import StationSettings
from radio.station.factory import open_sounds
from radio.station.layers import PLAYED_LAYERS
from radio.station.rendering import encode, samples
from radio.types import MIX_BLOCK, SAMPLE_RATE, Block, Frames, JsonValue, SynthEvent, Tick

PREROLL: Final[Frames] = 10 * SAMPLE_RATE // MIX_BLOCK * MIX_BLOCK
"""How much earlier sound is begun: the longest notes and the room's ringing are over by then."""

_ENCODED: Final = 0.9
"""Share of the work that playing is, where an encoder or a packer follows."""


class PlayedNote(NamedTuple):
    """A note as it sounded: velocity 0 releases it."""

    frame: Frames
    layer: str
    note: int
    velocity: int
    tick: Tick


class BarLine(NamedTuple):
    """Where a bar began, and how fast it went."""

    frame: Frames
    number: int
    tempo: float


@dataclass(frozen=True, slots=True)
class AiredPassage:
    """A stretch of what one worker played; all frames and ticks are the worker's own."""

    settings: StationSettings
    """With the worker's seed, and the controls in force `PREROLL` before `start`."""
    start: Frames
    end: Frames
    notes: Sequence[PlayedNote]
    """From `PREROLL` before `start` on, in order."""
    bars: Sequence[BarLine]
    """Those that begin in it, in order."""
    changes: Sequence[tuple[Frames, Mapping[str, JsonValue]]]
    """Of the controls, since then, in order."""


def played(passage: AiredPassage, *, apart: bool = False) -> Iterator[dict[str, Block]]:
    """The sound of a passage, in blocks of any size.

    Args:
        passage: What to play.
        apart: Give each layer alone, as it comes through the station's mixer; else all of them, as `mix`.

    Raises:
        AudioError: The soundfont cannot be used.
    """
    settings, controls = passage.settings, passage.settings.controls
    position = max(0, passage.start - PREROLL) // MIX_BLOCK * MIX_BLOCK
    synth, textures = open_sounds(settings, settings.seed)
    with closing(synth):
        begun = position
        for layer in PLAYED_LAYERS:
            notes = (note for note in passage.notes if note.layer == layer and note.frame >= begun)
            synth.schedule(layer, [SynthEvent(note.frame - begun, note.note, note.velocity) for note in notes])
        kicks = deque(note.frame for note in passage.notes if _is_kick(note) and note.frame >= begun)
        for texture in textures.values():
            if isinstance(texture, Noise):  # loops begin anew: to find where they were takes as long as playing them
                texture.skip(begun)
        mixers = {name: Mixer(settings.tone) for name in (LAYERS if apart else ("mix",))}
        for mixer in mixers.values():
            mixer.seek(begun)
        latency = next(iter(mixers.values())).latency
        changes = deque(passage.changes)
        while position - latency < passage.end:
            while changes and changes[0][0] <= position:
                controls = controls.changed(changes.popleft()[1])
            stems = synth.render(MIX_BLOCK) | {layer: texture.render(MIX_BLOCK) for layer, texture in textures.items()}
            struck = []
            while kicks and kicks[0] < position + MIX_BLOCK:
                struck.append(kicks.popleft() - position)
            first = max(0, passage.start - (position - latency))
            last = min(MIX_BLOCK, passage.end - (position - latency))
            blocks = {
                name: mixer.process({name: stems[name]} if apart else stems, controls, struck)[first:last]
                for name, mixer in mixers.items()
            }
            position += MIX_BLOCK
            if first < last:
                yield blocks


def _is_kick(note: PlayedNote) -> bool:
    return note.layer == "drums" and note.note in KICKS and note.velocity > 0


@dataclass(frozen=True, slots=True)
class Export:
    """Passages that followed one another, as one file: a task for `radio.worker.job_queue`.

    `ending` is .wav, .flac, .mp3 or .opus; .zip holds a WAV file of each layer.
    """

    passages: Sequence[AiredPassage]
    name: str
    """Of the file, without its ending."""
    ending: str
    title: str

    def run(self, folder: Path, progress: Callable[[float], None]) -> Path:
        target = folder / f"{self.name}{self.ending}"
        share = 1.0 if self.ending == ".wav" else _ENCODED
        wavs = self._write_wavs(folder, lambda done: progress(done * share))
        if self.ending == ".zip":
            with zipfile.ZipFile(target, "w") as archive:
                for layer, wav in wavs.items():
                    archive.write(wav, f"{self.name}/{layer}.wav")
                    wav.unlink()
        elif self.ending == ".wav":
            wavs["mix"].rename(target)
        else:
            encode(wavs["mix"], target, title=self.title, station=self.passages[0].settings.title)
            wavs["mix"].unlink()
        progress(1.0)
        return target

    def _write_wavs(self, folder: Path, progress: Callable[[float], None]) -> dict[str, Path]:
        total = sum(passage.end - passage.start for passage in self.passages)
        paths: dict[str, Path] = {}
        done: dict[str, Frames] = defaultdict(int)
        with ExitStack() as stack:
            files: dict[str, wave.Wave_write] = {}
            for passage in self.passages:
                for blocks in played(passage, apart=self.ending == ".zip"):
                    for name, block in blocks.items():
                        if name not in files:
                            paths[name] = folder / f"{name}.draft.wav"
                            files[name] = stack.enter_context(wave.open(str(paths[name]), "wb"))
                            files[name].setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
                        files[name].writeframes(samples(block))
                        done[name] += len(block)
                    progress(min(done.values()) / total)
        return paths
