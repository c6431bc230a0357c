from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given
from pieces import SIZES, bounds, few

from radio.audio.synth import Synth
from radio.errors import AudioError
from radio.types import GRID, SynthEvent

EVENTS = [
    SynthEvent(GRID * at, note, velocity)
    for note in (48, 55, 64, 71)
    for at, velocity in ((note % 5, 90), (60 + note, 0), (75 + note, 50), (190, 0))
]
FRAMES = 20_000


@pytest.fixture(scope="module")
def whole(soundfont: Path) -> np.ndarray:
    synth = Synth(soundfont, program=4)
    synth.schedule(EVENTS)
    return synth.render(FRAMES)


@few
@given(sizes=SIZES)
def test_whole_equals_split(soundfont: Path, whole: np.ndarray, sizes: list[int]) -> None:
    synth = Synth(soundfont, program=4)
    synth.schedule(reversed(EVENTS))
    parts = [synth.render(b - a) for a, b in pairwise(bounds(sizes, FRAMES))]
    assert synth.position == FRAMES
    assert np.array_equal(np.concatenate(parts), whole)
    synth.close()


def test_block_is_stereo_float32_and_sounds(whole: np.ndarray) -> None:
    assert whole.dtype == np.float32
    assert whole.shape == (FRAMES, 2)
    assert 0.05 < np.abs(whole).max() < 1


@pytest.mark.parametrize("line", [0, 1, 75, 200])
def test_a_drum_sounds_from_its_own_grid_line_on(soundfont: Path, line: int) -> None:
    synth = Synth(soundfont, program=0, drums=True)
    synth.schedule([SynthEvent(GRID * line, 42, 100)])
    block = synth.render(GRID * line + 480)
    assert not block[: GRID * line].any()
    assert block[GRID * line : GRID * (line + 1)].any()


def test_an_event_may_still_be_added_at_the_position(soundfont: Path) -> None:
    synth = Synth(soundfont, program=4)
    synth.render(4800)
    synth.schedule([SynthEvent(4800, 60, 100)])
    assert np.abs(synth.render(4800)).max() > 0.01


def test_a_release_ends_the_note(soundfont: Path) -> None:
    def tail(release: int) -> float:
        synth = Synth(soundfont, program=4)
        synth.schedule([SynthEvent(0, 60, 100), SynthEvent(release, 60, 0)])
        return float(np.abs(synth.render(48_000)[-4800:]).max())

    assert tail(GRID * 100) < tail(GRID * 10_000) / 100


def test_a_release_at_the_same_frame_comes_before_the_strike(soundfont: Path) -> None:
    synth = Synth(soundfont, program=4)
    synth.schedule([SynthEvent(0, 60, 90), SynthEvent(9600, 60, 90), SynthEvent(9600, 60, 0)])
    assert np.abs(synth.render(48_000)[-4800:]).max() > 0.01


def test_another_program_sounds_different(soundfont: Path, whole: np.ndarray) -> None:
    synth = Synth(soundfont, program=0)
    synth.schedule(EVENTS)
    assert not np.allclose(synth.render(FRAMES), whole, atol=1e-3)


def test_only_the_samples_in_use_are_loaded(soundfont: Path) -> None:
    before = psutil.Process().memory_info().rss
    synth = Synth(soundfont, program=20)
    assert psutil.Process().memory_info().rss - before < soundfont.stat().st_size / 3
    synth.close()


@pytest.mark.parametrize("ci", ["", "1"])
def test_the_terminal_stays_clean(soundfont: Path, ci: str) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from radio.audio.synth import Synth; from radio.types import SynthEvent\n"
        "s = Synth(Path(sys.argv[1]), program=4); s.schedule([SynthEvent(0, 127, 1)]); s.render(100); s.close()\n"
        "try: Synth(Path(sys.argv[1]), program=77, drums=True)\n"
        "except Exception as fault: assert 'drum kit 77' in str(fault)\n"
        "else: raise SystemExit('no error')\n"
    )
    command = [sys.executable, "-c", code, str(soundfont)]
    done = subprocess.run(command, env=os.environ | {"CI": ci}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_missing_soundfont_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AudioError) as raised:
        Synth(tmp_path / "no.sf2", program=4)
    message = str(raised.value)
    assert str(tmp_path / "no.sf2") in message
    assert "apt install fluid-soundfont-gm" in message
    assert "soundfont:" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no RIFF/sfbk header"),
        (b"MThd" + bytes(40), "no RIFF/sfbk header"),
        (b"RIFF\xff\xff\xff\x00sfbkLIST" + bytes(40), "cut short at 56 bytes"),
        (b"RIFF\x30\x00\x00\x00sfbkLIST" + b"x" * 40, "is not a soundfont"),
    ],
)
def test_a_file_that_is_no_soundfont_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "broken.sf2"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=words):
        Synth(path, program=4)


def test_a_folder_is_no_soundfont(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="directory"):
        Synth(tmp_path, program=4)


def test_missing_kit_is_answered_with_those_there_are(soundfont: Path) -> None:
    with pytest.raises(AudioError, match=r"no drum kit 77; it has 0"):
        Synth(soundfont, program=77, drums=True)


@pytest.mark.parametrize(
    "event", [SynthEvent(4801, 60, 90), SynthEvent(4736, 60, 90), SynthEvent(9600, 128, 90), SynthEvent(9600, 60, -1)]
)
def test_an_event_that_cannot_sound_is_refused(soundfont: Path, event: SynthEvent) -> None:
    synth = Synth(soundfont, program=4)
    synth.render(4790)
    with pytest.raises(AudioError):
        synth.schedule([event])


def test_a_closed_synthesizer_says_so(soundfont: Path) -> None:
    synth = Synth(soundfont, program=4)
    synth.close()
    synth.close()
    with pytest.raises(AudioError, match="closed"):
        synth.render(64)
