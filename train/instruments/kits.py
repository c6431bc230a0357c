"""The drum kits: a pad for each note of General MIDI's drum map, from fitted and from modelled voices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from train.instruments import percussion
from train.instruments.fitting import PARAMETERS, FittedNote, read_parameters
from train.instruments.loudness import read_levels
from train.instruments.note import Note, render
from train.instruments.percussion import Voice, decay, hiss, low_pass, moments, swept_sine
from train.instruments.references import RATE, Signal
from train.instruments.sampling import alternating, layers, level_gain, levelled, looped_sample, resampled, trimmed
from train.instruments.soundfont import Preset, Sample, Zone, timecents
from train.instruments.tones import looped, shared_gain

_HAT_CLASS: Final = 1
_CLEAN: Final = 31_500
_DARK: Final = 22_050
_DUSTY: Final = 26_460
"""Hz: the sample rate of the samplers of the late eighties."""
_RING_START: Final = 0.6
"""Seconds after which a pad that rings on is looped."""
_TOPS: Final = {1: (127,), 2: (80, 127), 3: (50, 90, 127), 4: (40, 68, 98, 127)}

Treatment = Callable[[Signal], Signal]


@dataclass(frozen=True, slots=True)
class Pad:
    """One pad of a kit.

    Two pads with the same `name` share their samples.
    """

    name: str
    voice: Voice
    treatment: Treatment = lambda signal: signal
    layers: int = 3
    variants: int = 2
    rate: int = _CLEAN
    seconds: float = 2.0
    """The longest that it sounds."""
    pan: int = 0
    """From -500, left, to 500."""
    tune: int = 0
    """Semitones by which its samples are raised."""
    chokes: bool = False
    """It ends the other pads that choke, as the pedal does the open hi-hat."""
    note: Callable[[float, int], Note] | None = None
    """Parameters, in place of the voice, of a pad that rings on in a loop."""
    loop: float = 0.3
    """Seconds of that loop."""
    level: float | None = None
    """dB: loudness at `VELOCITY`, in place of the level of the same pad in FluidR3."""


class FittedDrums:
    """The voices that were fitted to reference hits.

    Args:
        held_out: the (velocity, take) of hits that are left out.
    """

    def __init__(self, held_out: frozenset[tuple[int, int]] = frozenset()) -> None:
        self._held_out = held_out
        self._hits: dict[str, list[FittedNote]] = {}

    def voice(self, name: str, *, pitch: float = 1.0, softest: int = 1, loudest: int = 127) -> Voice:
        """Return a drum's voice.

        Args:
            name: its file of parameters.
            pitch: factor on the speed at which it plays.
            softest, loudest: the velocities of references that 0 and 1 stand for.
        """

        def hit(velocity: float, variant: int) -> Signal:
            sound = render(self.note(name, softest + velocity * (loudest - softest), variant), 2.5, seed=11 + variant)
            if pitch == 1:
                return sound
            places = np.arange(int(len(sound) / pitch)) * pitch
            return np.asarray(np.interp(places, np.arange(len(sound)), sound))

        return hit

    def note(self, name: str, velocity: float, variant: int) -> Note:
        """Return the parameters of a take of the reference that is nearest in velocity."""
        hits = self._fitted(name)
        nearest = min(abs(hit.velocity - velocity) for hit in hits)
        takes = [hit for hit in hits if abs(hit.velocity - velocity) == nearest]
        return takes[variant % len(takes)].note

    def ringing(self, name: str) -> Callable[[float, int], Note]:
        """Return a drum's parameters by velocity, from 0 to 1, and variant, for a pad that rings on in a loop."""
        return lambda velocity, variant: self.note(name, 1 + 126 * velocity, variant)

    def _fitted(self, name: str) -> list[FittedNote]:
        if name not in self._hits:
            hits = read_parameters(PARAMETERS / f"{name}.json")
            self._hits[name] = [hit for hit in hits if (hit.velocity, hit.take) not in self._held_out]
        return self._hits[name]


def gated(seconds: float) -> Treatment:
    """Return a treatment that makes a hit fall by 60 dB in `seconds` at the latest."""
    return lambda signal: np.asarray(signal * decay(seconds, len(signal) / RATE)[: len(signal)])


def dusty(*, drive: float, top: float, seconds: float) -> Treatment:
    """Return a treatment as by an old sampler and a worn record: short, saturated, dark, in steps of 12 bits.

    Args:
        drive: gain into the saturation, linear.
        top: Hz: the low-pass.
        seconds: the fall by 60 dB.
    """

    def treat(signal: Signal) -> Signal:
        short = gated(seconds)(signal)
        bent = np.tanh(drive * short / np.abs(short).max() + 0.1) - np.tanh(0.1)
        dark = low_pass(bent, top, 3)
        return np.asarray(np.round(2047 * dark / np.abs(dark).max()) / 2047)

    return treat


def mixed(*voices: tuple[float, Voice]) -> Voice:
    """Return a voice of several, each with a gain on its peak."""

    def hit(velocity: float, variant: int) -> Signal:
        parts = [(gain, voice(velocity, variant)) for gain, voice in voices]
        out = np.zeros(max(len(part) for _, part in parts))
        for gain, part in parts:
            out[: len(part)] += gain * part / np.abs(part).max()
        return out

    return hit


def _thump(hertz: float, seconds: float) -> Voice:
    """Return the round low end that is laid under a kick."""
    return lambda velocity, _: swept_sine(hertz * (1.7 + velocity), hertz, 0.02, 0.6) * decay(seconds, 0.6)


def _brushed(seconds: float) -> Voice:
    """Return a brush drawn over the head."""

    def hit(velocity: float, variant: int) -> Signal:
        time = moments(seconds)
        shape = np.sin(np.pi * np.clip(time / seconds, 0, 1) ** 0.7) ** 1.5
        return np.asarray(hiss(seconds, 700, 3500 + 4000 * velocity, 120 + variant) * shape)

    return hit


def _soft_kick(drums: FittedDrums) -> Voice:
    """Return a kick with a felt beater: the fitted one's softer half, without its click."""
    kick = drums.voice("kick", loudest=90)
    return lambda velocity, variant: low_pass(kick(velocity, variant), 900 + 1500 * velocity)


def _clean_pads(drums: FittedDrums) -> dict[int, Pad]:
    """Return the pads that acoustic kits share."""
    pads = {note: replace(pad, pan=30 * (note - 45)) for note, pad in _toms("tom", percussion.tom, 82.0).items()}
    crash = Pad("crash", percussion.cymbal(420, 2.6, 5), layers=2, variants=1, pan=-200)
    hat = Pad("hat", drums.voice("hihat-closed"), layers=4, pan=120, chokes=True, seconds=0.5)
    open_hat = Pad(
        "open hat",
        drums.voice("hihat-open"),
        variants=1,
        pan=120,
        chokes=True,
        note=drums.ringing("hihat-open"),
        loop=0.5,
    )
    ride = Pad("ride", drums.voice("ride"), layers=3, variants=1, pan=-150, note=drums.ringing("ride"), loop=0.5)
    kick = Pad("kick", drums.voice("kick"), layers=4, rate=_DARK, note=drums.ringing("kick"), loop=0.2)
    snare = Pad("snare", drums.voice("snare"), layers=4, note=drums.ringing("snare"), loop=0.15)
    return pads | {
        35: kick,
        36: kick,
        37: Pad("side stick", percussion.side_stick, pan=-40),
        38: snare,
        39: Pad("clap", percussion.clap, layers=2),
        40: snare,
        42: hat,
        44: Pad(
            "pedal hat",
            drums.voice("hihat-closed", pitch=0.94, loudest=60),
            layers=2,
            seconds=0.25,
            pan=120,
            chokes=True,
        ),
        46: open_hat,
        49: crash,
        51: ride,
        52: Pad("china", percussion.cymbal(620, 1.2, 9), layers=1, variants=1, pan=200),
        53: Pad("ride bell", drums.voice("ride", pitch=1.35), layers=1, variants=1, seconds=1.2, pan=-150),
        54: Pad("tambourine", percussion.tambourine, layers=2),
        55: Pad("splash", percussion.cymbal(750, 0.9, 13), layers=1, variants=1, pan=-100),
        56: Pad("cowbell", percussion.cowbell, layers=2, variants=1),
        57: replace(crash, pan=200),
        58: Pad("shaker", percussion.shaker, layers=2),
        59: ride,
        **_hand_percussion(),
    }


def _toms(name: str, voice: Callable[[float], Voice], lowest: float) -> dict[int, Pad]:
    """Return six toms three semitones apart: three drums, each tuned twice."""
    pads = {}
    for place, note in enumerate((41, 43, 45, 47, 48, 50)):
        hertz = lowest * 2 ** (place // 2 / 2)
        pads[note] = Pad(
            f"{name} {hertz:.0f}", voice(hertz), layers=2, variants=1, rate=_DARK, tune=3 * (place % 2), seconds=0.6
        )
    return pads


def _hand_percussion() -> dict[int, Pad]:
    shaker = Pad("shaker", percussion.shaker, layers=2)
    low = Pad("conga", percussion.conga(196), layers=2, variants=1, rate=_DARK, pan=-80)
    return {
        62: Pad("conga slap", percussion.conga(262, slap=True), layers=2, variants=1, rate=_DARK, pan=80, level=-26),
        63: Pad("high conga", percussion.conga(262), layers=2, variants=1, rate=_DARK, pan=80, level=-26),
        64: replace(low, level=-26),
        69: replace(shaker, level=-32),
        70: replace(shaker, level=-32),
        75: Pad("claves", percussion.claves, layers=1, variants=1, level=-30),
        81: Pad("triangle", percussion.triangle, layers=1, variants=1, level=-34),
        82: replace(shaker, level=-32),
    }


def _brushes(drums: FittedDrums) -> dict[int, Pad]:
    tap = Pad("brush tap", drums.voice("snare-brush", loudest=110), layers=3, seconds=0.45)
    kick = Pad("soft kick", _soft_kick(drums), layers=3, rate=_DARK, seconds=0.45)
    return _clean_pads(drums) | {
        35: kick,
        36: kick,
        38: tap,
        39: Pad("brush slap", drums.voice("snare-brush", softest=70), layers=2, seconds=0.4),
        40: Pad("brush swirl", _brushed(0.45), layers=2),
    }


def _dust(drums: FittedDrums) -> dict[int, Pad]:
    """Return the kit of a sampler of the late eighties: boom and bap."""
    kick_voice = mixed((1.0, _thump(54, 0.34)), (0.55, drums.voice("kick", pitch=0.92, softest=40)))
    kick = Pad("dusty kick", kick_voice, dusty(drive=1.9, top=4200, seconds=0.45), 4, rate=_DUSTY, seconds=0.45)
    snare_voice = mixed((1.0, drums.voice("snare", pitch=0.93, softest=30)), (0.25, percussion.clap))
    snare = Pad("dusty snare", snare_voice, dusty(drive=2.2, top=6800, seconds=0.42), 4, rate=_DUSTY, seconds=0.38)
    other_voice = mixed((0.6, drums.voice("snare", pitch=1.06, softest=30)), (0.7, percussion.clap))
    hats = dusty(drive=1.4, top=7200, seconds=0.2)
    rim = dusty(drive=1.8, top=6500, seconds=0.3)
    pads = {
        note: replace(pad, name=f"dusty {pad.name}", treatment=dusty(drive=1.6, top=6500, seconds=1.6), rate=_DUSTY)
        for note, pad in _clean_pads(drums).items()
        if pad.name.split()[0] in ("tom", "crash", "ride")
    }
    for note in (49, 51, 53, 57, 59):
        wash = dusty(drive=1.3, top=7000, seconds=1.8)
        pads[note] = replace(pads[note], note=None, treatment=wash, seconds=1.1, layers=1 if note == 53 else 2)
    for note in (41, 43, 45, 47, 48, 50):
        pads[note] = replace(pads[note], layers=2, seconds=0.5)
    return (
        _clean_pads(drums)
        | pads
        | {
            35: kick,
            36: kick,
            37: Pad("dusty rim", percussion.side_stick, rim, rate=_DUSTY),
            38: snare,
            39: Pad("dusty clap", percussion.clap, rim, rate=_DUSTY),
            40: Pad("dusty bap", other_voice, dusty(drive=2.4, top=6800, seconds=0.4), 3, rate=_DUSTY, seconds=0.36),
            42: Pad(
                "dusty hat",
                drums.voice("hihat-closed", pitch=0.88),
                hats,
                4,
                rate=_DUSTY,
                seconds=0.16,
                pan=80,
                chokes=True,
            ),
            44: Pad(
                "dusty pedal",
                drums.voice("hihat-closed", pitch=0.8, loudest=60),
                hats,
                2,
                rate=_DUSTY,
                pan=80,
                chokes=True,
            ),
            46: Pad(
                "dusty open hat",
                drums.voice("hihat-open", pitch=0.9),
                dusty(drive=1.4, top=7200, seconds=0.8),
                3,
                rate=_DUSTY,
                seconds=0.6,
                pan=80,
                chokes=True,
            ),
        }
    )


def _analog(drums: FittedDrums) -> dict[int, Pad]:
    """Return a kit like the TR-808's."""
    kick = Pad("808 kick", percussion.analog_kick(49, 1.0), variants=1, rate=_DARK)
    short = Pad("808 short kick", percussion.analog_kick(55, 0.45), variants=1, rate=_DARK)
    snare = Pad("808 snare", percussion.analog_snare(0.2))
    pads = _toms("808 tom", lambda hertz: percussion.analog_kick(hertz, 0.5), 87.0)
    cymbal = Pad("808 cymbal", percussion.analog_hat(1.4), layers=2, variants=1, seconds=1.4)
    shared = {note: pad for note, pad in _clean_pads(drums).items() if note not in (35, 36, 38, 40)}
    return (
        shared
        | pads
        | {
            35: short,
            36: kick,
            37: Pad("808 rim", percussion.claves, layers=2, variants=1),
            38: snare,
            39: Pad("808 clap", percussion.clap, layers=2),
            40: Pad("808 snare 2", percussion.analog_snare(0.13, snap=1.4)),
            42: Pad("808 hat", percussion.analog_hat(0.11), pan=80, chokes=True),
            44: Pad("808 pedal", percussion.analog_hat(0.16), layers=2, pan=80, chokes=True),
            46: Pad("808 open hat", percussion.analog_hat(0.6), layers=2, seconds=0.6, pan=80, chokes=True),
            49: cymbal,
            51: cymbal,
            57: cymbal,
        }
    )


def _electronic(drums: FittedDrums) -> dict[int, Pad]:
    """Return a lo-fi electronic kit: soft analog bodies through the old sampler."""
    kick_voice = mixed((1.0, percussion.analog_kick(52, 0.4)), (0.25, drums.voice("kick", softest=60)))
    snare_voice = mixed((0.8, percussion.analog_snare(0.18)), (0.6, percussion.clap))
    kick = Pad("lo-fi kick", kick_voice, dusty(drive=1.6, top=3800, seconds=0.5), variants=1, rate=_DUSTY)
    snare = Pad("lo-fi snare", snare_voice, dusty(drive=1.6, top=7000, seconds=0.4), rate=_DUSTY, seconds=0.4)
    crisp = dusty(drive=1.2, top=8500, seconds=0.14)
    return _dust(drums) | {
        35: kick,
        36: kick,
        38: snare,
        40: Pad("lo-fi snap", percussion.clap, dusty(drive=1.5, top=8000, seconds=0.22), rate=_DUSTY),
        42: Pad("lo-fi hat", percussion.analog_hat(0.08), crisp, rate=_DUSTY, pan=80, chokes=True),
        44: Pad("lo-fi tick", percussion.shaker, crisp, rate=_DUSTY, pan=80, chokes=True),
        46: Pad(
            "lo-fi open hat",
            percussion.analog_hat(0.4),
            dusty(drive=1.2, top=8500, seconds=0.5),
            2,
            rate=_DUSTY,
            seconds=0.45,
            pan=80,
            chokes=True,
        ),
    }


KITS: Final[Mapping[int, tuple[str, Callable[[FittedDrums], dict[int, Pad]]]]] = {
    0: ("Dusty boom-bap", _dust),
    8: ("Soft pop", _clean_pads),
    24: ("Lo-fi electronic", _electronic),
    25: ("Analog 808", _analog),
    40: ("Brushes", _brushes),
}
"""The kits by program of bank 128."""

_SHARED_LEVELS: Final = 0
"""The kit whose levels pads have that several kits share."""


def build_kits(
    held_out: frozenset[tuple[int, int]] = frozenset(), programs: Sequence[int] = tuple(KITS)
) -> list[Preset]:
    """Return the presets of kits.

    Args:
        held_out: the (velocity, take) of reference hits that are left out.
        programs: the kits [all].
    """
    drums = FittedDrums(held_out)
    levels = read_levels()
    made: dict[str, list[list[Hit]]] = {}
    presets = []
    for program in programs:
        title, pads = KITS[program]
        zones = []
        for note, pad in sorted(pads(drums).items()):
            own = pad.name.split()[0] in ("808", "lo-fi", "brush", "soft")
            table = levels[128, program if own else _SHARED_LEVELS]
            level = pad.level if pad.level is not None else max(table[note], -36.0)
            if pad.name not in made:
                made[pad.name] = _samples(pad, level)
            zones += _zones(pad, note, made[pad.name])
        presets.append(Preset(title, 128, program, zones))
    return presets


Hit = list[tuple[Sample, float]]
"""The samples that sound together, each with its envelope's decay in seconds, or 0."""


def _samples(pad: Pad, level: float) -> list[list[Hit]]:
    """Return a pad's hits by layer and variant."""
    return [[_hit(pad, level, layer, variant) for variant in range(pad.variants)] for layer in range(pad.layers)]


def _hit(pad: Pad, level: float, layer: int, variant: int) -> Hit:
    velocity = (layer + 0.5) / pad.layers
    name = f"{pad.name} {layer + 1}{'ab'[variant]}"
    if pad.note:
        note = pad.note(velocity, variant)
        tones = looped(note, pad.rate, _RING_START, pad.loop, seed=11 + variant)
        gain = shared_gain(tones, level_gain(render(note, 1.0, seed=11 + variant), RATE, level), 1.55)
        return [(looped_sample(f"{name}{part}", tone, gain, 60), tone.decay) for part, tone in enumerate(tones)]
    hit = pad.voice(velocity, variant)[: round(pad.seconds * RATE)]
    sound = resampled(pad.treatment(hit), pad.rate)
    return [(Sample(name, trimmed(levelled(sound - sound.mean(), pad.rate, level), pad.rate), pad.rate), 0.0)]


def _zones(pad: Pad, note: int, hits: list[list[Hit]]) -> list[Zone]:
    # The release is long, since a drum rings on after its note ends.
    generators = {"pan": pad.pan, "scale_tuning": 0, "volume_release": timecents(30)}
    if pad.tune:
        generators["coarse_tune"] = pad.tune
    if pad.chokes:
        generators["exclusive_class"] = _HAT_CLASS
    return [
        Zone(sample, (note, note), velocities, generators | _decay(decay))
        for layer, span in enumerate(layers(_TOPS[pad.layers]))
        for variant, velocities in alternating(span, pad.variants)
        for sample, decay in hits[layer][variant]
    ]


def _decay(seconds: float) -> dict[str, int]:
    if not seconds:
        return {}
    # A looped pad goes on falling as it did after its note ends.
    return {
        "volume_decay": timecents(seconds), "volume_sustain": 1440, "volume_release": timecents(seconds),
    }  # fmt: skip
