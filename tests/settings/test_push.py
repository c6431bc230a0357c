"""The `push` list of a station, and `radio push`: settings are read, and mistakes are named without a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from radio.cli.main import main
from radio.errors import SettingsError
from radio.settings.config import load
from radio.settings.push import PushSettings, Video
from radio.settings.push_target import Key, parse
from tests.settings.test_config import MINIMAL, folder, problems, write

__all__ = ["folder"]


def entry(*lines: str) -> str:
    first, *rest = lines
    return f"{MINIMAL}    push:\n      - {first}\n" + "".join(f"        {line}\n" for line in rest)


def test_omitted_settings_of_an_entry_have_their_defaults(folder: Path) -> None:
    station = load(write(folder, entry("to: rtmp://live.twitch.tv/app", "key_env: TWITCH_KEY"))).stations["chill"]
    assert station.push == (PushSettings(parse("rtmp://live.twitch.tv/app"), Key(env="TWITCH_KEY")),)
    assert station.push[0].video == Video(1280, 720, 30, 2_500)
    assert station.push[0].restart_hours == 47


def test_every_setting_of_an_entry_is_read(folder: Path) -> None:
    picture = ("size: 1920x1080", "fps: 60", "video_bitrate: 4500", "restart_hours: 11.5")
    text = entry("to: rtmps://a.rtmps.youtube.com/live2", "key_file: youtube.key", *picture)
    text += "      - {to: 'icecast://dj@radio.example/x', key_file: /etc/icecast.key, format: mp3}\n"
    first, second = load(write(folder, text)).stations["chill"].push
    assert first.key == Key(file=folder / "youtube.key")
    assert first.video == Video(1920, 1080, 60, 4_500)
    assert first.restart_hours == 11.5
    assert (second.to.user, second.format, second.key.file) == ("dj", "mp3", Path("/etc/icecast.key"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("key_env: KEY",), "push: to is missing"),
        (("to: rtmp://live.twitch.tv/app",), "key_env, the environment variable"),
        (("to: rtmp://host/app", "key_env: KEY", "key_file: key"), "not both"),
        (("to: rtmp://host/app/s3cret", "key_env: KEY"), "to: the address seems to end in the stream key"),
        (("to: rtmp://host/app", "key_env: live_s3cret"), "key_env: this is the name of an environment variable"),
        (("to: rtmp://host/app", "key: s3cret"), "there is no setting 'key'"),
        (("to: rtmp://host/app", "key_env: KEY", "size: 720p"), "'720p' is not a size"),
        (("to: rtmp://host/app", "key_env: KEY", "size: 1281x720"), "two even numbers"),
        (("to: rtmp://host/app", "key_env: KEY", "size: 64x64"), "is not a size"),
        (("to: rtmp://host/app", "key_env: KEY", "fps: 29"), "fps: 29 is not one of 10, 12"),
        (("to: rtmp://host/app", "key_env: KEY", "video_bitrate: 2500k"), "whole number from 200 to 20000"),
        (("to: rtmp://host/app", "key_env: KEY", "restart_hours: 0"), "restart_hours"),
        (("to: rtmp://host/app", "key_env: KEY", "format: mp3"), "format: only for icecast"),
        (("to: icecast://host/x", "key_env: KEY", "fps: 30", "size: 1280x720"), "size, fps: only for rtmp"),
        (("to: icecast://host/x", "key_env: KEY", "format: flac"), "format: 'flac' is not one of opus, mp3"),
    ],
)
def test_each_mistake_is_named_without_a_secret(folder: Path, lines: tuple[str, ...], message: str) -> None:
    (problem,) = problems(folder, entry(*lines))
    assert message in problem
    assert problem.split(":")[0].isdecimal()
    assert "s3cret" not in problem


def test_a_missing_image_is_named(folder: Path) -> None:
    (problem,) = problems(folder, f"{MINIMAL}    image: night.png\n")
    assert "there is no image" in problem


def test_check_reports_missing_keys_and_an_unreadable_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "image.png").write_text("no image")
    (tmp_path / "there.key").write_text("s3cret\n")
    config = tmp_path / "stations.yaml"
    config.write_text(
        "stations:\n  chill:\n    title: Chill\n    progressions: [[Dm7, G7]]\n    image: image.png\n    push:\n"
        "      - {to: 'rtmp://host/app', key_env: A_KEY}\n"
        "      - {to: 'icecast://host/x', key_file: there.key}\n"
        "      - {to: 'icecast://host/y', key_file: not-there.key}\n"
    )
    monkeypatch.delenv("A_KEY", raising=False)
    assert main(["check", "--config", str(config)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "image.png cannot be read" in lines[0]
    assert "the environment variable A_KEY is not set" in lines[1]
    assert "not-there.key" in lines[2]
    assert "nothing is sent to icecast://host/y" in lines[2]
    assert "s3cret" not in "".join(lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("rtmp://host/app", "name the station with --station"),
        ("--station chill rtmp://host/app", "--key-env NAME or --key-file FILE"),
        ("--station chill rtmp://host/app/s3cret --key-env A_KEY", "seems to end in the stream key"),
        ("--station chill icecast://source:s3cret@host/x --key-env A_KEY", "the address contains a password"),
        ("--station chill rtmp://host/app --key-env s3cret", "not the key"),
        ("--station chill rtmp://host/app --key-env A_KEY", "the environment variable A_KEY is not set"),
        ("--station chill rtmp://host/app --key-env A --key-file b", "give one of them"),
        ("--station chill rtmp://host/app --key-file nowhere", "the file nowhere"),
        ("--station chill rtmp://host/app --key-env A_KEY --size big", "'big' is not a size"),
        ("--station chill rtmp://host/app --key-env A_KEY --format mp3", "only for icecast"),
        ("--station chill icecast://host/x --key-env A_KEY --fps 30", "only for rtmp"),
        ("--station chill rtmp://host/app --key-env A_KEY --image no.png", "there is no file no.png"),
        ("--station chill --seconds 3 rtmp://host/app", "radio push has no option --seconds"),
    ],
)
def test_the_command_names_each_mistake_without_a_secret(
    arguments: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("A_KEY", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert main(["push", *arguments.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert "s3cret" not in err


async def test_serve_refuses_to_start_without_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    from radio.server.app import build
    from radio.server.broadcast.channel import Channel
    from radio.server.http.authorization import Authorization
    from radio.settings.server import ServerSettings
    from tests.server.tone_worker import settings

    monkeypatch.delenv("A_KEY", raising=False)
    push = PushSettings(parse("rtmp://host/app"), Key(env="A_KEY"))
    channels = {"tone": Channel(settings(push=(push,)))}
    with pytest.raises(SettingsError, match="tone: push to rtmp://host/app: the environment variable A_KEY is not set"):
        build(channels, authorization=Authorization(control=True, token=None), settings=ServerSettings())
