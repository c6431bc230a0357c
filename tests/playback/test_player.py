"""The player, with a card that takes what the test lets it take: the edge of the machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from radio.errors import AudioError
from radio.paths import STATIONS
from radio.playback.player import (
    CROSSFADE,
    MIX_BLOCK,
    ControlsChanged,
    EventPlayed,
    Message,
    Notice,
    Player,
    StationChanged,
)
from radio.playback.source import PlayerSource, SourceLoader
from radio.settings.config import load
from radio.settings.station import StationSettings
from radio.types import SAMPLE_RATE, Block, Frames, Landing
from tests.conftest import ToneStation
from tests.playback.pulseaudio import wait_for

ONE, TWO, THREE = load(STATIONS).stations.values()


class SteppedCard:
    """Takes as many blocks as a test allows, and holds `buffered` frames of them back."""

    buffer = 0.08

    def __init__(self) -> None:
        self.buffered: Frames = 0
        self.played: list[Block] = []
        self.gone = 0
        self._allowed = threading.Semaphore(0)

    def take(self, blocks: int) -> None:
        until = len(self.played) + blocks
        self._allowed.release(blocks)
        wait_for(lambda: len(self.played) >= until, "the card was given its blocks")

    def write(self, block: Block) -> None:
        self._allowed.acquire()
        if self.gone:
            self.gone -= 1
            raise AudioError("unplugged")
        self.played.append(block.copy())

    def reopen(self) -> None:
        self._allowed.release()
        if self.gone:
            self.gone -= 1
            raise AudioError("still unplugged")

    def drain(self) -> None:
        self.buffered = 0

    @property
    def sound(self) -> np.ndarray:
        return np.concatenate(self.played)

    def let_go(self) -> None:
        self._allowed.release(1000)


class Constant(ToneStation):
    """Each sample is `value`; what was asked of it is kept."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value
        self.patches: list[tuple[Frames, dict[str, object]]] = []

    def render(self, frames: Frames) -> Block:
        return np.full_like(super().render(frames), self.value)

    def control(self, patch: dict[str, object]) -> dict[str, Landing]:  # type: ignore[override]
        self.patches.append((self.position, dict(patch)))
        return super().control(patch)


Playing = Callable[..., tuple[Player, SteppedCard]]


@pytest.fixture
def playing() -> Iterator[Playing]:
    started: list[tuple[Player, SteppedCard]] = []

    def start(
        open_station: Callable[[StationSettings], ToneStation] = lambda _: ToneStation(),
        frames: Frames | None = None,
    ) -> tuple[Player, SteppedCard]:
        card = SteppedCard()
        player = Player(card, open_station, frames=frames)
        started.append((player, card))
        player.start(ONE)
        return player, card

    yield start
    for player, card in started:
        player._stop.set()
        card.let_go()
        assert player.close()


def messages_of(player: Player, kind: type[Message]) -> list[Message]:
    return [message for message in player.messages(0) if isinstance(message, kind)]


def test_all_frames_are_played_and_no_more(playing: Playing) -> None:
    frames = 3 * MIX_BLOCK + 17
    player, card = playing(frames=frames)
    card.let_go()
    wait_for(lambda: not player.playing, "it is over")
    assert len(card.sound) == frames
    np.testing.assert_array_equal(card.sound, ToneStation().render(frames))


def test_events_are_told_when_they_are_heard_not_when_they_are_mixed(playing: Playing) -> None:
    player, card = playing()
    card.buffered = 4 * MIX_BLOCK
    card.take(53)
    wait_for(lambda: player.playhead == 49 * MIX_BLOCK, "that much is heard")
    assert [message.event.frame for message in messages_of(player, EventPlayed)] == [
        0,
        0,
    ]  # the bar line at 50 is mixed, no more
    card.take(1)
    wait_for(lambda: player.playhead == 50 * MIX_BLOCK, "that much is heard")
    assert [message.event.frame for message in messages_of(player, EventPlayed)] == [50 * MIX_BLOCK]


def test_stations_fade_over_with_equal_power_and_the_old_one_is_freed(playing: Playing) -> None:
    stations = {ONE.name: Constant(0.5), TWO.name: Constant(0.25)}
    player, card = playing(lambda settings: stations[settings.name])
    card.take(10)
    player.change_station(TWO)
    wait_for(lambda: player._loader._ready is not None, "it is loaded")
    card.take(60)
    sound = card.sound[:, 0]
    assert not stations[TWO.name].closed
    wait_for(lambda: stations[ONE.name].closed, "the old station is freed")
    start = int(np.flatnonzero(sound != 0.5)[0]) // MIX_BLOCK * MIX_BLOCK
    angle = np.arange(CROSSFADE) / CROSSFADE * np.pi / 2
    fade = sound[start : start + CROSSFADE]
    np.testing.assert_allclose(fade, 0.5 * np.cos(angle) + 0.25 * np.sin(angle), atol=1e-6)
    assert (sound[start + CROSSFADE :] == 0.25).all()
    assert [message.settings for message in messages_of(player, StationChanged)] == [ONE, TWO]


def test_the_station_that_was_asked_for_last_is_the_one_that_comes(playing: Playing) -> None:
    opened: list[tuple[str, Constant]] = []
    go = Event()

    def slow(settings: StationSettings) -> Constant:
        station = Constant(0.1)
        opened.append((settings.name, station))
        if settings != ONE:
            go.wait(20)
        return station

    player, card = playing(slow)
    card.take(1)
    player.change_station(TWO)
    wait_for(lambda: len(opened) == 2, "the second is being loaded")
    player.change_station(THREE)
    player.change_station(TWO)
    player.change_station(THREE)
    go.set()
    wait_for(lambda: len(opened) == 3 and player._loader._ready is not None, "the last is loaded")
    card.take(2)
    assert [name for name, _ in opened] == [ONE.name, TWO.name, THREE.name]
    wait_for(lambda: opened[1][1].closed, "the one in between is freed")
    assert [message.settings for message in messages_of(player, StationChanged)] == [ONE, THREE]


def test_a_station_that_is_given_up_does_not_come(playing: Playing) -> None:
    stations = {each.name: Constant(0.1) for each in (ONE, TWO)}
    player, card = playing(lambda settings: stations[settings.name])
    card.take(1)
    player.change_station(TWO)
    wait_for(lambda: player._loader._ready is not None, "it is loaded")
    player.change_station(None)
    card.take(5)
    assert stations[TWO.name].closed
    assert not stations[ONE.name].closed
    assert len(messages_of(player, StationChanged)) == 1


def test_a_station_that_cannot_be_opened_is_said_and_the_old_one_plays_on(playing: Playing) -> None:
    def opened(settings: StationSettings) -> ToneStation:
        if settings != ONE:
            raise AudioError("no soundfont")
        return ToneStation()

    player, card = playing(opened)
    card.take(1)
    player.change_station(TWO)
    wait_for(lambda: player._loader._ready is not None, "it has failed")
    card.take(3)
    assert messages_of(player, Notice) == [Notice(f"{TWO.title} cannot be played: no soundfont")]
    np.testing.assert_array_equal(card.sound, ToneStation().render(len(card.sound)))
    assert player.playing


def test_the_first_station_that_cannot_be_opened_ends_it(playing: Playing) -> None:
    def refused(_: StationSettings) -> ToneStation:
        raise AudioError("no soundfont")

    player, _ = playing(refused)
    with pytest.raises(AudioError, match="no soundfont"):
        wait_for(lambda: not player.playing, "it ends")


def test_the_mix_is_turned_at_once_and_the_music_not_too_near_to_its_bar_line(playing: Playing) -> None:
    station = Constant(0.1)
    player, card = playing(lambda _: station)
    card.take(48)  # 40 ms before the bar line, with one block on its way
    player.change_controls({"drums_mute": True})
    card.take(1)
    assert [patch for _, patch in station.patches] == [{"drums_mute": True}]
    player.change_controls({"tempo": 90})
    card.take(5)
    assert len(station.patches) == 2
    frame, patch = station.patches[1]
    assert patch == {"tempo": 90}
    assert frame > SAMPLE_RATE, "a bar that was composed would have had to be composed again in 20 ms"
    assert [(message.patch, message.bar) for message in messages_of(player, ControlsChanged)] == [
        ({"drums_mute": True}, None),
        ({"tempo": 90}, 3),
    ]


def test_volume_moves_without_a_step(playing: Playing) -> None:
    player, card = playing(lambda _: Constant(0.8))
    card.take(3)
    player.volume = 0.0
    card.take(3)
    player.volume = 1.0
    card.take(3)
    sound = card.sound[:, 0]
    assert (sound == 0).any()
    assert sound[0] == pytest.approx(0.8)
    assert sound[-1] == pytest.approx(0.8)
    assert np.abs(np.diff(sound)).max() < 0.8 / MIX_BLOCK * 1.01


def test_levels_are_those_of_what_is_heard(playing: Playing) -> None:
    player, card = playing(lambda _: Constant(-0.5))
    assert player.level() is None
    card.buffered = 100 * MIX_BLOCK
    card.take(10)
    assert player.level() is None
    card.buffered = 0
    card.take(2)
    wait_for(lambda: player.playhead > 0, "something is heard")
    level = player.level()
    assert level is not None
    assert level.peak == (0.5, 0.5)
    assert level.power == pytest.approx((0.25, 0.25))
    assert player.level() is None


def test_a_card_that_goes_away_loses_nothing_that_was_not_on_it(
    playing: Playing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radio.playback.player._REOPEN_DELAYS", (0.01,))
    player, card = playing()
    card.take(5)
    card.gone = 3
    card.let_go()
    wait_for(lambda: len(card.played) > 20, "it plays on")
    sound = card.sound
    np.testing.assert_array_equal(sound, ToneStation().render(len(sound)))
    words = [message.words for message in messages_of(player, Notice)]
    assert words == ["The sound card does not play any more (unplugged): waiting for one.", "The sound card is back."]


def test_messages_that_nobody_reads_do_not_pile_up(playing: Playing) -> None:
    player, card = playing()
    for number in range(10_000):
        player._post(Notice(str(number)))
    card.take(1)
    assert len(player.messages(0)) <= 4096


def test_a_voice_says_what_it_needs_to_compose_anew() -> None:
    station = ToneStation()
    source = PlayerSource(station, ONE)
    try:
        source.render(SAMPLE_RATE // 2)
        assert source.can_change({"tempo": 80, "drums_mute": True})
        source.render(SAMPLE_RATE // 2 - 4000)
        assert not source.can_change({"tempo": 80, "drums_mute": True})
        assert source.can_change({"drums_mute": True})
    finally:
        source.close()
    assert station.closed


def test_a_tuner_that_is_closed_while_it_loads_frees_what_comes() -> None:
    begun, go, station = Event(), Event(), ToneStation()

    def slow(_: StationSettings) -> ToneStation:
        begun.set()
        go.wait(20)
        return station

    loader = SourceLoader(slow)
    loader.load(replace(ONE, title="Slow"))
    assert begun.wait(20)
    threading.Timer(0.05, go.set).start()
    loader.close()
    assert station.closed
    assert loader.take() is None
