"""The lo-fi settings of one station's sound."""

from __future__ import annotations

from dataclasses import dataclass

from radio.settings.fields import check, number


def _trim(default: float, layer: str) -> float:
    return number(default, -40, 24, unit="dB", help=f"trim of the {layer}, before the listener's level")


@dataclass(frozen=True)
class Tone:
    """Color and balance of the layers. Listeners cannot change them; they change `radio.settings.controls`.

    Raises:
        SettingsError: Numbers are out of range; the message has a line for each.
    """

    keys_db: float = _trim(-2, "keys")
    bass_db: float = _trim(5.5, "bass")
    drums_db: float = _trim(10, "drums")
    lead_db: float = _trim(0, "lead")
    vinyl_db: float = _trim(6, "vinyl")
    """At 0, its ticks peak between -40 and -30 dBFS, and its hiss is about -57 dBFS RMS."""
    rain_db: float = _trim(0, "rain, or of the loops that replace it")
    ambience_db: float = _trim(6, "ambience")
    """At 0, each of its sounds has a loudness of -40 LUFS over a minute."""
    keys_highpass: float = number(
        200,
        0,
        1_000,
        unit="Hz",
        help="high-pass of the keys, 12 dB per octave, which leaves room for the bass; 0 is off",
    )
    keys_middle_db: float = number(
        0, -12, 6, unit="dB", help="gain of the keys around 350 Hz, two octaves wide, where low chords build up"
    )
    keys_lowpass: float = number(3_500, 200, 20_000, unit="Hz", help="cutoff of the keys, 12 dB per octave")
    bass_lowpass: float = number(600, 100, 20_000, unit="Hz", help="cutoff of the bass, 12 dB per octave")
    bass_low_db: float = number(
        0, -12, 15, unit="dB", help="gain of the lowest bass, a shelf below 60 Hz, for a bass with a weak fundamental"
    )
    drums_lowpass: float = number(7_000, 200, 20_000, unit="Hz", help="cutoff of the drums, 12 dB per octave")
    lead_lowpass: float = number(5_000, 200, 20_000, unit="Hz", help="cutoff of the lead, 12 dB per octave")
    highpass: float = number(30, 10, 500, unit="Hz", help="high-pass of the mix, 12 dB per octave")
    grit_bits: float = number(
        13, 6, 24, unit="bits", help="resolution that keys, bass, drums and lead are rounded to; 24 is clean"
    )
    grit_rate: float = number(
        30_000, 6_000, 48_000, unit="Hz", help="rate at which they are sampled and held; 48000 is clean"
    )
    chorus: float = number(50, 0, 100, unit="%", help="level of a chorus on the keys; 0 is off")
    pan_depth: float = number(50, 0, 100, unit="%", help="depth of the keys' movement between left and right; 0 is off")
    pan_rate: float = number(0.35, 0.05, 12, unit="Hz", help="rate of this movement")
    room_db: float = number(-6, -60, 12, unit="dB", help="level of the room around keys, drums and lead")
    room_decay: float = number(0.9, 0.1, 5, unit="s", help="time in which the sound of the room falls by 60 dB")
    duck_db: float = number(
        8, 0, 12, unit="dB", help="attenuation of keys and bass at each kick; the lead gets half of it"
    )
    duck_bass_db: float = number(
        4, 0, 12, unit="dB", help="attenuation of the keys at each bass note, so that both are heard; 0 is off"
    )
    duck_snare_db: float = number(
        0, 0, 12, unit="dB", help="attenuation of the keys at each snare hit, except ghost notes; 0 is off"
    )
    duck_hold: float = number(0, 0, 0.3, unit="s", help="time for which the attenuation holds")
    duck_release: float = number(0.2, 0.02, 1, unit="s", help="time constant of the recovery")
    drive_db: float = number(
        6, -12, 24, unit="dB", help="gain into the tape saturation, removed after it; more is warmer, with fewer peaks"
    )
    glue: float = number(
        0, 0, 80, unit="%",
        help="share of the difference between loud and quiet passages that a slow compressor removes; 0 is off",
    )  # fmt: skip
    wow_cents: float = number(
        25, 0, 50, unit="cents", help="largest slow pitch bend, 0.2 to 1.1 Hz, when the control wow is 1"
    )
    flutter_cents: float = number(
        8, 0, 20, unit="cents", help="largest fast pitch bend, 3 to 6 Hz, when the control wow is 1"
    )
    gain_db: float = number(
        -0.7,
        -24,
        24,
        unit="dB",
        help="gain of the music after the saturation; the default puts a typical mix near -16 LUFS",
    )
    loudness: float = number(
        -16, -30, 0, unit="LUFS", help="target loudness of each track, reached by a slow gain control; 0 is off"
    )
    ceiling_db: float = number(-1, -12, 0, unit="dBFS", help="limit of all samples and inter-sample peaks")

    def __post_init__(self) -> None:
        check(self)
