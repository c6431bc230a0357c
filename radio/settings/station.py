"""The settings of one station."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from radio.music.chord_loops import parse_bar
from radio.music.chords import pitch_class
from radio.music.vocab import STYLES
from radio.paths import CHECKPOINTS, SOUNDFONT
from radio.settings.ambience import AmbienceLevels
from radio.settings.containers import ListOf, OneOrMore, WordOr
from radio.settings.controls import Controls
from radio.settings.engines import AUTO, ENGINES
from radio.settings.fields import check, choice, declare, file, number, optional, section, setting, text, whole
from radio.settings.kinds import Choice, File, Folder, Text, Whole, Word
from radio.settings.push import PUSH, PushSettings
from radio.settings.tone import Tone
from radio.types import LARGEST_SEED, PRIME_CHOICES, TEXTURES, PrimeChoice, TextureKind

RANDOM_PRIME: Final = Path("random")
"""Means random notes instead of a file."""

LEARNED: Final = "learned"
"""Written instead of progressions if the chord model writes them."""

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_BARS: Final = ListOf(Word(parse_bar, "a bar with one or two chords"), least=1, most=16)
_PROGRESSIONS: Final = ListOf(_BARS, least=1, noun="a list of chord loops")


def check_name(word: str) -> str:
    """Return a station's name. Raises ValueError if it is not valid."""
    if not _NAME.fullmatch(word):
        raise ValueError(f"'{word}' is not a station name: lowercase letters, digits and hyphens only")
    return word


_PROGRAM: Final = Whole(low=0, high=127)
_TUNED: Final = "`python -m train tune-state` writes one"
_CHECKPOINT: Final = "the package includes one, and `python -m train export` writes others"


@dataclass(frozen=True, slots=True)
class StationSettings:
    """A station as described in `stations.yaml`.

    Raises:
        SettingsError: Values are not allowed; the message names each one.
    """

    name: str = field(
        metadata=declare(
            Word(check_name, "a name"), help="key of the station, in addresses and on the command line: lowercase "
            "letters, digits and hyphens",
        )
    )  # fmt: skip
    title: str = field(metadata=declare(Text(), help="name that listeners see", shapes_music=True))
    progressions: tuple[tuple[str, ...], ...] = setting(
        (),
        WordOr(LEARNED, (), _PROGRESSIONS, earlier="learnt"),
        shapes_music=True,
        help="learned, for loops by the chord model; or a list of loops, each a list of bars with one or two chords, "
        "written in C major or A minor. A track plays one loop, transposed to its key",
    )
    description: str = text(help="one sentence about the station")
    prompt: str = text(
        help="words about the music, such as rainy night, felt piano, no drums; they change the initial controls"
    )
    prime: Path | None = optional(
        File("MIDI file or recording"),
        shapes_music=True,
        help="MIDI file or recording that the station starts from: its first three tracks adopt the file's tempo, key, "
        "chords, a passage of its keyboard, its drum loop and its melody",
    )
    prime_part: str = text(
        help="keyboard part of the prime, such as channel 3, program 4 or track Piano; if empty, it is detected",
        shapes_music=True,
    )
    prime_leaves: tuple[PrimeChoice, ...] = setting(
        (),
        ListOf(Choice(PRIME_CHOICES), noun="a list of tempo, key and density"),
        shapes_music=True,
        help="settings of the prime's tracks that come from the controls instead of the file: tempo, key, density; "
        "`prompt` adds those that it asks for directly",
    )
    seed: int = whole(
        0,
        0,
        LARGEST_SEED,
        help="seed of the music; the same seed plays the same music, 0 draws a new one at each start",
    )
    piano: Path = file(
        CHECKPOINTS / "piano.safetensors",
        "checkpoint",
        remedy=_CHECKPOINT,
        help="checkpoint of the piano model, which writes the keys",
    )
    drums: Path = file(
        CHECKPOINTS / "drums.safetensors", "checkpoint", remedy=_CHECKPOINT, help="checkpoint of the drum model"
    )
    band: Path | None = optional(
        File("checkpoint", "`python -m train export` writes one"),
        help="checkpoint of a band model, which plays all layers instead of the piano, drum and bass models",
    )
    piano_state: Path | None = optional(
        File("tuned state", _TUNED),
        help="state that the piano model starts each piece from, tuned on music in the station's style",
    )
    drums_state: Path | None = optional(
        File("tuned state", _TUNED),
        help="state that the drum model starts each piece from, tuned on music in the station's style",
    )
    chords: Path = file(
        CHECKPOINTS / "chords.safetensors",
        "checkpoint",
        remedy=_CHECKPOINT,
        help="checkpoint of the chord model, which writes learned progressions and the loops of a mood",
    )
    bass: Path = file(
        CHECKPOINTS / "bass.safetensors",
        "checkpoint",
        remedy="the package includes one, and `python -m train bass` writes others",
        help="checkpoint of the bass model, which chooses the pitches of the bass",
    )
    engine: str = choice(
        AUTO, ENGINES, shapes_music=True,
        help="engine that steps the models; auto is native if it was compiled; RADIO_ENGINE in the environment "
        "overrides it",
    )  # fmt: skip
    soundfont: Path = file(
        SOUNDFONT,
        "soundfont",
        remedy="leave the setting out for the radio's own, or name another SF2 or SF3 file",
        shapes_music=True,
        help="SF2 or SF3 file with the instruments; any General MIDI soundfont can replace the radio's own",
    )
    keys_program: int | tuple[int, ...] = setting(
        4, OneOrMore(_PROGRAM), shapes_music=True,
        help="General MIDI program of the keys, from 0; 4 is an electric piano. Each track draws one from a list",
    )  # fmt: skip
    bass_program: int = whole(
        33, 0, 127, shapes_music=True, help="General MIDI program of the bass, from 0; 33 is a fingered electric bass"
    )
    lead_programs: tuple[int, ...] = setting(
        (11, 73, 28, 108, 78), ListOf(_PROGRAM, noun="a list of whole numbers from 0 to 127"), shapes_music=True,
        help="General MIDI programs of the lead, from 0; each track draws one of those that the soundfont has, and one "
        "track in ten has another instrument. With an empty list there is no lead",
    )  # fmt: skip
    drum_kit: int = whole(
        0,
        0,
        127,
        shapes_music=True,
        help="program of the drum bank; in the radio's own soundfont 0 is dusty boom-bap, 8 soft pop, 24 lo-fi "
        "electronic, 25 an analog drum machine and 40 brushes",
    )
    style: str = choice("hiphop", STYLES, shapes_music=True, help="drum style that the model plays")
    timing: str = choice(
        "human", ("human", "steady"), shapes_music=True,
        help="timing of the notes: human, as measured from drummers of the style and from jazz trios, or steady, the "
        "same in every bar",
    )  # fmt: skip
    layers: tuple[str, ...] = setting(
        ("keys", "bass", "drums"),
        ListOf(Choice(("keys", "bass", "drums")), least=1, noun="a list of keys, bass and drums"),
        shapes_music=True,
        help="layers that play: keys, bass, drums; a station without drums leaves them out",
    )
    textures: tuple[TextureKind, ...] = setting(
        TEXTURES,
        ListOf(Choice(TEXTURES), least=1, noun="a list of textures"),
        shapes_music=True,
        help="ways of playing the keys, one drawn per track: line (single notes), stabs (short chords), thin (two "
        "voices), comp (played chords), pad (held chords)",
    )
    tempo_spread: float = number(
        6, 0, 20, unit="BPM", shapes_music=True,
        help="largest difference of a track's tempo from the control `tempo`; 0 plays all tracks at `tempo`",
    )  # fmt: skip
    keys: tuple[str, ...] = setting(
        ("C",),
        ListOf(Word(pitch_class, "a pitch"), least=1, noun="a list of pitches"),
        shapes_music=True,
        help="tonics that tracks may be in, such as [C, Eb, F]",
    )
    tone: Tone = section(Tone, shapes_music=True, help="color and balance of the layers")
    loops: Path | None = optional(
        Folder("folder of loops"),
        shapes_music=True,
        help="folder of WAV, MP3 or OGG loops that replace the rain, played seamlessly; at most half an hour",
    )
    ambience: AmbienceLevels = section(
        AmbienceLevels, shapes_music=True, help="mix of background sounds, each with its level in dB"
    )
    controls: Controls = section(Controls, help="initial values of the controls")
    image: Path | None = optional(
        File("image", "leave the setting out for the radio's own"),
        help="PNG or JPEG picture for the page and for pushes; null uses the radio's own",
    )
    push: tuple[PushSettings, ...] = setting(
        (), ListOf(PUSH, noun="a list of pushes"), help="servers that `radio serve` sends the station to"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def keys_programs(self) -> tuple[int, ...]:
        """The programs that each track draws its keys from."""
        return self.keys_program if isinstance(self.keys_program, tuple) else (self.keys_program,)
