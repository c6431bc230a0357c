"""The lo-fi numbers of one station's sound."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from radio.errors import SettingsError


def _number(default: float, low: float, high: float, unit: str) -> float:
    """A field with its default, its range (inclusive) and its unit, checked when a Tone is built."""
    number: float = field(default=default, metadata={"low": low, "high": high, "unit": unit})
    return number


@dataclass(frozen=True)
class Tone:
    """How the layers are coloured and balanced; what listeners turn while it plays is in `radio.settings.controls`
    instead.

    Raises:
        SettingsError: every number that is out of its range, one line each.
    """

    keys_db: float = _number(0.0, -40, 24, "dB")
    """Trim of the keys, before the listener's level."""
    bass_db: float = _number(1.5, -40, 24, "dB")
    """Trim of the bass."""
    drums_db: float = _number(7.0, -40, 24, "dB")
    """Trim of the drums."""
    vinyl_db: float = _number(0.0, -40, 24, "dB")
    """Trim of the vinyl; at 0 its ticks peak between -40 and -30 dBFS and its hiss lies near -57 dBFS RMS."""
    rain_db: float = _number(0.0, -40, 24, "dB")
    """Trim of the rain, or of the loops in its place."""
    keys_lowpass: float = _number(3_500.0, 200, 20_000, "Hz")
    """Cut-off of the keys, 12 dB per octave."""
    bass_lowpass: float = _number(600.0, 100, 20_000, "Hz")
    """Cut-off of the bass, 12 dB per octave."""
    drums_lowpass: float = _number(7_000.0, 200, 20_000, "Hz")
    """Cut-off of the drums, 12 dB per octave."""
    highpass: float = _number(40.0, 10, 500, "Hz")
    """Cut-off of everything below, 12 dB per octave."""
    grit_bits: float = _number(13.0, 6, 24, "bits")
    """Size of the samples that keys, bass and drums are rounded to; 24 is clean."""
    grit_rate: float = _number(30_000.0, 6_000, 48_000, "Hz")
    """Rate at which they are sampled and held; 48,000 is clean."""
    room_db: float = _number(-6.0, -60, 12, "dB")
    """Level of the room around keys and drums."""
    room_decay: float = _number(0.9, 0.1, 5, "s")
    """Time in which the room's sound falls by 60 dB."""
    duck_db: float = _number(3.0, 0, 12, "dB")
    """How far a kick pushes keys and bass down."""
    duck_release: float = _number(0.12, 0.02, 1, "s")
    """Time constant in which they come back."""
    drive_db: float = _number(5.0, -12, 24, "dB")
    """Gain into the tape's saturation, taken back behind it: more of it, more warmth and fewer peaks."""
    wow_cents: float = _number(12.0, 0, 50, "cents")
    """Largest slow bend of pitch, 0.2 to 1.1 Hz, when the control `wow` is 1."""
    flutter_cents: float = _number(4.0, 0, 20, "cents")
    """Largest quick bend of pitch, 3 to 6 Hz, when the control `wow` is 1."""
    gain_db: float = _number(1.0, -24, 24, "dB")
    """Gain of the music behind the saturation; the default puts a usual mix near -16 LUFS."""
    ceiling_db: float = _number(-1.0, -12, 0, "dBFS")
    """The limiter lets no sample, and no peak between samples, above this."""

    def __post_init__(self) -> None:
        problems = []
        for row in fields(self):
            value, low, high = getattr(self, row.name), row.metadata["low"], row.metadata["high"]
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not low <= value <= high:
                allowed = f"a number from {low:g} to {high:g} {row.metadata['unit']}"
                problems.append(f"{row.name}: {value!r} is not {allowed}")
        if problems:
            raise SettingsError(problems)
