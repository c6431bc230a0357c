"""The kits of old machines: a dusty sampler, an analog drum machine, and both together."""

from __future__ import annotations

from dataclasses import replace

from train.instruments import percussion
from train.instruments.acoustic_kits import clean_pads, toms
from train.instruments.fitted_drums import FittedDrums
from train.instruments.pads import DARK, DUSTY, Pad, dusty, mixed
from train.instruments.percussion import Voice, decay, swept_sine


def _thump(hertz: float, seconds: float) -> Voice:
    """Return a round low end to layer under a kick."""
    return lambda velocity, _: swept_sine(hertz * (1.7 + velocity), hertz, 0.02, 0.6) * decay(seconds, 0.6)


def dust(drums: FittedDrums) -> dict[int, Pad]:
    """Return the kit of a late-eighties sampler: boom and bap."""
    # The fitted kick is inverted, so that its first waves add to the round low end instead of canceling it.
    kick_voice = mixed((1.0, _thump(54, 0.34)), (-0.45, drums.voice("kick", pitch=0.92, softest=40)))
    kick = Pad("dusty kick", kick_voice, dusty(drive=1.9, top=4200, seconds=0.45), 4, rate=DUSTY, seconds=0.45)
    snare_voice = mixed((1.0, drums.voice("snare", pitch=0.93, softest=30)), (0.25, percussion.clap))
    snare = Pad("dusty snare", snare_voice, dusty(drive=2.2, top=6800, seconds=0.42), 4, rate=DUSTY, seconds=0.38)
    other_voice = mixed((0.6, drums.voice("snare", pitch=1.06, softest=30)), (0.7, percussion.clap))
    hats = dusty(drive=1.4, top=7200, seconds=0.2)
    rim = dusty(drive=1.8, top=6500, seconds=0.3)
    pads = {
        note: replace(pad, name=f"dusty {pad.name}", treatment=dusty(drive=1.6, top=6500, seconds=1.6), rate=DUSTY)
        for note, pad in clean_pads(drums).items()
        if pad.name.split()[0] in ("tom", "crash", "ride")
    }
    for note in (49, 51, 53, 57, 59):
        wash = dusty(drive=1.3, top=7000, seconds=1.8)
        pads[note] = replace(pads[note], note=None, treatment=wash, seconds=1.1, layers=1 if note == 53 else 2)
    for note in (41, 43, 45, 47, 48, 50):
        pads[note] = replace(pads[note], layers=2, seconds=0.5)
    return (
        clean_pads(drums)
        | pads
        | {
            35: kick,
            36: kick,
            37: Pad("dusty rim", percussion.side_stick, rim, rate=DUSTY),
            38: snare,
            39: Pad("dusty clap", percussion.clap, rim, rate=DUSTY),
            40: Pad("dusty bap", other_voice, dusty(drive=2.4, top=6800, seconds=0.4), 3, rate=DUSTY, seconds=0.36),
            42: Pad(
                "dusty hat",
                drums.voice("hihat-closed", pitch=0.88),
                hats,
                4,
                rate=DUSTY,
                seconds=0.16,
                pan=80,
                chokes=True,
            ),
            44: Pad(
                "dusty pedal",
                drums.voice("hihat-closed", pitch=0.8, loudest=60),
                hats,
                2,
                rate=DUSTY,
                pan=80,
                chokes=True,
            ),
            46: Pad(
                "dusty open hat",
                drums.voice("hihat-open", pitch=0.9),
                dusty(drive=1.4, top=7200, seconds=0.8),
                3,
                rate=DUSTY,
                seconds=0.6,
                pan=80,
                chokes=True,
            ),
        }
    )


def analog(drums: FittedDrums) -> dict[int, Pad]:
    """Return a kit like the TR-808's."""
    kick = Pad("808 kick", percussion.analog_kick(49, 1.0), variants=1, rate=DARK)
    short = Pad("808 short kick", percussion.analog_kick(55, 0.45), variants=1, rate=DARK)
    snare = Pad("808 snare", percussion.analog_snare(0.2))
    pads = toms("808 tom", lambda hertz: percussion.analog_kick(hertz, 0.5), 87.0)
    cymbal = Pad("808 cymbal", percussion.analog_hat(1.4), layers=2, variants=1, seconds=1.4)
    shared = {note: pad for note, pad in clean_pads(drums).items() if note not in (35, 36, 38, 40)}
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


def electronic(drums: FittedDrums) -> dict[int, Pad]:
    """Return a lo-fi electronic kit: soft analog bodies through the old sampler."""
    kick_voice = mixed((1.0, percussion.analog_kick(52, 0.4)), (0.25, drums.voice("kick", softest=60)))
    snare_voice = mixed((0.8, percussion.analog_snare(0.18)), (0.6, percussion.clap))
    kick = Pad("lo-fi kick", kick_voice, dusty(drive=1.6, top=3800, seconds=0.5), variants=1, rate=DUSTY)
    snare = Pad("lo-fi snare", snare_voice, dusty(drive=1.6, top=7000, seconds=0.4), rate=DUSTY, seconds=0.4)
    crisp = dusty(drive=1.2, top=8500, seconds=0.14)
    return dust(drums) | {
        35: kick,
        36: kick,
        38: snare,
        40: Pad("lo-fi snap", percussion.clap, dusty(drive=1.5, top=8000, seconds=0.22), rate=DUSTY),
        42: Pad("lo-fi hat", percussion.analog_hat(0.08), crisp, rate=DUSTY, pan=80, chokes=True),
        44: Pad("lo-fi tick", percussion.shaker, crisp, rate=DUSTY, pan=80, chokes=True),
        46: Pad(
            "lo-fi open hat",
            percussion.analog_hat(0.4),
            dusty(drive=1.2, top=8500, seconds=0.5),
            2,
            rate=DUSTY,
            seconds=0.45,
            pan=80,
            chokes=True,
        ),
    }
