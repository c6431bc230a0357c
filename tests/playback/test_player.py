"""The player with a fake sound card that accepts as many blocks as the test allows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from threading import Event

import numpy as np
import pytest

from radio.errors import AudioError
from radio.paths import STATIONS
from radio.playback.messages import ControlsChanged, EventPlayed, Notice, PlayerMessage, StationChanged, StationFailed
from radio.playback.player import CROSSFADE, PLAYER_BLOCK, Player
from radio.settings.config import load
from radio.settings.station import StationSettings
from radio.types import SAMPLE_RATE, Block, Frames, Landing
from tests.playback.pulseaudio import wait_for
from tests.tone_station import ToneStation

ONE, TWO, THREE, *_ = load(STATIONS).stations.values()


class SteppedDevice:
    """An output device that accepts as many blocks as a test allows and reports `buffered` frames as unheard."""

    buffer = 0.08

    def __init__(self) -> None:
        self.buffered: Frames = 0
        self.played: list[Block] = []
        self.failures = 0
        self._allowed = threading.Semaphore(0)

    def accept(self, blocks: int) -> None:
        total = len(self.played) + blocks
        self._allowed.release(blocks)
        wait_for(lambda: len(self.played) >= total, "the device received its blocks")

    def write(self, block: Block) -> None:
        self._allowed.acquire()
        if self.failures:
            self.failures -= 1
            raise AudioError("unplugged")
        self.played.append(block.copy())

    def reopen(self) -> None:
        self._allowed.release()
        if self.failures:
            self.failures -= 1
            raise AudioError("still unplugged")

    def drain(self) -> None:
        self.buffered = 0

    @property
    def sound(self) -> np.ndarray:
        return np.concatenate(self.played)

    def accept_all(self) -> None:
        self._allowed.release(1000)


class Constant(ToneStation):
    """A station whose samples all equal `value` and which records its patches."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value
        self.patches: list[tuple[Frames, dict[str, object]]] = []

    def render(self, frames: Frames) -> Block:
        return np.full_like(super().render(frames), self.value)

    def control(self, patch: dict[str, object], later: object = ()) -> dict[str, Landing]:  # type: ignore[override]
        self.patches.append((self.position, dict(patch)))
        return super().control(patch)


Playing = Callable[..., tuple[Player, SteppedDevice]]


@pytest.fixture
def playing() -> Iterator[Playing]:
    players: list[tuple[Player, SteppedDevice]] = []

    def start(
        open_station: Callable[[StationSettings], ToneStation] = lambda _: ToneStation(),
        frames: Frames | None = None,
    ) -> tuple[Player, SteppedDevice]:
        device = SteppedDevice()
        player = Player(device, open_station, frames=frames)
        players.append((player, device))
        player.start(ONE)
        return player, device

    yield start
    for player, device in players:
        player._stop.set()
        device.accept_all()
        assert player.close()


def messages_of(player: Player, kind: type[PlayerMessage]) -> list[PlayerMessage]:
    return [message for message in player.messages(0) if isinstance(message, kind)]


def test_exactly_the_requested_frames_are_played(playing: Playing) -> None:
    frames = 3 * PLAYER_BLOCK + 17
    player, device = playing(frames=frames)
    device.accept_all()
    wait_for(lambda: not player.playing, "playback ends")
    assert len(device.sound) == frames
    np.testing.assert_array_equal(device.sound, ToneStation().render(frames))


def test_events_are_reported_when_they_are_heard(playing: Playing) -> None:
    player, device = playing()
    device.buffered = 4 * PLAYER_BLOCK
    device.accept(53)
    wait_for(lambda: player.playhead == 49 * PLAYER_BLOCK, "that many frames are heard")
    # The bar line at block 50 is mixed but not heard.
    assert [message.event.frame for message in messages_of(player, EventPlayed)] == [0, 0]
    device.accept(1)
    wait_for(lambda: player.playhead == 50 * PLAYER_BLOCK, "that many frames are heard")
    assert [message.event.frame for message in messages_of(player, EventPlayed)] == [50 * PLAYER_BLOCK]


def test_stations_crossfade_with_equal_power_and_the_old_one_is_closed(playing: Playing) -> None:
    stations = {ONE.name: Constant(0.5), TWO.name: Constant(0.25)}
    player, device = playing(lambda settings: stations[settings.name])
    device.accept(10)
    player.change_station(TWO)
    wait_for(lambda: player._loader._ready is not None, "the station is loaded")
    device.accept(60)
    sound = device.sound[:, 0]
    assert not stations[TWO.name].closed
    wait_for(lambda: stations[ONE.name].closed, "the old station is closed")
    assert stations[ONE.name].events() == []  # events during the fade are fetched, or they would pile up
    start = int(np.flatnonzero(sound != 0.5)[0]) // PLAYER_BLOCK * PLAYER_BLOCK
    angle = np.arange(CROSSFADE) / CROSSFADE * np.pi / 2
    fade = sound[start : start + CROSSFADE]
    np.testing.assert_allclose(fade, 0.5 * np.cos(angle) + 0.25 * np.sin(angle), atol=1e-6)
    assert (sound[start + CROSSFADE :] == 0.25).all()
    assert [message.settings for message in messages_of(player, StationChanged)] == [ONE, TWO]


def test_changes_and_events_of_the_old_station_are_discarded_with_it(playing: Playing) -> None:
    stations = {ONE.name: Constant(0.1), TWO.name: Constant(0.2)}
    player, device = playing(lambda settings: stations[settings.name])
    device.buffered = 1_000 * PLAYER_BLOCK  # no event is heard before the change
    device.accept(48)
    player.change_controls({"tempo": 90})  # too late for the next bar line, so the change waits
    player.change_station(TWO)
    wait_for(lambda: player._loader._ready is not None, "the station is loaded")
    device.accept(5)
    device.buffered = 0
    device.accept(20)
    assert stations[ONE.name].patches == stations[TWO.name].patches == []
    messages = player.messages(0)
    events = [message.frame for message in messages if isinstance(message, EventPlayed)]
    assert isinstance(messages[1], StationChanged)
    assert events == [49 * PLAYER_BLOCK] * 2  # the first track and bar of the new station


def test_only_the_last_requested_station_starts(playing: Playing) -> None:
    opened: list[tuple[str, Constant]] = []
    go = Event()

    def slow(settings: StationSettings) -> Constant:
        station = Constant(0.1)
        opened.append((settings.name, station))
        if settings != ONE:
            go.wait(90)
        return station

    player, device = playing(slow)
    device.accept(1)
    player.change_station(TWO)
    wait_for(lambda: len(opened) == 2, "the second station is loading")
    player.change_station(THREE)
    player.change_station(TWO)
    player.change_station(THREE)
    go.set()
    wait_for(lambda: len(opened) == 3 and player._loader._ready is not None, "the last station is loaded")
    device.accept(2)
    assert [name for name, _ in opened] == [ONE.name, TWO.name, THREE.name]
    wait_for(lambda: opened[1][1].closed, "the station in between is closed")
    assert [message.settings for message in messages_of(player, StationChanged)] == [ONE, THREE]


def test_a_cancelled_station_does_not_start(playing: Playing) -> None:
    stations = {settings.name: Constant(0.1) for settings in (ONE, TWO)}
    player, device = playing(lambda settings: stations[settings.name])
    device.accept(1)
    player.change_station(TWO)
    wait_for(lambda: player._loader._ready is not None, "the station is loaded")
    player.change_station(None)
    device.accept(5)
    assert stations[TWO.name].closed
    assert not stations[ONE.name].closed
    assert len(messages_of(player, StationChanged)) == 1


def test_a_station_that_cannot_be_opened_is_reported_and_the_old_one_continues(playing: Playing) -> None:
    def open_station(settings: StationSettings) -> ToneStation:
        if settings != ONE:
            raise AudioError("no soundfont")
        return ToneStation()

    player, device = playing(open_station)
    device.accept(1)
    player.change_station(TWO)
    wait_for(lambda: player._loader._ready is not None, "loading has failed")
    device.accept(3)
    assert messages_of(player, StationFailed) == [StationFailed(TWO, "no soundfont")]
    np.testing.assert_array_equal(device.sound, ToneStation().render(len(device.sound)))
    assert player.playing


def test_an_unexpected_exception_while_loading_ends_playback(playing: Playing) -> None:
    def open_station(settings: StationSettings) -> ToneStation:
        if settings != ONE:
            raise ZeroDivisionError("a bug")
        return ToneStation()

    player, device = playing(open_station)
    device.accept(1)
    player.change_station(TWO)
    device.accept_all()
    with pytest.raises(ZeroDivisionError, match="a bug"):
        wait_for(lambda: not player.playing, "playback ends")


def test_playback_ends_if_the_first_station_cannot_be_opened(playing: Playing) -> None:
    def failing(_: StationSettings) -> ToneStation:
        raise AudioError("no soundfont")

    player, _ = playing(failing)
    with pytest.raises(AudioError, match="no soundfont"):
        wait_for(lambda: not player.playing, "playback ends")


def test_mix_controls_change_immediately_but_music_controls_not_just_before_a_bar_line(playing: Playing) -> None:
    station = Constant(0.1)
    player, device = playing(lambda _: station)
    device.accept(48)  # 40 ms before the bar line, with one block on its way
    player.change_controls({"drums_mute": True})
    device.accept(1)
    assert [patch for _, patch in station.patches] == [{"drums_mute": True}]
    player.change_controls({"tempo": 90})
    device.accept(5)
    assert len(station.patches) == 2
    frame, patch = station.patches[1]
    assert patch == {"tempo": 90}
    assert frame > SAMPLE_RATE, "a composed bar would have to be recomposed in 20 ms"
    assert [(message.patch, message.bar) for message in messages_of(player, ControlsChanged)] == [
        ({"drums_mute": True}, None),
        ({"tempo": 90}, 3),
    ]


def test_the_volume_changes_without_a_jump(playing: Playing) -> None:
    player, device = playing(lambda _: Constant(0.8))
    device.accept(3)
    player.volume = 0.0
    device.accept(3)
    player.volume = 1.0
    device.accept(3)
    sound = device.sound[:, 0]
    assert (sound == 0).any()
    assert sound[0] == pytest.approx(0.8)
    assert sound[-1] == pytest.approx(0.8)
    assert np.abs(np.diff(sound)).max() < 0.8 / PLAYER_BLOCK * 1.01


def test_levels_describe_the_frames_that_are_heard(playing: Playing) -> None:
    player, device = playing(lambda _: Constant(-0.5))
    assert player.level() is None
    device.buffered = 100 * PLAYER_BLOCK
    device.accept(10)
    assert player.level() is None
    device.buffered = 0
    device.accept(2)
    wait_for(lambda: player.playhead > 0, "some frames are heard")
    level = player.level()
    assert level is not None
    assert level.peak == (0.5, 0.5)
    assert level.power == pytest.approx((0.25, 0.25))
    assert player.level() is None


def test_a_device_is_stuck_if_a_call_does_not_return(playing: Playing, monkeypatch: pytest.MonkeyPatch) -> None:
    player, device = playing()
    device.accept(1)
    wait_for(lambda: player._call_started is not None, "the next block waits")
    assert not player.is_stuck
    monkeypatch.setattr("radio.playback.player._STUCK_AFTER", 0.1)
    wait_for(lambda: player.is_stuck, "the device is stuck")
    monkeypatch.undo()
    device.accept(1)
    assert not player.is_stuck


def test_a_lost_device_is_reopened_without_losing_unwritten_blocks(
    playing: Playing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radio.playback.player._REOPEN_DELAYS", (0.01,))
    player, device = playing()
    device.accept(5)
    device.failures = 3
    device.accept_all()
    wait_for(lambda: len(device.played) > 20, "playback continues")
    sound = device.sound
    np.testing.assert_array_equal(sound, ToneStation().render(len(sound)))
    texts = [message.text for message in messages_of(player, Notice)]
    assert texts == ["The sound card stopped (unplugged). Waiting for it to come back.", "The sound card is back."]


def test_unread_messages_do_not_pile_up(playing: Playing) -> None:
    player, device = playing()
    for number in range(10_000):
        player._post(Notice(str(number)))
    device.accept(1)
    assert len(player.messages(0)) <= 4096
