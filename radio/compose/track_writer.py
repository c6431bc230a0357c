"""Tracks, drawn one after another from a station's settings, its memory and its listeners' taste."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from radio.compose.form import draw_form
from radio.compose.instruments import Instruments
from radio.compose.loop_writer import VARIANT_SHARE, Harmony, LoopWriter
from radio.compose.memory import EMPTY, Memento, Memory
from radio.compose.phrase import Phrase
from radio.compose.plan import Request, Track
from radio.compose.prime import Prime
from radio.compose.script import PLAYED, form_of, with_growth, with_lead
from radio.compose.taste import NEUTRAL, Taste
from radio.compose.texture import draw_texture, kinds_of
from radio.compose.titles import title_of
from radio.compose.wish import Wish
from radio.music.chord_loops import HALVES, Loop
from radio.music.chords import pitch_class, pitch_name
from radio.types import MODES, MOODS, TEXTURES, Mode, TextureKind

REMEMBERED: Final = 24
"""A loop does not recur within this many tracks: three quarters of an hour."""

_SWING_SPREAD: Final = 2.0
"""Largest offset of a track's swing from the station's, in percent."""

_VAMP_SHARE: Final = 0.3
"""Share of tracks over a two-bar loop: in a quarter of real loops, two of four bars are the same."""

_VARIED_SHARE: Final = 0.6
"""Share of tracks over a variant of a written loop, so that a short list of loops is not heard repeatedly."""

_MINOR_TONIC: Final = 9
"""The root of A minor, the minor key without accidentals."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The context in which a track is drawn.

    recent: loops of the last tracks. memory: phrases that may return. taste: the listeners' taste.
    """

    recent: tuple[Loop, ...] = ()
    memory: Memory = EMPTY
    taste: Taste = NEUTRAL


class TrackWriter:
    """A writer of tracks. Each track is a function of the arguments of the constructor and of `draw`.

    Args:
        writer: Writes the harmony of tracks if `progressions` is empty or a mood is requested, and variants of loops.
        progressions: Chord loops in C major or A minor, one of which each track uses.
        keys: Tonics that tracks may be in.
        seed: Seed of the random generators.
        tempo_spread: Largest offset of a track's tempo from the requested one, in BPM.
        textures: Kinds of textures that the keys may have.
        layers: Layers that play.
        instruments: The General MIDI programs that tracks draw from.
    """

    def __init__(
        self,
        *,
        writer: LoopWriter,
        progressions: Sequence[Loop],
        keys: Sequence[str],
        seed: int,
        tempo_spread: float = 6.0,
        textures: tuple[TextureKind, ...] = TEXTURES,
        layers: frozenset[str] = PLAYED,
        instruments: Instruments | None = None,
    ) -> None:
        self._loops = writer
        self._progressions = tuple(progressions)
        self._keys = tuple(keys)
        self.seed = seed
        self._textures = textures
        self.instruments = instruments or Instruments()
        self.tempo_spread = tempo_spread
        self.layers = layers

    def draw(self, last: Track | None, request: Request, around: Surroundings) -> Track:
        """Draw the track after `last`, in another key if the station has more than one."""
        number = 0 if last is None else last.number + 1
        wish = request.wish if last is None else last.wish
        random, taste = Random(f"{self.seed}/{number}"), around.taste
        recalled = around.memory.draw(Random(f"{self.seed}/{number}/memory"), number, wish)
        keys = [key for key in self._keys if last is None or key != last.home] or list(self._keys)
        offset = random.uniform(-self.tempo_spread, self.tempo_spread) + taste.tempo
        tempo_offset = round(min(max(offset, -self.tempo_spread), self.tempo_spread), 1)
        home = random.choice(keys)
        kinds = kinds_of(self._textures, recalled.texture if recalled else None)
        programs = self.instruments.draw(Random(f"{self.seed}/{number}/instruments"), taste)
        track = Track(
            number=number,
            title=title_of(self.seed, number),
            home=home,
            key=home,
            mode=None,
            wish=wish,
            loops={},
            script=with_growth(
                draw_form(random, request.tempo + tempo_offset, layers=self.layers, energy=request.energy, taste=taste),
                Random(f"{self.seed}/{number}/growth"),
                self.layers,
            ),
            texture=draw_texture(random, kinds, taste),
            first_bar=0 if last is None else last.first_bar + last.bars,
            tempo_offset=tempo_offset,
            swing_offset=round(random.uniform(-_SWING_SPREAD, _SWING_SPREAD), 1),
            programs=programs,
            recalled=recalled,
        )
        if "lead" in programs:
            track = replace(track, script=with_lead(track.script, Random(f"{self.seed}/{number}/lead"), request.energy))
        return self.harmonized(track, wish, around.recent)

    def harmonized(self, track: Track, wish: Wish, recent: Sequence[Loop]) -> Track:
        """Return `track` with a harmony that fits `wish`: a function of seed, track, wish and recent loops."""
        recalled = track.recalled
        if recalled is not None and recalled.suits(wish):
            harmony = Harmony(recalled.mode, recalled.sections)
        else:
            recalled = None
            harmony = self._harmony(track.number, wish, recent)
        key = key_of(wish.key, harmony.mode) or track.home
        moved = harmony.transposed(pitch_class(key))
        return replace(
            track,
            key=key,
            wish=wish,
            mode=moved.mode,
            loops=moved.sections,
            recalled=recalled,
            prime=None,
            tempo=None,
        )

    def primed(self, track: Track, prime: Prime, energy: float) -> Track:
        """Return the track with the key, tempo, texture and chords of a prime.

        If the prime has a motif and the station has leads, the track gets a lead.
        """
        if prime.texture is not None:
            track = replace(track, texture=prime.texture)
        if prime.key is not None and prime.loops is not None:
            track = replace(track, key=prime.key, mode=prime.mode, loops=prime.loops)
        if prime.motif is not None and self.instruments.lead and "lead" not in track.programs:
            random = Random(f"{self.seed}/{track.number}/primed lead")
            programs = {**track.programs, "lead": random.choice(self.instruments.lead)}
            track = replace(track, programs=programs, script=with_lead(track.script, random, energy))
        return replace(track, prime=prime, tempo=prime.tempo, recalled=None)

    def _harmony(self, number: int, wish: Wish, recent: Sequence[Loop]) -> Harmony:
        """Return a track's harmony in C major or A minor."""
        mode = None if wish.mode == "any" else wish.mode
        place = (0 if mode is None else MODES.index(mode) + 1) * (len(MOODS) + 2)
        own = [loop for loop in self._progressions if mode is None or mode_of(loop) == mode]
        if wish.mood == "any" and own:
            random = Random(f"{self.seed}/{number}/loop")
            last = recent[-1] if recent else None
            loop = random.choice([loop for loop in own if last not in (loop, _vamp(loop))] or own)
            seed = (self.seed, number, place + len(MOODS) + 1)
            varied = random.random() < _VARIED_SHARE
            main = self._loops.variant(loop, seed, recent) if varied else loop
            other = self._loops.variant(main, (*seed, 1)) if random.random() < VARIANT_SHARE else main
            harmony = Harmony(mode, {"A": main, "B": other})
            if varied:  # its first two bars are those of the written loop
                return harmony
        else:
            mood = None if wish.mood == "any" else wish.mood
            place += 0 if mood is None else MOODS.index(mood) + 1
            harmony = self._loops.harmony(mood, recent, (self.seed, number, place), mode=mode)
        if Random(f"{self.seed}/{number}/vamp").random() < _VAMP_SHARE:
            harmony = replace(harmony, sections={name: _vamp(loop) for name, loop in harmony.sections.items()})
        return harmony


def features_of(track: Track) -> tuple[str, ...]:
    """Return the features of a track that its likes and dislikes apply to, as weighed by a `Taste`."""
    lead = f"lead {track.programs['lead']}" if "lead" in track.programs else ""
    named = (
        f"texture {track.texture.kind}",
        f"keys {track.programs.get('keys')}",
        f"form {form_of(track.script)}",
        lead,
    )
    return tuple(feature for feature in named if feature)


def untransposed(track: Track) -> Loop:
    """Return a track's main loop in C major or A minor."""
    return track.loops["A"].transposed(-pitch_class(track.key))


def memento_of(track: Track, keys: Phrase, motif: Phrase | None, cost: float) -> Memento:
    """Return the memento of a track with the given phrases."""
    down = -nearest(pitch_class(track.key))
    return Memento(
        number=track.number,
        mood=track.wish.mood,
        mode=track.mode,
        sections={name: loop.transposed(-pitch_class(track.key)) for name, loop in track.loops.items()},
        keys=keys.transposed(down),
        motif=motif and motif.transposed(down),
        texture=track.texture.kind,
        cost=cost,
    )


def nearest(semitones: int) -> int:
    """Return the smallest interval, up or down, that equals `semitones` up to octaves."""
    return (semitones + 5) % 12 - 5


def key_of(tonic: str, mode: Mode | None) -> str | None:
    """Return the key of a track with a tonic: for a minor track, that of the relative major. None for `any`."""
    if tonic == "any":
        return None
    return pitch_name(pitch_class(tonic) + (12 - _MINOR_TONIC if mode == "minor" else 0))


def mode_of(loop: Loop) -> Mode:
    """Return the mode of a written loop: minor if it begins on A minor, or ends on it and does not begin on C."""
    first, last = loop.halves[0].root, loop.halves[-1].root
    return "minor" if first == _MINOR_TONIC or (last == _MINOR_TONIC and first != 0) else "major"


def _vamp(loop: Loop) -> Loop:
    """Return the first two bars of a longer loop if they change roots and are not all dominants; else the loop."""
    halves = loop.halves[: 2 * HALVES]
    moves = len({chord.root for chord in halves}) > 1
    return Loop(halves) if loop.bars > 2 and moves and any(chord.quality != "dom7" for chord in halves) else loop
