"""The conductor, which plans the program bar by bar, following the controls and the actions of listeners."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from radio.compose.drums import BACKBEAT_STYLES
from radio.compose.instruments import Instruments
from radio.compose.memory import EMPTY, Memento, Memory
from radio.compose.plan import BarPlan, Request, Track
from radio.compose.prime import PRIMED_TRACKS, Prime
from radio.compose.script import BarScript, at_energy, held_on
from radio.compose.taste import NEUTRAL, Taste
from radio.compose.texture import Texture
from radio.compose.track_writer import REMEMBERED, Surroundings, TrackWriter, features_of, untransposed
from radio.errors import ControlError
from radio.music.chord_loops import Loop
from radio.music.parts import PIANO
from radio.types import BEATS_PER_BAR, STILL, Action

_RATED: Final = 8
"""Number of latest tracks that can be liked or disliked: those that a delayed listener may be hearing."""

_HEARD: Final = 256
"""Number of played bars that a track's script keeps while a loop is held, since a hold may last forever."""


@dataclass(frozen=True, slots=True)
class RatedTrack:
    """The data that a like or dislike needs: a track's features and its offset from the requested tempo."""

    number: int
    features: tuple[str, ...]
    tempo_offset: float


@dataclass(frozen=True)
class ConductorState:
    """The state of a conductor between two bars."""

    seed: int
    track: Track
    following: Track
    recent: tuple[Loop, ...]
    bar: int
    memory: Memory
    taste: Taste
    rated: tuple[RatedTrack, ...]
    holds: bool
    energy: float
    prime: Prime | None = None
    primed: int = 0


class Conductor:
    """A planner of successive bars.

    Args:
        tracks: Draws the tracks.
        style: Style of the drums.
        tempo: BPM for which the first two tracks are planned; later ones follow the requested tempo.
    """

    def __init__(self, tracks: TrackWriter, *, style: str, tempo: float = 80.0) -> None:
        self._tracks = tracks
        self.style = style
        self._bar = 0
        self._recent: tuple[Loop, ...] = ()
        self._memory = EMPTY
        self._taste = NEUTRAL
        self._rated: tuple[RatedTrack, ...] = ()
        self._holds = False
        """True while a listener holds the loop."""
        self._prime: Prime | None = None
        self._primed = 0
        """Number of the first track that starts from the prime."""
        self._energy = Request().energy
        """The energy for which the following track was drawn."""
        self._track = self._draw(None, Request(tempo=tempo))
        self._following = self._draw(self._track, Request(tempo=tempo))

    @property
    def layers(self) -> frozenset[str]:
        """The layers that play, except the lead."""
        return self._tracks.layers

    @property
    def instruments(self) -> Instruments:
        """The instruments of the station."""
        return self._tracks.instruments

    @property
    def following(self) -> Track:
        """The track after this one, unless something changes first."""
        return self._following

    @property
    def memory(self) -> Memory:
        """The remembered phrases."""
        return self._memory

    def remember(self, memento: Memento) -> None:
        """Add the current track, which is beginning, to the memory."""
        self._memory = self._memory.with_track(memento, recalled=self._track.recalled)

    def next_bar(self, request: Request) -> tuple[Track, BarPlan, BarScript]:
        """Return the next bar's track, its plan and its entry in the track's script."""
        if self._bar == self._following.first_bar:
            self._advance(self._following, request)
        elif self._holds:
            self._hold()
        if request.energy != self._energy:
            self._redraw_following(request)
        if request.wish != self._track.wish and self._bar == self.next_loop:
            self._turn(request)
        track, bar = self._track, self._bar
        script = at_energy(track.script[bar - track.first_bar], request.energy, self.layers)
        plan = self.plan(track, bar, script.material, request, script)
        self._bar += 1
        return track, plan, script

    def plan(self, track: Track, bar: int, material: str, request: Request, script: BarScript | None = None) -> BarPlan:
        """Return the plan of a bar of `track` over the loop of `material`.

        Args:
            track: The track.
            bar: Number of the bar, counted from the station's first.
            material: `A` or `B`.
            request: The controls.
            script: The bar's entry in the script; None if the bar belongs to a phrase that is being written.
        """
        loop = track.loops[material]
        place = track.loop_place(bar) if script else bar - track.first_bar
        layers = script.layers if script else frozenset({"keys", "bass", "drums", "lead"})
        fill = bool(script and script.fill)
        texture = track.texture.at_density(request.density).in_material(material)
        return BarPlan(
            number=bar,
            section=script.section if script else material,
            chords=loop.beats(place),
            densities={
                "piano": keys_level(texture) if "keys" in layers else 0,
                "drums": drums_level(request.drums_density) if "drums" in layers else 0,
            },
            style=self.style,
            fill=fill,
            backbeat=not fill and self.style in BACKBEAT_STYLES,
            held=place > 0 and loop.is_held(place),
            loop=loop,
            place=place % loop.bars,
            elapsed=place,
            attributes=texture.attributes.tokens,
            layers=layers,
            holds=self._holds and script is not None,
            mix=script.mix if script else STILL,
        )

    def act(self, action: Action, request: Request) -> int:
        """Perform a listener's action, and return the number of the bar at which it takes effect.

        Raises:
            ControlError: The track to like or dislike was not played recently.
        """
        match action.kind:
            case "skip":
                self._skip(request)
            case "next":
                self._next_section(request)
            case "hold" | "release":
                self._holds = action.kind == "hold"
            case "like" | "dislike":
                self._rate(action, 1 if action.kind == "like" else -1)
            case "reset":
                self._taste = NEUTRAL
        if action.kind in ("like", "dislike", "reset"):
            self._redraw_following(request)
            return self._following.first_bar
        return self._bar

    def prime(self, prime: Prime, request: Request) -> int:
        """Start the next tracks from `prime`; return the number of the first bar of the first one.

        With the current setting of the density control, they are as dense as the prime; later changes take effect.
        """
        if prime.texture is not None:
            prime = replace(prime, texture=prime.texture.at_density(1 - request.density))
        self._prime, track = prime, self._track
        if self._bar == track.first_bar:
            self._primed = track.number
            self._track = self._primed_track(track, prime, request, self._recent)
            self._redraw_following(request)
            return track.first_bar
        self._primed = track.number + 1
        self._redraw_following(request)
        return self._following.first_bar

    @property
    def next_loop(self) -> int:
        """The first unplanned bar at which a loop begins, where a new harmony would take effect."""
        bar = self._bar
        while bar < self._following.first_bar:
            script = self._track.script[bar - self._track.first_bar]
            if self._track.loop_place(bar) % self._track.loops[script.material].bars == 0:
                return bar
            bar += 1
        return bar

    def save(self) -> ConductorState:
        """Return everything that the next bar depends on."""
        return ConductorState(
            self._tracks.seed,
            self._track, self._following, self._recent, self._bar, self._memory, self._taste, self._rated, self._holds,
            self._energy, self._prime, self._primed,
        )  # fmt: skip

    def restore(self, saved: ConductorState) -> None:
        """Continue from a saved state."""
        self._tracks.seed = saved.seed
        self._track, self._following = saved.track, saved.following
        self._recent, self._bar = saved.recent, saved.bar
        self._memory, self._taste, self._rated = saved.memory, saved.taste, saved.rated
        self._holds, self._energy = saved.holds, saved.energy
        self._prime, self._primed = saved.prime, saved.primed

    def _advance(self, track: Track, request: Request) -> None:
        """Begin `track`, and draw the next one."""
        self._recent = (*self._recent, untransposed(self._track))[-REMEMBERED:]
        self._track = track
        self._redraw_following(request)

    def _skip(self, request: Request) -> None:
        """Make the next bar open the next track, unless it already opens a track. This ends a hold."""
        self._holds = False
        if self._bar not in (self._track.first_bar, self._following.first_bar):
            self._advance(replace(self._following, first_bar=self._bar), request)

    def _next_section(self, request: Request) -> None:
        """Make the next bar open the next section, or the next track after the last section, unless it opens one.

        This ends a hold, which would repeat the loop of the section that is left.
        """
        self._holds = False
        bar, script = self._bar - self._track.first_bar, self._track.script
        if bar == len(script) or script[bar].place == 0:
            return
        start = next((place for place in range(bar, len(script)) if script[place].place == 0), None)
        if start is None:
            self._skip(request)
        else:
            self._rewrite((*script[:bar], *script[start:]))

    def _hold(self) -> None:
        """Repeat the last loop of a section if the section would end here."""
        bar, script = self._bar - self._track.first_bar, self._track.script
        section = script[bar]
        if bar and (section.place == 0 or section.kind == "outro"):
            left_out = max(0, bar - _HEARD)
            self._track = replace(self._track, first_bar=self._track.first_bar + left_out)
            self._rewrite(held_on(script, bar, self._track.loops)[left_out:])

    def _rewrite(self, script: tuple[BarScript, ...]) -> None:
        """Continue the track in another form."""
        self._track = replace(self._track, script=script)
        self._following = replace(self._following, first_bar=self._track.first_bar + self._track.bars)

    def _rate(self, action: Action, opinion: int) -> None:
        number = self._track.number if action.track is None else action.track
        track = next((track for track in self._rated if track.number == number), None)
        if track is None:
            allowed = ", ".join(str(track.number) for track in self._rated)
            raise ControlError(f"track {number} was not played recently", field="track", allowed=allowed)
        spread = self._tracks.tempo_spread
        self._taste = self._taste.with_opinion(track.features, track.tempo_offset, opinion, limit=spread / 2)
        self._memory = self._memory.with_opinion(number, opinion)

    def _turn(self, request: Request) -> None:
        """Change the harmony of this track and the next. This ends a prime that is playing."""
        if self._track.prime is not None:
            self._prime = None
        self._track = replace(self._tracks.harmonized(self._track, request.wish, self._recent), turned=self._bar)
        self._redraw_following(request)

    def _redraw_following(self, request: Request) -> None:
        self._energy = request.energy
        self._following = self._draw(self._track, request)

    def _draw(self, last: Track | None, request: Request) -> Track:
        """Draw the track after `last`, and make `last` available to likes and dislikes."""
        if last is not None and all(track.number != last.number for track in self._rated):
            rated = RatedTrack(last.number, features_of(last), last.tempo_offset)
            self._rated = (*self._rated, rated)[-_RATED:]
        recent = self._recent if last is None else (*self._recent, untransposed(last))
        track = self._tracks.draw(last, request, Surroundings(recent, self._memory, self._taste))
        prime = self._prime
        if prime is None or not 0 <= track.number - self._primed < PRIMED_TRACKS:
            return track
        literal = prime.literal and track.number == self._primed
        return self._primed_track(track, replace(prime, literal=literal), request, recent)

    def _primed_track(self, track: Track, prime: Prime, request: Request, recent: tuple[Loop, ...]) -> Track:
        """Return a track that starts from a prime, with the requested harmony where the prime has none.

        A harmony that has yet to take effect applies at once. Otherwise, taking effect would end the prime.
        """
        if request.wish != track.wish:
            track = self._tracks.harmonized(track, request.wish, recent)
        return self._tracks.primed(track, prime, request.energy)


def keys_level(texture: Texture) -> int:
    """Return the density level 1–7 for the piano model, which strikes about two notes per onset."""
    return min(max(PIANO.density(round(2 * texture.onsets * BEATS_PER_BAR)), 1), 7)


def drums_level(density: float) -> int:
    """Return the density level 1–7 for the drum model."""
    return min(max(round(2 + 5 * density), 1), 7)
