"""The chord model's hand: loops drawn from it, held to `taste`, and varied from section to section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from radio.compose.loop_rules import ALLOWED, PASSING, cadence, faults, resolves, signature
from radio.model.engines.base import Array, Engine, State
from radio.model.sampling import Sampler, Sampling
from radio.music import vocab
from radio.music.chord_loops import HALF_BEATS, HALVES, Loop
from radio.music.chords import Chord
from radio.music.vocab import QUALITIES, QUALITY_BASE, ROOT_BASE, START, beat_token
from radio.types import MODES, Mode, Mood, TokenId

MINOR_SHARE: Final[Mapping[Mood | None, float]] = {
    "calm": 0.5, "warm": 0.2, "hopeful": 0.4, "nostalgic": 0.6, "sad": 1.0, "dark": 0.8, "dreamy": 0.75, None: 0.5,
}  # fmt: skip
"""How often a loop of each mood is in the minor, as in the written progressions that the moods were learnt from."""

_LONG: Final = 0.15
"""Share of loops of eight bars; the others have four."""

VARIANT_SHARE: Final = 0.35
"""Share of tracks whose B sections have a loop of their own."""

_MINOR_TONIC: Final = 9
"""A minor is the minor key without signs."""

_TRIES: Final = 32
_CHOICE: Final = 5
"""From so many good loops the one is taken that says most of its mood."""

_CLOSES: Final = 0.12
"""How probable the step back to the first root must be: chance would give a twelfth of what is left for roots."""

_SAMPLING: Final = Sampling(temperature=1.0, top_p=0.95)

_AFTER_ITSELF: Final = frozenset({"dom7"})
"""What a chord may become on its own root, other than a suspension that resolves: the dominant of what comes next."""

Recent = Sequence[Loop]
"""The first loops of the last tracks, newest last."""

_SAME_CADENCE: Final = 3
"""So many tracks come round in different ways."""


@dataclass(frozen=True, slots=True)
class Harmony:
    """What a track is played over: its mode and, by section, the loop that comes round in it."""

    mode: Mode | None
    sections: Mapping[str, Loop]

    def transposed(self, semitones: int) -> Harmony:
        return Harmony(self.mode, {letter: loop.transposed(semitones) for letter, loop in self.sections.items()})


class LoopWriter:
    """Draws harmony from a chord model; a function of what it is asked for and the seed given with it."""

    def __init__(self, engine: Engine) -> None:
        self._rows = _Rows(engine)

    def harmony(self, mood: Mood | None, recent: Recent, seed: Sequence[int]) -> Harmony:
        """Write a track's harmony: one loop, and for some tracks a variant of it for the B sections.

        Args:
            mood: None leaves it to the model.
            recent: Loops that do not come again so soon.
            seed: Start of the random generator.
        """
        generator = np.random.default_rng(list(seed))
        mode = MODES[int(generator.random() < MINOR_SHARE[mood])]
        bars = 8 if generator.random() < _LONG else 4
        main = self._best(generator, mode, mood, bars, recent=recent)
        varies = generator.random() < VARIANT_SHARE
        other = self._best(generator, mode, mood, bars, varied=main) if varies else main
        return Harmony(mode, {"A": main, "B": other})

    def variant(self, loop: Loop, seed: Sequence[int]) -> Loop:
        """Write a loop that begins like `loop` and goes on differently.

        Args:
            loop: As in C major or A minor.
            seed: Start of the random generator.
        """
        mode: Mode = "minor" if loop.halves[0].root == _MINOR_TONIC else "major"
        return self._best(np.random.default_rng(list(seed)), mode, None, loop.bars, varied=loop)

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
        """A loop that breaks no rule, closes and is new, or of many tries the one that comes nearest to that."""
        played = {signature(loop) for loop in recent}
        cadences = {cadence(loop) for loop in recent[-_SAME_CADENCE:]}

        def worth(loop: Loop, closing: float) -> float:
            known = (signature(loop) in played) + 0.5 * (cadence(loop) in cadences) + (loop == varied)
            return min(closing, _CLOSES) - faults(loop, mode) - known

        good: list[Loop] = []
        rest: list[tuple[float, Loop]] = []
        for _ in range(_TRIES):
            loop, closing = self._drawn(generator, mode, mood, bars, varied)
            if worth(loop, closing) >= _CLOSES:
                good.append(loop)
            else:
                rest.append((worth(loop, closing), loop))
            if len(good) == (1 if mood is None else _CHOICE):
                break
        if not good:
            return max(rest, key=lambda each: each[0])[1]
        return good[0] if mood is None else max(good, key=lambda loop: self._says(loop, mode, mood))

    def _says(self, loop: Loop, mode: Mode, mood: Mood) -> float:
        """How much likelier the loop is in this mood than in none, in nats: what it says of its mood (Bayes)."""
        asked = _Pen(self._rows, np.random.default_rng(0)).nats(
            [START, vocab.mode_token(mode), vocab.mood_token(mood)], loop.tokens()
        )
        plain = _Pen(self._rows, np.random.default_rng(0)).nats([START, vocab.mode_token(mode)], loop.tokens())
        return plain - asked

    def _drawn(
        self, generator: np.random.Generator, mode: Mode, mood: Mood | None, bars: int, varied: Loop | None
    ) -> tuple[Loop, float]:
        """A loop, and how probable the model finds it that it comes round.

        Args:
            varied: a loop that was just heard; the first half of it is kept, and what follows begins on another root.
        """
        pen = _Pen(self._rows, generator)
        pen.feed([START, vocab.mode_token(mode), *([] if mood is None else [vocab.mood_token(mood)])])
        if varied is not None:
            kept = varied.halves[: len(varied.halves) // 2]
            pen.feed(varied.tokens() + Loop(kept).tokens())
            pen.halves += kept
            pen.other_than = varied.halves[len(kept)].root
        while len(pen.halves) < bars * HALVES:
            pen.write_on()
        return Loop(tuple(pen.halves)), pen.closing()


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


class _Pen:
    """One loop being written: where the model stands, and the half bars so far."""

    def __init__(self, rows: _Rows, generator: np.random.Generator) -> None:
        self.halves: list[Chord] = []
        self.other_than: int | None = None
        """A root that the next chord is not to have."""
        self._rows = rows
        self._sampler = Sampler(rows.engine.tokens, generator)
        self._state: State = rows.engine.zero_state()
        self._logits: Array = np.zeros(len(rows.of), np.float32)

    def feed(self, tokens: Sequence[TokenId]) -> None:
        """Step the model over what is given."""
        self._step([self._rows.of[token] for token in tokens])

    def write_on(self) -> None:
        """Draw the next half bar, another chord or the same, or a whole bar in which the last chord goes on."""
        rows, opens = self._rows, len(self.halves) % HALVES == 0
        if opens:
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

    def closing(self) -> float:
        """How probable the model finds it that the first chord's root follows on the last bar."""
        self._step([self._rows.bar])
        choices = [*self._rows.roots, self._rows.bar, self._rows.half]
        weights = np.exp(self._logits[choices] - self._logits[choices].max())
        return float(weights[self.halves[0].root] / weights.sum())

    def nats(self, head: Sequence[TokenId], tokens: Sequence[TokenId]) -> float:
        """How surprised the model is by `tokens` after `head`."""
        self.feed(head)
        total = 0.0
        for token in tokens:
            row = self._rows.of[token]
            peak = self._logits.max()
            total += float(np.log(np.exp(self._logits - peak).sum()) + peak - self._logits[row])
            self._step([row])
        return total

    def _begin(self, root_row: int) -> None:
        """Take a root and draw a quality that belongs to it here."""
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
        """Rows of the roots that may follow; where the rules leave none, all, and `taste` will count the fault."""
        if not self.halves:
            return self._rows.roots
        last = self.halves[-1]
        roots = [root for root in range(12) if root != self.other_than and resolves(last, Chord(root, "maj"))]
        if last.quality != "sus" and (last.quality == "dom7" or "dom7" not in ALLOWED[last.root]):
            roots = [root for root in roots if root != last.root]
        return [self._rows.roots[root] for root in roots] or self._rows.roots

    def _holds(self) -> list[int]:
        """The row that lets the last chord go on through a new bar, where it has lasted for just the one before."""
        holds = bool(self.halves) and self.other_than is None and self._lasted() == HALVES
        return [self._rows.bar] if holds else []

    def _lasted(self) -> int:
        """Half bars that the last chord has lasted."""
        return next(
            (place for place, chord in enumerate(reversed(self.halves)) if chord != self.halves[-1]), len(self.halves)
        )

    def _step(self, rows: Sequence[int]) -> None:
        self._logits, self._state = self._rows.engine.step(rows, self._state)

    def _draw(self, rows: Sequence[int]) -> int:
        allowed = np.zeros(len(self._logits), dtype=bool)
        allowed[list(rows)] = True
        return self._sampler.draw(self._logits, allowed, _SAMPLING)
