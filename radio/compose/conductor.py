"""The conductor: plans the programme track by track, and each track bar by bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from radio.compose.drums import BACKBEAT_STYLES
from radio.compose.form import PLAYED, BarScript, draw_form, with_lead
from radio.compose.instruments import Instruments
from radio.compose.loop_writer import VARIANT_SHARE, Harmony, LoopWriter
from radio.compose.plan import BarPlan, Track
from radio.compose.texture import Texture, draw_texture
from radio.compose.titles import title_of
from radio.music.chord_loops import HALVES, Loop
from radio.music.chords import pitch_class
from radio.music.parts import PIANO
from radio.types import BEATS_PER_BAR, MOODS, TEXTURES, MoodChoice, TextureKind

_REMEMBERED: Final = 24
"""A loop does not come again within this many tracks: three quarters of an hour."""

_SWING_SPREAD: Final = 2.0
"""Swings of tracks lie this far around the station's, in percent."""


_VAMP_SHARE: Final = 0.3
"""Share of tracks over two bars that come round: in a quarter of real loops two of four bars are the same."""


@dataclass(frozen=True, slots=True)
class Request:
    """The controls that plans depend on."""

    density: float = 0.5
    drums_density: float = 0.5
    mood: MoodChoice = "any"
    tempo: float = 80.0
    lead_density: float = 0.5


@dataclass(frozen=True)
class ConductorState:
    """A conductor between two bars."""

    seed: int
    track: Track
    following: Track
    recent: tuple[Loop, ...]
    bar: int


class Conductor:
    """Plans one bar after the other.

    Args:
        writer: Writes the harmony of tracks where `progressions` are empty or a mood is asked for, and variants.
        progressions: Chord loops as in C major or A minor; a track takes one.
        keys: Tonics that tracks may be in.
        style: Style of the drums.
        seed: Start of everything that is drawn.
        tempo_spread: Tempos of tracks lie at most this far from the one asked for, in BPM.
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
        style: str,
        seed: int,
        tempo_spread: float = 6.0,
        textures: tuple[TextureKind, ...] = TEXTURES,
        layers: frozenset[str] = PLAYED,
        instruments: Instruments | None = None,
    ) -> None:
        self._writer = writer
        self._progressions = tuple(progressions)
        self._keys = tuple(keys)
        self.style = style
        self._seed = seed
        self._tempo_spread = tempo_spread
        self._textures = textures
        self._layers = layers
        self._instruments = instruments or Instruments()
        self._bar = 0
        self._recent: tuple[Loop, ...] = ()
        self._track = self._draw(None, Request())
        self._following = self._draw(self._track, Request())

    @property
    def layers(self) -> frozenset[str]:
        """The layers that play, the lead apart."""
        return self._layers

    @property
    def following(self) -> Track:
        """The track after this one, if it is not skipped or turned to another mood before."""
        return self._following

    def next_bar(self, request: Request) -> tuple[Track, BarPlan, BarScript]:
        """Return the next bar's track, its plan and its entry in the track's script."""
        if self._bar == self._following.first_bar:
            self._advance(self._following, request)
        if request.mood != self._track.mood and self._bar == self.next_loop:
            self._turn(request.mood)
        track, bar = self._track, self._bar
        script = track.script[bar - track.first_bar]
        plan = self.plan(track, bar, script.material, request, script)
        self._bar += 1
        return track, plan, script

    def plan(self, track: Track, bar: int, material: str, request: Request, script: BarScript | None = None) -> BarPlan:
        """Return the plan of a bar of `track` over the loop of `material`.

        Args:
            track: The track.
            bar: Number of the bar, counted from the station's first.
            material: `A` or `B`.
            request: Controls.
            script: The bar's entry in the script; None plans a bar of a phrase that is being written.
        """
        loop = track.loops[material]
        place = track.loop_place(bar) if script else bar - track.first_bar
        layers = script.layers if script else frozenset({"keys", "bass", "drums", "lead"})
        fill = bool(script and script.fill)
        return BarPlan(
            number=bar,
            section=script.section if script else material,
            chords=loop.beats(place),
            densities={
                "piano": keys_level(track.texture.at_density(request.density), material) if "keys" in layers else 0,
                "drums": drums_level(request.drums_density) if "drums" in layers else 0,
            },
            style=self.style,
            fill=fill,
            backbeat=not fill and self.style in BACKBEAT_STYLES,
            held=place > 0 and loop.is_held(place),
            loop=loop,
            place=place % loop.bars,
            elapsed=place,
            layers=layers,
            **({"mix": script.mix} if script else {}),
        )

    def skip(self, request: Request) -> None:
        """Let the next bar open the next track, unless it opens one already."""
        if self._bar not in (self._track.first_bar, self._following.first_bar):
            self._advance(replace(self._following, first_bar=self._bar), request)

    @property
    def next_loop(self) -> int:
        """The first bar, of those not planned yet, at which a loop begins: there another mood takes effect."""
        bar = self._bar
        while bar < self._following.first_bar:
            script = self._track.script[bar - self._track.first_bar]
            if self._track.loop_place(bar) % self._track.loops[script.material].bars == 0:
                return bar
            bar += 1
        return bar

    def save(self) -> ConductorState:
        """Return everything that the next bar depends on."""
        return ConductorState(self._seed, self._track, self._following, self._recent, self._bar)

    def restore(self, saved: ConductorState) -> None:
        """Go on from a saved state."""
        self._seed, self._track, self._following = saved.seed, saved.track, saved.following
        self._recent, self._bar = saved.recent, saved.bar

    def _advance(self, track: Track, request: Request) -> None:
        """Begin `track`, and draw the one after it."""
        self._recent = (*self._recent, _untransposed(self._track))[-_REMEMBERED:]
        self._track = track
        self._following = self._draw(track, request)

    def _turn(self, mood: MoodChoice) -> None:
        """Go on in another mood, this track and the next."""
        self._track = replace(self._harmonized(self._track, mood, self._recent), turned=self._bar)
        self._following = self._harmonized(self._following, mood, (*self._recent, _untransposed(self._track)))

    def _draw(self, last: Track | None, request: Request) -> Track:
        """Draw the track after `last`, in another key where the station has more than one."""
        number = 0 if last is None else last.number + 1
        mood = request.mood if last is None else last.mood
        random = Random(f"{self._seed}/{number}")
        keys = [key for key in self._keys if last is None or key != last.key] or list(self._keys)
        tempo_offset = round(random.uniform(-self._tempo_spread, self._tempo_spread), 1)
        programs = self._instruments.draw(Random(f"{self._seed}/{number}/instruments"))
        track = Track(
            number=number,
            title=title_of(self._seed, number),
            key=random.choice(keys),
            mode=None,
            mood=mood,
            loops={},
            script=draw_form(random, request.tempo + tempo_offset, layers=self._layers),
            texture=draw_texture(random, self._textures),
            first_bar=0 if last is None else last.first_bar + last.bars,
            tempo_offset=tempo_offset,
            swing_offset=round(random.uniform(-_SWING_SPREAD, _SWING_SPREAD), 1),
            programs=programs,
        )
        if "lead" in programs:
            track = replace(track, script=with_lead(track.script, Random(f"{self._seed}/{number}/lead")))
        return self._harmonized(track, mood, self._recent if last is None else (*self._recent, _untransposed(last)))

    def _harmonized(self, track: Track, mood: MoodChoice, recent: Sequence[Loop]) -> Track:
        """Return `track` over harmony of `mood`: a function of the seed, the track's number and the recent loops."""
        if mood == "any" and self._progressions:
            random = Random(f"{self._seed}/{track.number}/loop")
            last = recent[-1] if recent else None
            others = [loop for loop in self._progressions if last not in (loop, _vamp(loop))] or self._progressions
            loop = random.choice(others)
            varies = random.random() < VARIANT_SHARE
            other = self._writer.variant(loop, (self._seed, track.number, len(MOODS) + 1)) if varies else loop
            harmony = Harmony(None, {"A": loop, "B": other})
        else:
            asked = None if mood == "any" else mood
            place = 0 if asked is None else MOODS.index(asked) + 1
            harmony = self._writer.harmony(asked, recent, (self._seed, track.number, place))
        if Random(f"{self._seed}/{track.number}/vamp").random() < _VAMP_SHARE:
            harmony = replace(harmony, sections={name: _vamp(loop) for name, loop in harmony.sections.items()})
        moved = harmony.transposed(pitch_class(track.key))
        return replace(track, mood=mood, mode=moved.mode, loops=moved.sections)


def keys_level(texture: Texture, material: str) -> int:
    """Return the density level 1–7 that the piano model is asked for: it strikes about two notes at an onset."""
    busier = 1.15 if material == "B" else 1.0
    return min(max(PIANO.density(round(2 * texture.onsets * busier * BEATS_PER_BAR)), 1), 7)


def drums_level(density: float) -> int:
    """Return the density level 1–7 that the drum model is asked for."""
    return min(max(round(2 + 5 * density), 1), 7)


def _vamp(loop: Loop) -> Loop:
    """Return the first two bars of a loop, where they move; else the loop as it is."""
    halves = loop.halves[: 2 * HALVES]
    return Loop(halves) if loop.bars > 2 and halves[0].root != halves[-1].root else loop


def _untransposed(track: Track) -> Loop:
    """Return a track's main loop as in C major or A minor."""
    return track.loops["A"].transposed(-pitch_class(track.key))
