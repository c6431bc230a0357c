"""Sessions on a pseudo-terminal, which is always restored, and plain lines without a terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.playback.pulseaudio import Pulse, wait_for
from tests.terminal.pty_radio import PtyRadio

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"


def tone(**options: object) -> tuple[str, ...]:
    """Return a command like `radio` whose stations are tones with these options."""
    return (sys.executable, "-m", "tests.terminal.tone_radio", json.dumps(options))


Start = Callable[..., PtyRadio]


@pytest.fixture(scope="module")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pulse]:
    server = Pulse(tmp_path_factory.mktemp("pulse"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def start(pulse: Pulse) -> Iterator[Start]:
    """Return a function that starts a radio whose stations are tones, on its own terminal."""
    running: list[PtyRadio] = []

    def start(
        *arguments: str,
        options: Mapping[str, object] | None = None,
        environment: dict[str, str] | None = None,
        **more: tuple[int, int],
    ) -> PtyRadio:
        program = tone(**options or {})
        environment = pulse.environment | (environment or {})
        running.append(PtyRadio("--station", "chill", *arguments, program=program, environment=environment, **more))
        return running[-1]

    yield start
    for radio in running:
        radio.__exit__()


def wait_for_text(radio: PtyRadio, text: str) -> None:
    wait_for(lambda: text in radio.text, f"the terminal shows {text!r}")


def assert_restored(radio: PtyRadio, *, times: int = 1) -> None:
    """Assert that the terminal has its modes, its screen and its cursor back."""
    assert radio.output.count(ENTER) == radio.output.count(LEAVE) == times
    assert radio.output.rindex(LEAVE) > radio.output.rindex(ENTER)
    assert termios.tcgetattr(radio.slave) == radio.modes


def test_quitting_restores_the_terminal(start: Start) -> None:
    radio = start()
    wait_for_text(radio, "A Tone")
    input_modes, _, _, local_modes, *_ = termios.tcgetattr(radio.slave)
    assert not input_modes & termios.IXON  # Ctrl-S must not stop the radio
    assert not local_modes & (termios.ECHO | termios.ICANON)
    radio.press("q")
    assert radio.wait() == 0
    assert_restored(radio)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_restore_the_terminal(start: Start, number: signal.Signals) -> None:
    radio = start()
    wait_for_text(radio, "A Tone")
    if number == signal.SIGINT:
        radio.press("\x03")
    else:
        radio.process.send_signal(number)
    assert radio.wait() == 0
    assert_restored(radio)


def test_an_exception_restores_the_terminal_and_prints_one_line(start: Start) -> None:
    radio = start(options={"fails_at": 48_000})
    assert radio.wait() == 1
    assert_restored(radio)
    after = radio.output[radio.output.rindex(LEAVE) + len(LEAVE) :].decode()
    assert after.strip() == "radio: ValueError: the tone broke off"


def test_a_first_station_that_cannot_be_opened_is_reported(start: Start) -> None:
    radio = start("--station", "jazzcafe")
    assert radio.wait() == 1
    assert radio.output.split(LEAVE)[-1].strip() == b"radio: there is no such\r\nradio: piano"
    assert termios.tcgetattr(radio.slave) == radio.modes


def test_ctrl_z_suspends_the_radio_and_fg_resumes_it(start: Start, pulse: Pulse) -> None:
    shell = 'set -m; "$@"; echo "stopped: $?"; fg >/dev/null; echo "ended: $?"'
    program = ("bash", "-c", shell, "bash", *tone(), "--station", "chill")
    with PtyRadio(program=program, environment=pulse.environment) as radio:
        wait_for_text(radio, "A Tone")
        radio.press("\x1a")
        wait_for(lambda: b"stopped: " in radio.output, "the shell prompts")
        at = radio.output.index(b"stopped: ")
        assert radio.output[:at].rindex(LEAVE) > radio.output[:at].rindex(ENTER)
        wait_for(lambda: b"A Tone" in radio.output[at:], "the view is drawn again")
        radio.press("q")
        wait_for(lambda: b"ended: 0" in radio.output, "the radio ends")
        assert_restored(radio, times=2)


def test_stations_change_and_a_failing_one_leaves_the_current_one_playing(start: Start) -> None:
    radio = start()
    wait_for_text(radio, "A Tone")
    radio.press("\t")
    wait_for(lambda: "Study" in radio.text and "earlier" in radio.text, "the next station plays")
    radio.press("\t")
    wait_for_text(radio, "Jazz café cannot be played: there is no such piano")
    radio.press("q")
    assert radio.wait() == 0


def test_the_view_is_redrawn_when_the_terminal_is_resized(start: Start) -> None:
    radio = start(size=(80, 24))
    wait_for_text(radio, "A Tone")
    at = len(radio.output)
    radio.resize(40, 12)
    wait_for(lambda: b"\x1b[2J" in radio.output[at:] and b"\x1b[12;1H" in radio.output[at:], "the view is redrawn")
    assert b"\x1b[13;1H" not in radio.output[at:]
    radio.press("q")
    assert radio.wait() == 0


def test_no_color_and_terminals_without_unicode_are_respected(start: Start) -> None:
    radio = start(environment={"NO_COLOR": "1", "PYTHONIOENCODING": "ascii"})
    wait_for_text(radio, "A Tone")
    radio.press("q")
    assert radio.wait() == 0
    assert not re.search(rb"\x1b\[[0-9;]*(3[0-9]|38;|9[0-7])[0-9;]*m", radio.output)
    assert radio.output.isascii()
    assert "key of A - 60 BPM".replace("-", ".") in radio.text


def test_a_dumb_terminal_shows_plain_lines(start: Start) -> None:
    radio = start(environment={"TERM": "dumb"})
    wait_for_text(radio, "A Tone")
    radio.press("\x03")
    assert radio.wait() == 0
    assert b"\x1b" not in radio.output
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  Chill · A Tone · key of A · 60 BPM\r\n", radio.output.decode())


def test_a_pipe_receives_plain_lines_until_sigterm(pulse: Pulse) -> None:
    command = [*tone(), "--station", "chill"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=pulse.environment) as radio:
        assert radio.stdout is not None
        assert radio.stderr is not None
        assert b"Chill \xc2\xb7 A Tone" in radio.stdout.readline()
        radio.send_signal(signal.SIGTERM)
        assert radio.wait(90) == 0
        assert re.fullmatch(rb"radio: chill began from seed \d+\n", radio.stderr.read())


def test_a_stuck_sound_server_is_reported_and_quitting_still_works(tmp_path: Path) -> None:
    pulse = Pulse(tmp_path)
    pulse.start()
    program = (*tone(), "--station", "chill")
    try:
        with PtyRadio(program=program, environment=pulse.environment) as radio:
            wait_for_text(radio, "A Tone")
            pulse.signal(signal.SIGSTOP)
            wait_for_text(radio, "The sound card does not respond")
            radio.press("q")
            assert radio.wait() == 0
            assert_restored(radio)
    finally:
        pulse.kill()


def test_a_sound_server_that_is_stuck_from_the_start_can_be_interrupted(tmp_path: Path) -> None:
    pulse = Pulse(tmp_path)
    pulse.start()
    pulse.signal(signal.SIGSTOP)
    try:
        with PtyRadio("--station", "chill", environment=pulse.environment) as radio:
            deadline = time.monotonic() + 3  # by then it is stuck
            wait_for(lambda: time.monotonic() > deadline, "it has started")
            assert radio.process.poll() is None
            radio.press("\x03")
            assert radio.wait() == -signal.SIGINT
            assert termios.tcgetattr(radio.slave) == radio.modes
    finally:
        pulse.kill()


@pytest.mark.slow
def test_two_underruns_lengthen_the_buffer(start: Start) -> None:
    radio = start(options={"stalls_at": (24_000, 48_000)})
    wait_for_text(radio, "Audio underrun: the buffer is now 96 ms.")
    wait_for_text(radio, "bar 3 of 8")
    assert radio.text.count("underrun") == 1
    radio.press("q")
    assert radio.wait() == 0


def test_closing_the_terminal_ends_the_radio(pulse: Pulse) -> None:
    program = (*tone(), "--station", "chill")
    with PtyRadio(program=program, environment=pulse.environment) as radio:
        wait_for_text(radio, "A Tone")
        radio.hang_up()
        assert radio.process.wait(90) in {0, -signal.SIGHUP}


def test_sound_cards_are_chosen_by_number_or_name(start: Start, pulse: Pulse) -> None:
    doctor = subprocess.run(
        [sys.executable, "-m", "radio", "doctor"], capture_output=True, text=True, check=False, env=pulse.environment
    )
    (line,) = re.findall(r"sound card: (.*)", doctor.stdout)
    cards = dict(re.findall(r"(\d+) (\w+)", line))
    assert "default" in cards.values()
    number = next(number for number, name in cards.items() if name == "default")
    for device in (number, "DEFAU"):
        radio = start("--device", device)
        wait_for_text(radio, "A Tone")
        radio.press("q")
        assert radio.wait() == 0
    radio = start("--device", "harpsichord")
    assert radio.wait() == 1
    assert "radio: no sound card 'harpsichord'. Sound cards: " in radio.text
    assert os.linesep.join(radio.text.splitlines()).count("radio:") == 1
