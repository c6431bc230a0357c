"""The vocabulary table: 2,176 ids of MIDICompact, control tokens up to id 2,559, then 3,088 ids of band events.

MIDICompact is the token set of the reference thesis: waits `t1`–`t125`, and `note:bin` in hexadecimal, where bin 0
releases the note and bins 1–15 strike it. An id never changes its meaning. A checkpoint lists the tokens it knows.

Source of the velocity curve: briansemrau/MIDI-LLM-tokenizer, on which MIDICompact is based, with base 0.33.
"""

from __future__ import annotations

from math import ceil, log
from typing import Final

from radio.types import MODES, MOODS, TokenId

PAD: Final[TokenId] = 0
START: Final[TokenId] = 1
END: Final[TokenId] = 2
MAX_WAIT: Final = 125
NOTE_BASE: Final = 128
BASE_SIZE: Final = 2176

VELOCITY_BINS: Final = 16
_CURVE_BASE: Final = 0.33
_BIN_WIDTH: Final = 128 / (VELOCITY_BINS - 1)

QUALITIES: Final = (
    "maj", "min", "dom7", "maj7", "min7", "maj9", "min9", "sus", "dim", "hdim7", "aug", "6", "none",
)  # fmt: skip
STYLES: Final = (
    "rock", "funk", "jazz", "latin", "hiphop", "afrocuban", "soul", "neworleans", "country", "reggae", "pop", "punk",
    "highlife", "blues", "afrobeat", "gospel", "middleeastern", "dance",
)  # fmt: skip
SECTIONS: Final = ("A", "B")
"""Sections of a tune: its theme and its bridge."""
DENSITIES: Final = 8

BEAT_BASE: Final = 2176
ROOT_BASE: Final = 2192
QUALITY_BASE: Final = 2208
DENSITY_BASE: Final = 2240
STYLE_BASE: Final = 2256
GROOVE: Final[TokenId] = 2288
FILL: Final[TokenId] = 2289
BACKBEAT: Final[TokenId] = 2290
MODE_BASE: Final = 2304
MOOD_BASE: Final = 2312
SECTION_BASE: Final = 2320
ONSETS_BASE: Final = 2336
VOICES_BASE: Final = 2344
LENGTH_BASE: Final = 2352
CLASSES_BASE: Final = 2360
ATTRIBUTE_LEVELS: Final = 8
REGISTER_BASE: Final = 2368

BAND_BASE: Final = 2560
BAND_SIZE: Final = 3088
BAND_END: Final = BAND_BASE + BAND_SIZE
BAND_TIMES: Final = BAND_BASE
LONGEST_BAND_WAIT: Final = 255
BAND_LENGTHS: Final = BAND_TIMES + LONGEST_BAND_WAIT + 1
LONGEST_BAND_NOTE: Final = 128
BAND_STEPS: Final = 8
"""Number of steps of loudness."""
BAND_PITCHES: Final = BAND_LENGTHS + LONGEST_BAND_NOTE * BAND_STEPS
BAND_INSTRUMENTS: Final = 12
BAND_START: Final[TokenId] = BAND_PITCHES + 128 * BAND_INSTRUMENTS
BAND_DRUMS: Final[TokenId] = BAND_START + 1
BAND_NO_DRUMS: Final[TokenId] = BAND_START + 2

TABLE_SIZE: Final = BAND_END


def _names() -> dict[TokenId, str]:
    names = {PAD: "<pad>", START: "<start>", END: "<end>"}
    names |= {2 + ticks: f"t{ticks}" for ticks in range(1, MAX_WAIT + 1)}
    names |= {
        NOTE_BASE + VELOCITY_BINS * note + velocity_bin: f"{note:x}:{velocity_bin:x}"
        for note in range(128)
        for velocity_bin in range(VELOCITY_BINS)
    }
    names |= {BEAT_BASE + beat: f"<b{beat + 1}>" for beat in range(4)}
    names |= {ROOT_BASE + root: f"<r{root}>" for root in range(12)}
    names |= {QUALITY_BASE + index: f"<q:{quality}>" for index, quality in enumerate(QUALITIES)}
    names |= {DENSITY_BASE + density: f"<d{density}>" for density in range(DENSITIES)}
    names |= {STYLE_BASE + index: f"<s:{style}>" for index, style in enumerate(STYLES)}
    names |= {GROOVE: "<groove>", FILL: "<fill>", BACKBEAT: "<backbeat>"}
    names |= {MODE_BASE + index: f"<mode:{mode}>" for index, mode in enumerate(MODES)}
    names |= {MOOD_BASE + index: f"<mood:{mood}>" for index, mood in enumerate(MOODS)}
    for base, name in ((ONSETS_BASE, "onsets"), (VOICES_BASE, "voices"), (LENGTH_BASE, "length")):
        names |= {base + level: f"<{name}:{level}>" for level in range(ATTRIBUTE_LEVELS)}
    names |= {CLASSES_BASE + level: f"<classes:{level + 1}>" for level in range(ATTRIBUTE_LEVELS)}
    names |= {REGISTER_BASE + note: f"<register:{note}>" for note in range(128)}
    names |= {BAND_TIMES + steps: f"+{steps}" for steps in range(LONGEST_BAND_WAIT + 1)}
    names |= {
        BAND_LENGTHS + BAND_STEPS * length + step: f"={length + 1}:{step}"
        for length in range(LONGEST_BAND_NOTE)
        for step in range(BAND_STEPS)
    }
    names |= {
        BAND_PITCHES + 128 * instrument + note: f"i{instrument}:{note}"
        for instrument in range(BAND_INSTRUMENTS)
        for note in range(128)
    }
    names |= {BAND_START: "<band>", BAND_DRUMS: "<band:drums>", BAND_NO_DRUMS: "<band:no-drums>"}
    names |= {token: f"<band:{token - BAND_BASE}>" for token in range(BAND_NO_DRUMS + 1, BAND_END)}
    names |= {SECTION_BASE + index: f"<section:{section}>" for index, section in enumerate(SECTIONS)}
    return names


NAMES: Final[dict[TokenId, str]] = _names()
"""The name of each id in use; the other ids in the table are reserved."""

IDS: Final[dict[str, TokenId]] = {name: token for token, name in NAMES.items()}


def wait_token(ticks: int) -> TokenId:
    """Return the token for a wait of `ticks`, 1–125."""
    if not 1 <= ticks <= MAX_WAIT:
        raise ValueError(f"no token for a wait of {ticks} ticks; use 1 to {MAX_WAIT}")
    return 2 + ticks


def wait_ticks(token: TokenId) -> int:
    """Return the ticks of a wait token, 1–125, or 0 for other tokens."""
    return token - 2 if 3 <= token <= 127 else 0


def note_token(note: int, velocity_bin: int) -> TokenId:
    """Return the token that strikes `note` (0–127) with `velocity_bin` 1–15, or releases it with bin 0."""
    if not (0 <= note <= 127 and 0 <= velocity_bin < VELOCITY_BINS):
        raise ValueError(f"no token for note {note}, bin {velocity_bin}; use notes 0–127 and bins 0–15")
    return NOTE_BASE + VELOCITY_BINS * note + velocity_bin


def parse_note_token(token: TokenId) -> tuple[int, int] | None:
    """Return (note, velocity bin) of a note token, or None for other tokens."""
    return divmod(token - NOTE_BASE, VELOCITY_BINS) if NOTE_BASE <= token < BASE_SIZE else None


def is_control(token: TokenId) -> bool:
    """Return True for tokens, reserved ones included, that the host inserts and the model does not generate."""
    return BASE_SIZE <= token < BAND_BASE or BAND_START <= token < BAND_END


def is_attribute(token: TokenId) -> bool:
    """Return True for the tokens of attributes (`radio.music.attributes`), which older models do not know."""
    return ONSETS_BASE <= token < REGISTER_BASE + 128


def beat_token(number: int) -> TokenId:
    """Return `<b1>`–`<b4>` for beat 1–4 of a bar."""
    if not 1 <= number <= 4:
        raise ValueError(f"no token for beat {number}; use 1 to 4")
    return BEAT_BASE + number - 1


def density_token(level: int) -> TokenId:
    """Return `<d0>` (an empty bar) to `<d7>` (the busiest)."""
    if not 0 <= level < DENSITIES:
        raise ValueError(f"no token for density {level}; use 0 to {DENSITIES - 1}")
    return DENSITY_BASE + level


def style_token(name: str) -> TokenId:
    """Return the token of a drum style. Raise ValueError if the style is unknown."""
    if name not in STYLES:
        raise ValueError(f"unknown style '{name}'; use {', '.join(STYLES)}")
    return STYLE_BASE + STYLES.index(name)


def mode_token(name: str) -> TokenId:
    """Return the token of a mode. Raise ValueError if it is not `major` or `minor`."""
    if name not in MODES:
        raise ValueError(f"unknown mode '{name}'; use {', '.join(MODES)}")
    return MODE_BASE + MODES.index(name)


def section_token(name: str) -> TokenId:
    """Return the token of a section. Raise ValueError if it is not `A` or `B`."""
    if name not in SECTIONS:
        raise ValueError(f"unknown section '{name}'; use {', '.join(SECTIONS)}")
    return SECTION_BASE + SECTIONS.index(name)


def mood_token(name: str) -> TokenId:
    """Return the token of a mood. Raise ValueError if the mood is unknown."""
    if name not in MOODS:
        raise ValueError(f"unknown mood '{name}'; use {', '.join(MOODS)}")
    return MOOD_BASE + MOODS.index(name)


def velocity_to_bin(velocity: float) -> int:
    """Return the bin (0–15) of a velocity (0–127). The curve gives soft notes more bins."""
    curved: float = 128 * (_CURVE_BASE ** (min(max(velocity, 0), 127) / 128) - 1) / (_CURVE_BASE - 1)
    return ceil(curved / _BIN_WIDTH)


def bin_to_velocity(velocity_bin: int) -> int:
    """Return the loudest velocity (0–127) of a bin (0–15), which `velocity_to_bin` maps back to the same bin."""
    return max(0, ceil(128 * log((_CURVE_BASE - 1) * _BIN_WIDTH * velocity_bin / 128 + 1, _CURVE_BASE) - 1))
