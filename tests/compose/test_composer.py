from __future__ import annotations

from radio.compose.composer import Composer
from radio.compose.conductor import Conductor
from radio.compose.loop_writer import LoopWriter
from radio.model.engines.numpy_rwkv6 import NumpyRwkv6Engine
from radio.music.chord_loops import parse_loop
from radio.settings.controls import Controls
from radio.types import TICKS_PER_BAR
from tests.model.models import checkpoint


def composer(seed: int = 1) -> Composer:
    return Composer(
        NumpyRwkv6Engine(checkpoint("piano")),
        NumpyRwkv6Engine(checkpoint("drums")),
        Conductor(
            writer=LoopWriter(NumpyRwkv6Engine(checkpoint("chords"))),
            progressions=[parse_loop(["Dm7", "G7", "Cmaj7", "Am7"])],
            keys=("C", "F"),
            style="hiphop",
            seed=seed,
        ),
        seed=seed,
    )


def test_every_layer_keeps_to_the_same_bar_lines() -> None:
    player = composer()
    for number in range(6):
        bar = player.next_bar(Controls())
        assert bar.plan.number == number
        for layer in ("keys", "bass", "drums"):
            strikes = [event.tick for event in bar.events[layer] if event.velocity]
            assert strikes
            assert all(number * TICKS_PER_BAR <= tick < (number + 1) * TICKS_PER_BAR for tick in strikes)


def test_saved_and_restored_it_composes_on_as_if_never_stopped() -> None:
    first = composer()
    for _ in range(3):
        first.next_bar(Controls())
    saved = first.save()
    expected = [first.next_bar(Controls()) for _ in range(3)]
    other = composer(seed=99)
    other.restore(saved)
    assert [other.next_bar(Controls()) for _ in range(3)] == expected
    first.restore(saved)
    assert [first.next_bar(Controls()) for _ in range(3)] == expected
