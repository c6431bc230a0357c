"""Replay of aired music from its notes: it needs no models, and gives the same samples.

The past states of a synthesizer and a mixer cannot be restored. Instead, playing starts a little earlier, so that no
difference remains at the first requested frame. Vinyl, rain, ambience and the tape's wow depend only on the frame.
"""

from __future__ import annotations

import wave
import zipfile
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from radio.audio.mixer import Mixer
from radio.settings.controls import LAYERS, PLAYED_LAYERS, Controls
from radio.station.aired import PREROLL, AiredPassage
from radio.station.audio_files import encode, to_pcm
from radio.station.factory import open_sounds
from radio.station.layers import change_programs
from radio.station.moves import Moves
from radio.station.note_cues import NoteCues
from radio.types import (
    MIX_BLOCK,
    SAMPLE_RATE,
    Block,
    Frames,
    ProgressCallback,
    SynthEvent,
)

_PLAY_SHARE: Final = 0.9
"""Share of the work taken by playing if the audio is encoded or packed afterwards."""


def replay(passage: AiredPassage, *, separate: bool = False) -> Iterator[dict[str, Block]]:
    """Yield the sound of a passage in blocks of varying size.

    Args:
        passage: the passage to play.
        separate: yield each layer separately, processed by the station's mixer, instead of all of them as `mix`.

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
        cues = NoteCues()
        for note in passage.notes:
            if note.frame >= first_frame and note.velocity > 0:
                cues.add(note.frame, note.layer, note.note, note.velocity)
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
            struck, _ = cues.take(position, position + MIX_BLOCK)
            first = max(0, passage.start - (position - latency))
            last = min(MIX_BLOCK, passage.end - (position - latency))
            move = moves.at(position + MIX_BLOCK)
            blocks = {
                name: mixer.process(_only(name, stems) if separate else stems, controls, move, struck)[first:last]
                for name, mixer in mixers.items()
            }
            position += MIX_BLOCK
            if first < last:
                yield blocks


def _always(_layer: str, _controls: Controls) -> bool:
    """Return True: a layer that is yielded separately is rendered even while it is silent in the mix."""
    return True


def _only(layer: str, stems: Mapping[str, Block]) -> Mapping[str, Block]:
    """Return the stem of one layer, or nothing for the lead of a station without one."""
    return {layer: stems[layer]} if layer in stems else {}


def write(
    passages: Sequence[AiredPassage],
    target: Path,
    *,
    title: str,
    on_progress: ProgressCallback,
) -> None:
    """Write consecutive passages to one file.

    Args:
        passages: The passages, in order.
        target: The file: .wav, .flac, .mp3, .opus, or .zip with a WAV file of each layer. Drafts go next to it.
        title: The title that players show.
        on_progress: Called with the completed share of the work, 0–1.

    Raises:
        AudioError: the soundfont cannot be used.
        StreamError: ffmpeg is not installed or failed.
    """
    suffix = target.suffix
    share = 1.0 if suffix == ".wav" else _PLAY_SHARE
    wavs = _write_wavs(passages, target.parent, suffix == ".zip", lambda done: on_progress(done * share))
    if suffix == ".zip":
        with zipfile.ZipFile(target, "w") as archive:
            for layer, wav in wavs.items():
                archive.write(wav, f"{target.stem}/{layer}.wav")
                wav.unlink()
    elif suffix == ".wav":
        wavs["mix"].rename(target)
    else:
        encode(wavs["mix"], target, tags={"title": title, "artist": passages[0].settings.title})
        wavs["mix"].unlink()
    on_progress(1.0)


def _write_wavs(
    passages: Sequence[AiredPassage], folder: Path, separate: bool, on_progress: ProgressCallback
) -> dict[str, Path]:
    total = sum(passage.end - passage.start for passage in passages)
    paths: dict[str, Path] = {}
    done: dict[str, Frames] = defaultdict(int)
    with ExitStack() as stack:
        files: dict[str, wave.Wave_write] = {}
        for passage in passages:
            for blocks in replay(passage, separate=separate):
                for name, block in blocks.items():
                    if name not in files:
                        paths[name] = folder / f"{name}.draft.wav"
                        files[name] = stack.enter_context(wave.open(str(paths[name]), "wb"))
                        files[name].setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
                    files[name].writeframes(to_pcm(block))
                    done[name] += len(block)
                on_progress(min(done.values()) / total)
    return paths
