"""The mixer: combines the layers of a station with balance, ducking, room, tape, filters and a limiter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from radio.audio.cues import Cues
from radio.audio.curve import Lines, Ramp, Signal
from radio.audio.duck import Duck
from radio.audio.filters import (
    Filters,
    SweptLowPass,
    bell_sections,
    high_pass_sections,
    low_pass_sections,
    low_shelf_sections,
)
from radio.audio.glue import Glue
from radio.audio.grit import Grit
from radio.audio.limiter import Limiter
from radio.audio.room import Room
from radio.audio.stereo import AutoPan, Chorus
from radio.audio.tape import Tape, saturate
from radio.audio.tape_stop import TapeStop
from radio.errors import AudioError, did_you_mean
from radio.settings.controls import LAYERS, Controls
from radio.settings.tone import Tone
from radio.types import MIX_BLOCK, Block, Frames, MixState

_PLAYED = ("keys", "bass", "drums", "lead")
_TEXTURES = ("vinyl", "rain", "ambience")
_BAND_GAIN = 1.6
"""Make-up gain for drums that go through the telephone band."""
_CLEAR = 0.3
_OPEN = 1_000.0
"""Cutoff, in Hz, below which notes may be too quiet to hear."""
_STILL, _NONE = MixState(), Cues()
_FADE = 12.5
"""Rate at which a level moves, in full scale per second: 80 ms from unity to silence, without a click."""


class Mixer:
    """The mixer of one station.

        keys ───── grit ─ filters ─ chorus ─ pan ───── level ─ duck ─┐
        bass ───── grit ─ low-pass ─ mono ─ shelf ──── level ─ duck ─┤
        lead ───── grit ─ low-pass ─────────────────── level ─ duck ─┤
        drums ──── grit ─ low-pass ─────────────────── level ────────┴ room ─ saturation ─ glue ─ gain ─ tape stop ┐
        vinyl, rain, ambience ──────────────────────── level ──────────────────────────────────────────────────────┴ end

    `end` is tape, high-pass, low-pass and limiter. A kick ducks the lead by half as many dB as keys and bass. Bass
    notes and snare hits duck the keys. Keys, lead and drums feed the room. Vinyl, rain and ambience bypass drive, gain
    and tape stop, so their trims are their levels on air.

    The mixer works in blocks of 3,840 frames and processes keys, bass, drums and lead together. Controls are read once
    per block; levels and effects move to their new values on the lines of the absolute grid of 64 frames. A deep copy
    continues bit-identically.

    Args:
        tone: the station's lo-fi settings.
    """

    def __init__(self, tone: Tone) -> None:
        self._trims = {layer: _linear(getattr(tone, f"{layer}_db")) for layer in LAYERS}
        cutoffs = [float(getattr(tone, f"{layer}_lowpass")) for layer in _PLAYED]
        self._filters = Filters(*map(low_pass_sections, cutoffs))
        self._keys_filters = _keys_filters(tone)
        self._grit = Grit(tone.grit_bits, tone.grit_rate, channels=2 * len(_PLAYED))
        self._chorus = Chorus(tone.chorus / 100) if tone.chorus else None
        self._auto_pan = AutoPan(tone.pan_depth / 100, tone.pan_rate) if tone.pan_depth else None
        self._room = Room(tone.room_decay)
        self._room_gain = _linear(tone.room_db)
        self._duck = Duck(tone.duck_db, tone.duck_release, tone.duck_hold)
        self._bass_duck = Duck(tone.duck_bass_db, tone.duck_release, tone.duck_hold)
        self._snare_duck = Duck(tone.duck_snare_db, tone.duck_release, tone.duck_hold) if tone.duck_snare_db else None
        self._bass_shelf = Filters(low_shelf_sections(tone.bass_low_db), channels=1) if tone.bass_low_db else None
        self._drive = _linear(tone.drive_db)
        self._glue = Glue(tone.glue / 100) if tone.glue else None
        self._gain = _linear(tone.gain_db)
        self._tape_stop = TapeStop()
        self._tape = Tape(tone.wow_cents, tone.flutter_cents)
        self._high_pass = Filters(high_pass_sections(tone.highpass))
        self._low_pass: SweptLowPass | None = None
        self._levels: dict[str, Ramp] = {}
        self._latest: tuple[Controls | None, Mapping[str, float]] = (None, {})
        """The latest controls, and the linear gain of each layer that they set."""
        self._limiter = Limiter(tone.ceiling_db)
        self._music, self._band = Ramp(1.0, _FADE), Ramp(0.0, _FADE)
        self._band_filter = Filters(np.concatenate((high_pass_sections(450), low_pass_sections(2_600))))
        self.position: Frames = 0
        self.latency: Frames = self._tape.latency + self._limiter.latency
        """Delay from input to output."""

    def seek(self, position: Frames) -> None:
        """Set the absolute frame of the next block, a multiple of MIX_BLOCK, for the effects that follow the clock."""
        self.position = position
        for effect in (self._chorus, self._auto_pan, self._tape):
            if effect:
                effect.seek(position)

    def is_audible(self, layer: str, controls: Controls) -> bool:
        """Return True if `layer` can be heard in the next block. An inaudible layer may be left out of `process`."""
        return self._targets(controls)[layer] > 0 or (layer in self._levels and self._levels[layer].value > 0)

    def carries(self, layer: str, controls: Controls, move: MixState) -> bool:
        """Return True if a typical note of `layer` must be audible in the next block, as no setting makes it faint."""
        gain = min(1.0, self._trims[layer]) * self._targets(controls)[layer] * move.gain
        return gain >= _CLEAR and move.speed == 1 and min(controls.lowpass, move.lowpass) >= _OPEN

    def process(
        self,
        stems: Mapping[str, Block],
        controls: Controls,
        move: MixState = _STILL,
        cues: Cues = _NONE,
    ) -> Block:
        """Mix the next block.

        Args:
            stems: (MIX_BLOCK, 2) float32 for each layer; missing layers are silent.
            controls: levels, mutes, `lowpass` and `wow` for this block. Those of the first call apply immediately.
            move: values that the arrangement reaches at the end of this block.
            cues: the notes of this block that duck other layers.

        Returns:
            (MIX_BLOCK, 2) float32, delayed by `latency` frames; no sample exceeds the tone's ceiling.

        Raises:
            AudioError: a layer is unknown, a stem has another shape, or a stem contains NaN or infinity. These would
                stay in the filters forever, so the station must be reopened.
        """
        _check(stems)
        if self._low_pass is None:
            self._low_pass = SweptLowPass(min(controls.lowpass, move.lowpass))
            self._music, self._band = Ramp(move.gain, _FADE), Ramp(move.drums_band, _FADE)
            self._levels = {layer: Ramp(target, _FADE) for layer, target in self._levels_of(controls, move).items()}
        played = self._filters.process(self._grit.process(self._played_rows(stems), self.position))
        keys, bass, drums, lead = played.reshape(len(_PLAYED), 2, MIX_BLOCK)
        targets = self._levels_of(controls, move)
        levels = {layer: ramp.draw(targets[layer]) for layer, ramp in self._levels.items()}
        duck = self._duck.draw(cues.kicks)
        keys = self._shaped(keys)
        hit = np.minimum(duck, self._snare_duck.draw(cues.snares)) if self._snare_duck else duck
        keys *= _single(levels["keys"] * hit * self._bass_duck.draw(cues.bass_notes))
        bass[:] = self._lowered(bass.mean(axis=0))  # stereo bass would partly cancel on a mono loudspeaker
        bass *= _single(levels["bass"] * duck)
        lead *= _single(levels["lead"] * duck**0.5)
        drums[:] = self._telephone(drums, move.drums_band)
        drums *= _single(levels["drums"])
        drums += keys
        drums += lead
        mix = self._room.process(drums)
        mix *= self._room_gain
        mix += drums
        mix += bass
        mix = saturate(mix, self._drive)
        if self._glue:
            mix *= _single(self._glue.draw(mix))
        mix *= _single(self._music.draw(move.gain) * self._gain)
        mix = self._tape_stop.process(mix, move.speed)
        for layer in _TEXTURES:
            if layer in stems:
                mix += _single(levels[layer] * self._trims[layer]) * stems[layer].T
        mix = self._tape.process(mix, controls.wow)
        mix = self._low_pass.process(self._high_pass.process(mix), min(controls.lowpass, move.lowpass))
        if not np.isfinite(mix[:, -1]).all():
            raise AudioError(f"the mix contains NaN or infinity in the block at frame {self.position}")
        mix = self._limiter.process(mix)
        self.position += MIX_BLOCK
        return np.ascontiguousarray(mix.T)

    def _shaped(self, keys: Signal) -> Signal:
        """Return the keys after their filters, chorus and auto-pan."""
        if self._keys_filters:
            keys = self._keys_filters.process(keys)
        if self._chorus:
            keys = self._chorus.process(keys)
        return self._auto_pan.process(keys) if self._auto_pan else keys

    def _lowered(self, bass: Signal) -> Signal:
        """Return the bass, (MIX_BLOCK,), after its shelf filter."""
        return self._bass_shelf.process(bass[None])[0] if self._bass_shelf else bass

    def _telephone(self, drums: Signal, share: float) -> Signal:
        """Return the drums, with `share` of them sent through a telephone band."""
        if share == self._band.value == 0:
            self._band.draw(0)
            return drums
        blend = _single(self._band.draw(share))
        return drums + blend * (_BAND_GAIN * self._band_filter.process(drums) - drums)

    def _levels_of(self, controls: Controls, move: MixState) -> Mapping[str, float]:
        """Return the target gain of each layer, including the gains of the arrangement."""
        targets = self._targets(controls)
        return {**targets, "keys": targets["keys"] * move.keys}

    def _targets(self, controls: Controls) -> Mapping[str, float]:
        if controls is not self._latest[0]:
            self._latest = controls, {layer: _gain(layer, controls) for layer in LAYERS}
        return self._latest[1]

    def _played_rows(self, stems: Mapping[str, Block]) -> Signal:
        """Return keys, bass, drums and lead, with their trims applied, as rows of one signal."""
        rows: Signal = np.empty((len(_PLAYED), 2, MIX_BLOCK), np.float32)
        for row, layer in zip(rows, _PLAYED, strict=True):
            if layer in stems:
                np.multiply(stems[layer].T, self._trims[layer], out=row)
            else:
                row[:] = 0
        return rows.reshape(-1, MIX_BLOCK)


def _keys_filters(tone: Tone) -> Filters | None:
    """Return the filters for the keys only, or None if the tone sets none."""
    sections = [high_pass_sections(tone.keys_highpass)] if tone.keys_highpass else []
    sections += [bell_sections(tone.keys_middle_db)] if tone.keys_middle_db else []
    return Filters(np.concatenate(sections)) if sections else None


def _gain(layer: str, controls: Controls) -> float:
    return 0.0 if getattr(controls, f"{layer}_mute") else _linear(getattr(controls, f"{layer}_level"))


def _linear(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _single(gain: float | Lines) -> Signal:
    """Convert to single precision, so that products with single-precision signals stay in single precision."""
    return np.asarray(gain, np.float32)


def _check(stems: Mapping[str, Block]) -> None:
    for layer, stem in stems.items():
        if layer not in LAYERS:
            raise AudioError(f"unknown layer '{layer}'.{did_you_mean(layer, LAYERS)} Layers: {', '.join(LAYERS)}")
        if stem.shape != (MIX_BLOCK, 2):
            raise AudioError(f"stem '{layer}' has shape {stem.shape}, not ({MIX_BLOCK}, 2)")
