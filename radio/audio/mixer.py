"""Layers in, the station's sound out: balance, ducking, tape, tone and limiter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from radio.audio.curve import Ramp, Signal
from radio.audio.duck import Duck
from radio.audio.filters import Biquad, SweptLowPass, high_pass_sections, low_pass_sections
from radio.audio.grit import Grit
from radio.audio.limiter import Limiter
from radio.audio.room import Room
from radio.audio.tape import Tape, saturate
from radio.audio.tone import Tone
from radio.controls import LAYERS, Controls
from radio.errors import AudioError, nearest
from radio.types import Block, Frames

_PLAYED = ("keys", "bass", "drums")
_TEXTURES = ("vinyl", "rain")
_FADE = 25.0
"""Full scale per second at which a level moves: 40 ms from unity to silence, which makes no click."""


class Mixer:
    """One station's mixing desk.

        keys, bass ─ grit ─ low-pass ─ level ─ duck ─┐
        drums ────── grit ─ low-pass ─ level ────────┴ room ─ saturation ─ gain ┐
        vinyl, rain ────────────────── level ───────────────────────────────────┴ tape ─ high-pass ─ low-pass ─ limiter

    The room hears keys and drums. Vinyl and rain pass neither drive nor gain, so their trims are their levels on air.

    Controls and kicks are read at the lines of the absolute grid of 64 frames, and nothing else depends on how the
    signal is cut: what comes out is bit-identical however `process` is split. A deep copy goes on bit-identically.

    Args:
        tone: the station's lo-fi numbers.
    """

    def __init__(self, tone: Tone) -> None:
        self._trims = {layer: _linear(getattr(tone, f"{layer}_db")) for layer in LAYERS}
        self._filters = {
            layer: Biquad(low_pass_sections(float(getattr(tone, f"{layer}_lowpass")))) for layer in _PLAYED
        }
        self._grit = {layer: Grit(tone.grit_bits, tone.grit_rate) for layer in _PLAYED}
        self._room = Room(tone.room_decay)
        self._room_gain = _linear(tone.room_db)
        self._duck = Duck(tone.duck_db, tone.duck_release)
        self._drive = _linear(tone.drive_db)
        self._gain = _linear(tone.gain_db)
        self._tape = Tape(tone.wow_cents, tone.flutter_cents)
        self._high_pass = Biquad(high_pass_sections(tone.highpass))
        self._low_pass: SweptLowPass | None = None
        self._levels: dict[str, Ramp] = {}
        self._limiter = Limiter(tone.ceiling_db)
        self.position: Frames = 0
        self.latency: Frames = self._tape.latency + self._limiter.latency
        """How many frames later than it came in a sound goes out."""

    def process(self, stems: Mapping[str, Block], controls: Controls, kicks: Sequence[Frames] = ()) -> Block:
        """Mix the next frames.

        Args:
            stems: (frames, 2) float32 for each layer that sounds, all of one length; at least one.
            controls: levels, mutes, `lowpass` and `wow` for these frames; the first call's hold from the first frame.
            kicks: frames within this block at which a kick drum sounds.

        Returns:
            (frames, 2) float32, `latency` frames behind the stems, no sample above the tone's ceiling.

        Raises:
            AudioError: no stem, an unknown layer, or stems of different lengths.
        """
        frames = _frames(stems)
        if not frames:
            return np.zeros((0, 2), dtype=np.float32)
        if self._low_pass is None:
            self._low_pass = SweptLowPass(controls.lowpass)
            self._levels = {layer: Ramp(self._target(layer, controls), _FADE) for layer in LAYERS}
        duck = self._duck.draw(self.position, frames, [self.position + kick for kick in kicks])
        keys, bass, drums = (self._played(layer, stems.get(layer), frames, controls) for layer in _PLAYED)
        keys *= duck
        bass *= duck
        room = self._room.process(keys + drums) * self._room_gain
        mix = saturate(keys + bass + drums + room, self._drive) * self._gain
        for layer in _TEXTURES:
            level = self._level(layer, frames, controls)
            if layer in stems:
                mix += _signal(stems[layer], self._trims[layer]) * level
        mix = self._tape.process(mix, self.position, controls.wow)
        mix = self._low_pass.process(self._high_pass.process(mix), self.position, controls.lowpass)
        mix = self._limiter.process(mix, self.position)
        self.position += frames
        return np.ascontiguousarray(mix.T, dtype=np.float32)

    def _target(self, layer: str, controls: Controls) -> float:
        """The linear gain that a layer is asked to have."""
        if getattr(controls, f"{layer}_mute"):
            return 0.0
        return _linear(getattr(controls, f"{layer}_level"))

    def _played(self, layer: str, stem: Block | None, frames: Frames, controls: Controls) -> Signal:
        x = np.zeros((2, frames)) if stem is None else _signal(stem, self._trims[layer])
        x = self._filters[layer].process(self._grit[layer].process(x, self.position))
        x *= self._level(layer, frames, controls)
        return x

    def _level(self, layer: str, frames: Frames, controls: Controls) -> float | Signal:
        return self._levels[layer].draw(self.position, frames, self._target(layer, controls))


def _linear(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _signal(stem: Block, gain: float) -> Signal:
    """A stem in the mixer's own layout: (2, frames) float64, each channel contiguous."""
    return np.multiply(stem.T, gain, dtype=np.float64, order="C")


def _frames(stems: Mapping[str, Block]) -> Frames:
    if not stems:
        raise AudioError("nothing to mix: give at least one stem")
    for layer, stem in stems.items():
        if layer not in LAYERS:
            raise AudioError(f"there is no layer '{layer}'.{nearest(layer, LAYERS)} Layers: {', '.join(LAYERS)}")
        if stem.ndim != 2 or stem.shape[1] != 2:
            raise AudioError(f"stem '{layer}' has shape {stem.shape}, not (frames, 2)")
    lengths = {layer: len(stem) for layer, stem in stems.items()}
    if len(set(lengths.values())) > 1:
        raise AudioError(f"stems differ in length: {lengths}")
    return next(iter(lengths.values()))
