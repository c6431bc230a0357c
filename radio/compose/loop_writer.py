"""Chord loops drawn from the chord model, within the rules of `loop_rules`, and variants of them for other sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from radio.compose.loop_rules import ALLOWED, PASSING, cadence, faults, resolves, signature
from radio.model.engines.base import Array, Engine, State
from radio.model.sampling import Sampler, Sampling, check_scores
from radio.music import vocab
from radio.music.chord_loops import HALF_BEATS, HALVES, Loop
from radio.music.chords import Chord
from radio.music.vocab import QUALITIES, QUALITY_BASE, ROOT_BASE, START, beat_token
from radio.types import MODES, Mode, Mood, TokenId

MINOR_SHARE: Final[Mapping[Mood | None, float]] = {
    "calm": 0.5, "warm": 0.2, "hopeful": 0.4, "nostalgic": 0.6, "sad": 1.0, "dark": 0.8, "dreamy": 0.75, None: 0.5,
}  # fmt: skip
"""Share of minor loops in each mood, as in the written progressions from which the moods were learned."""

_LONG: Final = 0.15
"""Share of loops of eight bars; the others have four."""

VARIANT_SHARE: Final = 0.35
"""Share of tracks whose B sections have a loop of their own."""

_MINOR_TONIC: Final = 9
"""The root of A minor, the minor key without accidentals."""

_TRIES: Final = 32
_CHOICE: Final = 5
"""Number of valid loops from which the one that best expresses its mood is chosen."""

_THEME: Final = 8
"""Bars of a theme before its bridge."""

_CLOSES: Final = 0.12
"""Smallest probability of the return to the first root. A random root would have a twelfth."""

_SAMPLING: Final = Sampling(temperature=1.0, top_p=0.95)

_AFTER_ITSELF: Final = frozenset({"dom7"})
"""Qualities that a chord may change to on the same root; a suspension may also resolve."""

Recent = Sequence[Loop]
"""The first loops of the last tracks, newest last."""

_SAME_CADENCE: Final = 3
"""Number of successive tracks whose loops end with different cadences."""


@dataclass(frozen=True, slots=True)
class Harmony:
    """The harmony of a track: its mode, and the loop of each section."""

    mode: Mode | None
    sections: Mapping[str, Loop]

    def transposed(self, semitones: int) -> Harmony:
        return Harmony(self.mode, {letter: loop.transposed(semitones) for letter, loop in self.sections.items()})


class LoopWriter:
    """A writer that draws harmony from a chord model. The result is a function of the arguments and the seed.

    Args:
        engine: Engine of the chord model.
        style: Style of the drums. A model that knows it writes loops in it, with bridges for B sections.
    """

    def __init__(self, engine: Engine, style: str | None = None) -> None:
        self._rows = _Rows(engine)
        token = None if style is None else vocab.style_token(style)
        self._style = [token] if token in self._rows.of else []

    def harmony(self, mood: Mood | None, recent: Recent, seed: Sequence[int], *, mode: Mode | None = None) -> Harmony:
        """Write a track's harmony: one loop, and for some tracks a variant of it for the B sections.

        Args:
            mood: None leaves it to the model.
            recent: Loops that must not be repeated yet.
            seed: Seed of the random generator.
            mode: Drawn if None.
        """
        generator = np.random.default_rng(list(seed))
        drawn = MODES[int(generator.random() < MINOR_SHARE[mood])]
        mode = mode or drawn
        bars = 8 if generator.random() < _LONG else 4
        main = self._best(generator, mode, mood, bars, recent=recent)
        varies = generator.random() < VARIANT_SHARE
        other = self._best(generator, mode, mood, bars, varied=main) if varies else main
        return Harmony(mode, {"A": main, "B": other})

    def variant(self, loop: Loop, seed: Sequence[int], recent: Recent = ()) -> Loop:
        """Write a loop that begins like `loop` and continues differently; in a style with bridges, a bridge.

        A loop with rests (`N`), which the model does not know, is returned unchanged.

        Args:
            loop: In C major or A minor.
            seed: Seed of the random generator.
            recent: Loops that must not be repeated yet.
        """
        if not all(chord.tones for chord in loop.halves):
            return loop
        mode: Mode = "minor" if loop.halves[0].root == _MINOR_TONIC else "major"
        return self._best(np.random.default_rng(list(seed)), mode, None, loop.bars, recent=recent, varied=loop)

    def _best(
        self,
        generator: np.random.Generator,
        mode: Mode,
        mood: Mood | None,
        bars: int,
        *,
        recent: Recent = (),
        varied: Loop | None = None,
    ) -> Loop:
        """Return a new loop that follows the rules and closes, or else the best of many attempts."""
        played = {signature(loop) for loop in recent}
        cadences = {cadence(loop) for loop in recent[-_SAME_CADENCE:]}

        def score(loop: Loop, closing: float) -> float:
            familiarity = (signature(loop) in played) + 0.5 * (cadence(loop) in cadences) + (loop == varied)
            return min(closing, _CLOSES) - faults(loop, mode) - familiarity

        good: list[Loop] = []
        rest: list[tuple[float, Loop]] = []
        for _ in range(_TRIES):
            loop, closing = self._draw_loop(generator, mode, mood, bars, varied)
            if score(loop, closing) >= _CLOSES:
                good.append(loop)
            else:
                rest.append((score(loop, closing), loop))
            if len(good) == (1 if mood is None else _CHOICE):
                break
        if not good:
            return max(rest, key=lambda pair: pair[0])[1]
        return good[0] if mood is None else max(good, key=lambda loop: self._mood_evidence(loop, mode, mood))

    def _mood_evidence(self, loop: Loop, mode: Mode, mood: Mood) -> float:
        """Return the log-likelihood ratio, in nats, of the loop with this mood to the loop without a mood."""
        with_mood = _LoopDraft(self._rows, np.random.default_rng(0)).nats(self._head(mode, mood), loop.tokens())
        plain = _LoopDraft(self._rows, np.random.default_rng(0)).nats(self._head(mode, None), loop.tokens())
        return plain - with_mood

    def _head(self, mode: Mode, mood: Mood | None) -> list[TokenId]:
        """Return the tokens before the chords: mode, mood, style and, in a style with bridges, the section."""
        head = [START, vocab.mode_token(mode), *([] if mood is None else [vocab.mood_token(mood)]), *self._style]
        return [*head, vocab.section_token("A")] if self._style else head

    def _draw_loop(
        self, generator: np.random.Generator, mode: Mode, mood: Mood | None, bars: int, varied: Loop | None
    ) -> tuple[Loop, float]:
        """Return a drawn loop, and the model's probability that its first root follows its end.

        Args:
            varied: A loop to vary: its first half is repeated, and the second half begins on another root. In a style
                with bridges, a bridge that begins on another root follows it.
        """
        draft = _LoopDraft(self._rows, generator)
        draft.feed(self._head(mode, mood))
        if varied is not None and self._style:
            draft.feed([*varied.tokens() * max(1, _THEME // varied.bars), vocab.section_token("B")])
            draft.other_than = varied.halves[0].root
        elif varied is not None:
            first_half = varied.halves[: len(varied.halves) // 2]
            draft.feed(varied.tokens() + Loop(first_half).tokens())
            draft.halves += first_half
            draft.other_than = varied.halves[len(first_half)].root
        while len(draft.halves) < bars * HALVES:
            draft.append()
        return Loop(tuple(draft.halves)), draft.closing_probability()


class _Rows:
    """A chord model and the rows of its tokens."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.of = {token: row for row, token in enumerate(engine.tokens)}
        self.bar, self.half = (self.of[beat_token(number)] for number in HALF_BEATS)
        self.roots = [self.of[ROOT_BASE + root] for root in range(12)]
        self.qualities = {
            quality: self.of[QUALITY_BASE + place] for place, quality in enumerate(QUALITIES) if quality != "none"
        }


class _LoopDraft:
    """A loop in progress: the model's state and the half bars so far."""

    def __init__(self, rows: _Rows, generator: np.random.Generator) -> None:
        self.halves: list[Chord] = []
        self.other_than: int | None = None
        """A root that the next chord must not have."""
        self._rows = rows
        self._sampler = Sampler(rows.engine.tokens, generator)
        self._state: State = rows.engine.zero_state()
        self._logits: Array = np.zeros(len(rows.of), np.float32)

    def feed(self, tokens: Sequence[TokenId]) -> None:
        """Step the model over `tokens`."""
        self._step([self._rows.of[token] for token in tokens])

    def append(self) -> None:
        """Append a half bar with a new chord or the same one, or a whole bar that holds the last chord."""
        rows, begins_bar = self._rows, len(self.halves) % HALVES == 0
        if begins_bar:
            self._step([rows.bar])
            drawn = self._draw([*self._next_roots(), *self._holds()])
            if drawn == rows.bar:
                self.halves += [self.halves[-1]] * HALVES
            else:
                self._begin(drawn)
        elif self._draw([rows.half, rows.bar]) == rows.bar:
            self.halves.append(self.halves[-1])
        else:
            self._step([rows.half])
            self._begin(self._draw(self._next_roots()))

    def closing_probability(self) -> float:
        """Return the model's probability that the root of the first chord follows the last bar."""
        self._step([self._rows.bar])
        choices = [*self._rows.roots, self._rows.bar, self._rows.half]
        weights = np.exp(self._logits[choices] - self._logits[choices].max())
        return float(weights[self.halves[0].root] / weights.sum())

    def nats(self, head: Sequence[TokenId], tokens: Sequence[TokenId]) -> float:
        """Return the negative log-likelihood of `tokens` after `head`."""
        self.feed(head)
        total = 0.0
        for token in tokens:
            row = self._rows.of[token]
            peak = self._logits.max()
            total += float(np.log(np.exp(self._logits - peak).sum()) + peak - self._logits[row])
            self._step([row])
        return total

    def _begin(self, root_row: int) -> None:
        """Feed a root, and draw a quality that is allowed on it at this place."""
        root, last = self._rows.roots.index(root_row), self.halves[-1] if self.halves else None
        self._step([root_row])
        allowed = set(ALLOWED[root])
        if len(self.halves) % HALVES == 0:
            allowed -= PASSING
        if last is not None and last.root == root:
            allowed &= _AFTER_ITSELF if last.quality != "sus" else allowed - {"sus"}
        quality_row = self._draw([self._rows.qualities[quality] for quality in sorted(allowed)])
        self._step([quality_row])
        quality = next(name for name, row in self._rows.qualities.items() if row == quality_row)
        self.halves.append(Chord(root, quality))
        self.other_than = None

    def _next_roots(self) -> list[int]:
        """Return the rows of the roots that may follow; all if the rules allow none, which later counts as a fault."""
        if not self.halves:
            return [row for root, row in enumerate(self._rows.roots) if root != self.other_than]
        last = self.halves[-1]
        roots = [root for root in range(12) if root != self.other_than and resolves(last, Chord(root, "maj"))]
        if last.quality != "sus" and (last.quality == "dom7" or "dom7" not in ALLOWED[last.root]):
            roots = [root for root in roots if root != last.root]
        return [self._rows.roots[root] for root in roots] or self._rows.roots

    def _holds(self) -> list[int]:
        """Return the row that holds the last chord for another bar, if it has lasted one bar and is not a dominant."""
        holds = bool(self.halves) and self.other_than is None and self._last_length() == HALVES
        holds = holds and self.halves[-1].quality != "dom7"
        return [self._rows.bar] if holds else []

    def _last_length(self) -> int:
        """Return the length of the last chord in half bars."""
        return next(
            (place for place, chord in enumerate(reversed(self.halves)) if chord != self.halves[-1]), len(self.halves)
        )

    def _step(self, rows: Sequence[int]) -> None:
        self._logits, self._state = self._rows.engine.step(rows, self._state)
        check_scores(self._logits)

    def _draw(self, rows: Sequence[int]) -> int:
        allowed = np.zeros(len(self._logits), dtype=bool)
        allowed[list(rows)] = True
        return self._sampler.draw(self._logits, allowed, _SAMPLING)
