"""A station: pulled for audio, it composes, plays and mixes what comes next. It knows no clock, socket or file."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Protocol

import numpy as np

from radio.audio.loop_folder import LoopFolder
from radio.audio.mixer import Mixer
from radio.audio.rain import Rain
from radio.audio.synth import Program, Synth
from radio.audio.vinyl import Vinyl
from radio.compose import drum_timing as timings
from radio.compose.bass import KICKS
from radio.compose.composer import Bar, Composer
from radio.compose.conductor import Conductor
from radio.compose.drum_timing import STEADY, Timing
from radio.compose.feel import LOOKAHEAD, Feel
from radio.compose.lookahead import Ahead
from radio.compose.loop_writer import LoopWriter
from radio.model.engines.selection import open_engine
from radio.model.weights import checkpoint
from radio.music import midi
from radio.music.chord_loops import bar_name, parse_loop
from radio.music.clock import Clock
from radio.music.events import NoteEvent
from radio.music.parts import CHORDS, DRUMS, PIANO
from radio.paths import DRUM_TIMINGS
from radio.settings.controls import CONTROLS, Controls
from radio.settings.station import StationSettings
from radio.types import (
    BEATS_PER_BAR,
    MIX_BLOCK,
    SAMPLE_RATE,
    TICKS_PER_BAR,
    TICKS_PER_BEAT,
    Block,
    Frames,
    JsonValue,
    Landing,
    StationEvent,
    SynthEvent,
    Tick,
)

PLAYED_LAYERS = ("keys", "bass", "drums")


class Texture(Protocol):
    """An endless layer that is not played: vinyl, rain, loops."""

    def render(self, frames: Frames) -> Block: ...

    def skip(self, frames: Frames) -> None:
        """Let frames pass that nobody hears."""


def open_station(
    settings: StationSettings, *, seed: int | None = None, composed: Callable[[Bar], None] = lambda _: None
) -> Station:
    """Load the station's models and sounds.

    Args:
        composed: told of each bar when it is certain to sound.

    Raises:
        ModelError, AudioError: naming the file at fault.
    """
    drawn = settings.seed if seed is None else seed
    synth, textures = open_sounds(settings, drawn)
    return Station(
        settings,
        open_composer(settings, drawn),
        synth,
        textures,
        seed=drawn,
        timing=open_timing(settings),
        composed=composed,
    )


def open_sounds(settings: StationSettings, seed: int) -> tuple[Synth, dict[str, Texture]]:
    """The station's instruments and its textures. Raises AudioError, naming the file at fault."""
    programs = {
        "keys": Program(settings.keys_program),
        "bass": Program(settings.bass_program),
        "drums": Program(settings.drum_kit, drums=True),
    }
    textures: dict[str, Texture] = {
        "vinyl": Vinyl(seed),
        "rain": LoopFolder(settings.loops) if settings.loops else Rain(seed),
    }
    return Synth(settings.soundfont, programs), textures


def open_timing(settings: StationSettings) -> Timing:
    """How the station's drummer times the hits. Raises ModelError where the table of timings cannot be read."""
    if settings.timing == "steady":
        return STEADY
    table = timings.read(DRUM_TIMINGS)
    return table.get(settings.style, table[timings.ANY])


def open_composer(settings: StationSettings, seed: int) -> Composer:
    """The station's models and conductor alone: music without sound."""
    return Composer(
        open_engine(checkpoint.read(settings.piano, PIANO), settings.engine),
        open_engine(checkpoint.read(settings.drums, DRUMS), settings.engine),
        open_conductor(settings, seed),
        seed=seed,
    )


def open_conductor(settings: StationSettings, seed: int) -> Conductor:
    """The station's form and harmony alone."""
    return Conductor(
        writer=LoopWriter(open_engine(checkpoint.read(settings.chords, CHORDS), settings.engine)),
        progressions=[parse_loop(bars) for bars in settings.progressions],
        keys=settings.keys,
        style=settings.style,
        seed=seed,
    )


class Station:
    """One endless programme: a function of (checkpoints, settings, seed, the controls' log)."""

    def __init__(
        self,
        settings: StationSettings,
        composer: Composer,
        synth: Synth,
        textures: Mapping[str, Texture],
        *,
        seed: int,
        timing: Timing = STEADY,
        composed: Callable[[Bar], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self._told = composed
        self.controls = settings.controls
        """As last asked for; those that land on a bar line sound from the bar that `control` named."""
        self._composer = Ahead(composer)
        self._synth = synth
        self._textures = textures
        self._mixer = Mixer(settings.tone)
        self._clock = Clock(settings.controls.tempo)
        self._feels = {layer: Feel(layer, seed, timing) for layer in PLAYED_LAYERS}
        self._composed: Frames = 0  # where the first bar that is not composed yet will start
        self._kicks: list[Frames] = []
        self._events: list[tuple[Frames, int, StationEvent]] = []  # a heap; the number keeps the order within a frame
        self._serial = itertools.count()
        self._sounding = settings.controls  # the controls under which the latest bar was composed
        # The mixer's output lags by its latency: run it ahead once, so that frame 0 is the first bar line.
        self._dry: Frames = 0
        self._rest = self._mix()[self._mixer.latency :]  # rendered, not asked for yet

    @property
    def position(self) -> Frames:
        """The next frame to be rendered."""
        return self._dry - self._mixer.latency - len(self._rest)

    def render(self, frames: Frames) -> Block:
        """The next `frames` of audio; however they are split, the same samples."""
        out = np.empty((frames, 2), dtype=np.float32)
        done = 0
        while done < frames:
            if not len(self._rest):
                self._rest = self._mix()
            part = self._rest[: frames - done]
            out[done : done + len(part)] = part
            self._rest = self._rest[len(part) :]
            done += len(part)
        return out

    def control(self, patch: Mapping[str, object]) -> dict[str, Landing]:
        """Turn controls. A change to the music lands on the next bar line not composed yet, one to the harmony with the
        first loop that begins there or later (its frame holds if the tempo does), one to the mix at once: with the next
        block to be mixed.

        Returns:
            for each control of `patch`, from which bar and frame it is heard.

        Raises:
            ControlError: an unknown control or a value out of range; nothing is changed.
        """
        self.controls = self.controls.changed(patch)
        bar_line = Landing(self._composer.next_number, self._composed)
        in_mix = Landing(self._bar_at(self._dry), self._dry)
        loops_away = self._composer.next_loop - self._composer.next_number
        frames_per_bar = 60 * SAMPLE_RATE * BEATS_PER_BAR / self.controls.tempo
        loop = Landing(self._composer.next_loop, self._composed + round(loops_away * frames_per_bar))
        places = {"bar": bar_line, "loop": loop, "mix": in_mix}
        landings = {name: places[CONTROLS[name].lands] for name in patch}
        mixed: dict[str, JsonValue] = {
            name: getattr(self.controls, name) for name in patch if CONTROLS[name].lands == "mix"
        }
        if mixed:
            self._log(in_mix.frame, "control", mixed)
        return landings

    def skip(self) -> Landing:
        """Begin the next track with the next bar that is not composed yet, unless one begins there anyway."""
        self._composer.skip()
        return Landing(self._composer.next_number, self._composed)

    @property
    def line(self) -> Frames:
        """The bar line of the first bar that is not composed yet; it is composed when `render` comes near to it."""
        return self._composed

    def prepare(self) -> None:
        """Compose the next bar early, in any thread, so that `render` need not; the audio is the same as without."""
        self._composer.prepare(self.controls)

    def events(self) -> list[StationEvent]:
        """What has been rendered since the last call, in order of frame."""
        aired = []
        while self._events and self._events[0][0] < self.position:
            aired.append(heapq.heappop(self._events)[2])
        return aired

    def close(self) -> None:
        """Free the synthesizer."""
        self._synth.close()

    def _mix(self) -> Block:
        """The next block, `mixer.latency` frames behind what is composed and played for it."""
        end = self._dry + MIX_BLOCK
        while self._composed < end + LOOKAHEAD:
            self._compose()
        stems = self._synth.render(MIX_BLOCK)
        for layer, texture in self._textures.items():
            if self._mixer.hears(layer, self.controls):
                stems[layer] = texture.render(MIX_BLOCK)
            else:
                texture.skip(MIX_BLOCK)
        kicks = [frame - self._dry for frame in self._kicks if frame < end]
        self._kicks = [frame for frame in self._kicks if frame >= end]
        block = self._mixer.process(stems, self.controls, kicks)
        self._dry = end
        return block

    def _compose(self) -> None:
        controls = self.controls
        tick = self._composer.next_number * TICKS_PER_BAR
        self._clock.set_tempo(tick, controls.tempo)
        self._clock.forget(tick - TICKS_PER_BAR)
        bar = self._composer.next_bar(controls)
        self._told(bar)
        controls = controls.changed({"mood": bar.track.mood})  # which waits for a loop to begin
        self._announce(bar, controls)
        for layer, events in bar.events.items():
            self._schedule(layer, events, controls.swing)
        self._composed = self._clock.frame(tick + TICKS_PER_BAR)
        self._sounding = controls

    def _announce(self, bar: Bar, controls: Controls) -> None:
        frame = self._clock.frame(bar.plan.tick)
        changed: dict[str, JsonValue] = {
            field.name: getattr(controls, field.name)
            for field in fields(controls)
            if CONTROLS[field.name].lands != "mix"
            and getattr(controls, field.name) != getattr(self._sounding, field.name)
        }
        if changed:
            self._log(frame, "control", changed)
        if bar.opens_track:
            track = bar.track
            self._log(
                frame,
                "track",
                {
                    "number": track.number,
                    "title": track.title,
                    "key": track.key_name,
                    "tempo": self._clock.tempo,
                    "chords": [*track.sections[bar.plan.section].names()],
                    "bars": track.bars,
                },
            )
        names = [] if bar.plan.loop is None else bar.plan.loop.names()
        self._log(
            frame,
            "bar",
            {
                "number": bar.plan.number,
                "chord": bar_name(*bar.plan.chords[::2]),
                "section": bar.plan.section,
                "tempo": self._clock.tempo,
                "chords": [*names],
                "place": bar.plan.place,
            },
        )

    def _schedule(self, layer: str, events: Sequence[NoteEvent], swing: float) -> None:
        feel = self._feels[layer]
        placed = []
        for event in events:
            frame = feel.place(event.tick, event.note, self._clock, swing)
            placed.append(SynthEvent(frame, event.note, event.velocity))
            if layer == "drums" and event.note in KICKS and event.velocity:
                self._kicks.append(frame)
            note: dict[str, JsonValue] = {"layer": layer, "note": event.note, "velocity": event.velocity}
            self._log(frame, "note", {**note, "tick": event.tick})
        self._synth.schedule(layer, placed)

    def _log(self, frame: Frames, kind: str, data: dict[str, JsonValue]) -> None:
        event = StationEvent(frame, kind, data)  # type: ignore[arg-type]
        heapq.heappush(self._events, (frame, next(self._serial), event))

    def _bar_at(self, frame: Frames) -> int:
        """The number of the bar that sounds at `frame`: the last composed one, or the one before it."""
        last = self._composer.next_number - 1
        return last if frame >= self._clock.frame(last * TICKS_PER_BAR) else last - 1


def write_midi(
    settings: StationSettings,
    *,
    minutes: float,
    seed: int,
    path: Path,
    progress: Callable[[float], None] = lambda _: None,
) -> None:
    """Compose `minutes` of a station and write them as a MIDI file: tempo, metre and one track per layer.

    The notes stand on their ticks: swing and lateness belong to the sound. The same (checkpoints, settings, seed) give
    the same bytes.

    Args:
        progress: told the share that is done, 0–1.
    """
    composer = open_composer(settings, seed)
    end: Tick = round(minutes * settings.controls.tempo * TICKS_PER_BEAT)
    bars: list[Bar] = []
    while composer.next_number * TICKS_PER_BAR < end:
        bars.append(composer.next_bar(settings.controls))
        progress(min(1.0, composer.next_number * TICKS_PER_BAR / end))
    write_bars(settings, bars, end=end, path=path)


def write_bars(settings: StationSettings, bars: Sequence[Bar], *, end: Tick, path: Path) -> None:
    """Write bars, from the station's first one on, as a MIDI file that ends at `end`, without the layers it mutes."""
    played = [layer for layer in PLAYED_LAYERS if not getattr(settings.controls, f"{layer}_mute")]
    events = {layer: [event for bar in bars for event in bar.events[layer]] for layer in played}
    programs = {"keys": settings.keys_program, "bass": settings.bass_program, "drums": settings.drum_kit}
    tracks = [
        midi.MidiTrack(layer, midi.excerpt(events[layer], 0, end), programs[layer], layer == "drums")
        for layer in played
    ]
    midi.write(path, tracks, {0: settings.controls.tempo}, end=end)
