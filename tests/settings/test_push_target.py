from __future__ import annotations

import base64
from pathlib import Path

import pytest

from radio.errors import SettingsError
from radio.settings.push_target import Key, Secrets, Target, env_name, parse


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("rtmp://live.twitch.tv/app", Target("rtmp", "live.twitch.tv", 1935, "app")),
        ("rtmp://live.twitch.tv/app/", Target("rtmp", "live.twitch.tv", 1935, "app")),
        ("rtmps://a.rtmps.youtube.com/live2", Target("rtmps", "a.rtmps.youtube.com", 443, "live2")),
        ("RTMP://Host:1936/two/parts/", Target("rtmp", "host", 1936, "two/parts")),
        ("rtmp://[::1]:1936/app", Target("rtmp", "::1", 1936, "app")),
        ("icecast://radio.example:8010/a/b.opus", Target("icecast", "radio.example", 8010, "/a/b.opus", "source")),
        ("icecast://dj@radio.example/x", Target("icecast", "radio.example", 8000, "/x", "dj")),
        ("icecast://radio.example:8005/", Target("icecast", "radio.example", 8005, "/", "source")),
        ("icecasts://radio.example/x", Target("icecasts", "radio.example", 443, "/x", "source")),
        ("rtmp://lo%20fi@host/app", Target("rtmp", "host", 1935, "app", "lo fi")),
    ],
)
def test_addresses_are_parsed(address: str, target: Target) -> None:
    assert parse(address) == target


def test_an_address_is_shown_without_its_user() -> None:
    assert str(parse("icecast://dj@[::1]:8010/x")) == "icecast://[::1]:8010/x"
    assert str(parse("rtmps://host:443/app")) == "rtmps://host/app"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("rtmp://live.twitch.tv/app/live_123_s3cret", "stream key"),
        ("rtmp://user:s3cret@host/app", "password"),
        ("icecast://source:s3cret@host/mount", "password"),
        ("rtmp://host/app?token=s3cret", "part of the key"),
        ("rtmp://host/app#s3cret", "part of the key"),
        ("http://s3cret/app", "rtmp://HOST/APP"),
        ("s3cret", "rtmp://HOST/APP"),
        ("rtmp:///s3cret", "rtmp://HOST/APP"),
        ("rtmp://s3cret", "application"),
        ("icecast://s3cret", "mount"),
        ("rtmp://host:s3cret/app", "port"),
        ("rtmp://host:99999/s3cret", "port"),
        ("rtmp://host/s3cret s3cret", "space"),
        ("rtmp://s3cret..b/app", "not the name of a host"),
        ("icecast://s3cret b/x", "not the name of a host"),
        (f"rtmp://{'s3cret' * 11}/app", "not the name of a host"),
    ],
)
def test_a_bad_address_is_refused_without_repeating_it(address: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse(address)
    assert "s3cret" not in str(caught.value)


def test_a_key_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", " s3cret\n")
    file = tmp_path / "key"
    file.write_text("s3cret\n")
    assert Key(env="A_KEY").read() == Key(file=file).read() == Key(value="s3cret").read() == "s3cret"
    file.write_text("other")  # changed while the radio plays
    assert Key(file=file).read() == "other"
    assert "s3cret" not in repr(Key(value="s3cret"))


def test_the_error_for_a_missing_key_names_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_KEY", raising=False)
    with pytest.raises(SettingsError, match="environment variable A_KEY is not set"):
        Key(env="A_KEY").read()
    with pytest.raises(SettingsError, match=r"key.txt.*No such file"):
        Key(file=tmp_path / "key.txt").read()


@pytest.mark.parametrize("text", ["", "  ", "s3cret\nother", "s3\x00cret", "s" * 2_000, "\udc80"])
def test_a_malformed_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Key(value=text).read()
    assert "s3" not in str(caught.value)


@pytest.mark.parametrize("word", ["live_123_AbC", "abcd-efgh-ijkl", "", "1KEY", "A KEY"])
def test_a_key_in_place_of_a_name_is_refused_without_repeating_it(word: str) -> None:
    with pytest.raises(ValueError, match="not the key") as caught:
        env_name(word)
    assert not word or word not in str(caught.value)
    assert env_name("TWITCH_KEY") == "TWITCH_KEY"


def test_keys_are_hidden_in_every_form_that_is_sent() -> None:
    key = "live_1/ä?token=2"
    login = base64.b64encode(f"source:{key}".encode()).decode()
    message = f"cannot open rtmp://host/app/{key}, live_1%2F%C3%A4%3Ftoken%3D2, Basic {login}"
    assert Secrets(key).hide(message, "source") == "cannot open rtmp://host/app/…, …, Basic …"
    assert Secrets("").hide("nothing to hide") == "nothing to hide"
    assert Secrets(key, "hunter2").hide("login of joe with hunter2") == "login of joe with …"
    assert "live_1" not in repr(Secrets(key))
