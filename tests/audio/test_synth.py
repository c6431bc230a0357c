from __future__ import annotations

import ctypes.util
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.audio.fluid import library
from radio.audio.synth import Program, Synth, check_soundfont
from radio.errors import AudioError
from radio.types import GRID, Block, SynthEvent
from tests.audio.pieces import bounds, few

FLUIDR3 = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
EVENTS = [
    SynthEvent(GRID * at, note, velocity)
    for note in (48, 55, 64, 71)
    for at, velocity in ((note % 5, 90), (60 + note, 0), (75 + note, 50), (190, 0))
]
FRAMES = GRID * 312
PROGRAMS = {"keys": Program(4), "bass": Program(33), "drums": Program(0, drums=True)}


def open_synth(soundfont: Path, program: int = 4, *, drums: bool = False) -> Synth:
    return Synth(soundfont, {"one": Program(program, drums)})


def played(synth: Synth, frames: int, events: list[SynthEvent]) -> Block:
    synth.schedule("one", events)
    return synth.render(frames)["one"]


@pytest.fixture(scope="module")
def whole(soundfont: Path) -> np.ndarray:
    return played(open_synth(soundfont), FRAMES, EVENTS)


@few
@given(sizes=st.lists(st.integers(0, 100), min_size=1, max_size=20))
def test_samples_do_not_depend_on_block_sizes(soundfont: Path, whole: np.ndarray, sizes: list[int]) -> None:
    synth = open_synth(soundfont)
    synth.schedule("one", reversed(EVENTS))
    parts = [synth.render(b - a)["one"] for a, b in pairwise(bounds([GRID * size for size in sizes], FRAMES))]
    assert synth.position == FRAMES
    assert np.array_equal(np.concatenate(parts), whole)
    synth.close()


def test_layers_sound_the_same_in_a_shared_synthesizer_as_in_separate_ones(soundfont: Path) -> None:
    scores = {
        layer: [SynthEvent(e.frame + GRID * i, e.note, e.velocity) for e in EVENTS] for i, layer in enumerate(PROGRAMS)
    }
    together = Synth(soundfont, PROGRAMS)
    for layer, events in scores.items():
        together.schedule(layer, events)
    stems = together.render(FRAMES)
    for layer, program in PROGRAMS.items():
        alone = played(open_synth(soundfont, program.number, drums=program.drums), FRAMES, scores[layer])
        assert np.array_equal(stems[layer], alone)


def test_blocks_are_stereo_float32(whole: np.ndarray) -> None:
    assert whole.dtype == np.float32
    assert whole.shape == (FRAMES, 2)
    assert 0.05 < np.abs(whole).max() < 1


@pytest.mark.parametrize("line", [0, 1, 75, 200])
def test_a_drum_starts_at_its_grid_line(soundfont: Path, line: int) -> None:
    synth = open_synth(soundfont, 0, drums=True)
    block = played(synth, GRID * (line + 8), [SynthEvent(GRID * line, 42, 100)])
    assert not block[: GRID * line].any()
    assert block[GRID * line : GRID * (line + 1)].any()


def test_an_event_may_be_added_at_the_current_position(soundfont: Path) -> None:
    synth = open_synth(soundfont)
    synth.render(4800)
    assert np.abs(played(synth, 4800, [SynthEvent(4800, 60, 100)])).max() > 0.01


def test_a_release_ends_the_note(soundfont: Path) -> None:
    def tail(release: int) -> float:
        events = [SynthEvent(0, 60, 100), SynthEvent(release, 60, 0)]
        return float(np.abs(played(open_synth(soundfont), 48_000, events)[-4800:]).max())

    assert tail(GRID * 100) < tail(GRID * 10_000) / 100


def test_a_release_comes_before_a_strike_at_the_same_frame(soundfont: Path) -> None:
    events = [SynthEvent(0, 60, 90), SynthEvent(9600, 60, 90), SynthEvent(9600, 60, 0)]
    assert np.abs(played(open_synth(soundfont), 48_000, events)[-4800:]).max() > 0.01


def test_another_program_sounds_different(soundfont: Path, whole: np.ndarray) -> None:
    assert not np.allclose(played(open_synth(soundfont, 0), FRAMES, EVENTS), whole, atol=1e-3)


def test_only_the_samples_in_use_are_loaded() -> None:
    before = psutil.Process().memory_info().rss
    synth = Synth(FLUIDR3, PROGRAMS)
    assert psutil.Process().memory_info().rss - before < FLUIDR3.stat().st_size / 3
    synth.close()


@pytest.mark.parametrize("ci", ["", "1"])
def test_nothing_is_printed(soundfont: Path, ci: str) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from radio.audio.synth import Program, Synth; from radio.types import SynthEvent\n"
        "s = Synth(Path(sys.argv[1]), {'keys': Program(4)}); s.schedule('keys', [SynthEvent(0, 127, 1)])\n"
        "s.render(128); s.close()\n"
        "try: Synth(Path(sys.argv[1]), {'drums': Program(77, drums=True)})\n"
        "except Exception as error: assert 'drum kit 77' in str(error)\n"
        "else: raise SystemExit('no error')\n"
    )
    command = [sys.executable, "-c", code, str(soundfont)]
    done = subprocess.run(command, env=os.environ | {"CI": ci}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_importing_the_library_leaves_standard_output_to_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal asks whether standard output is a terminal while a station is loaded in another thread."""
    outputs, find_library = list[object](), ctypes.util.find_library

    def find(name: str) -> str | None:
        outputs.append(sys.stdout)
        return find_library(name)

    monkeypatch.delitem(sys.modules, "fluidsynth")
    monkeypatch.setattr(ctypes.util, "find_library", find)
    library.__wrapped__()
    assert outputs
    assert all(output is sys.stdout for output in outputs)


def test_a_missing_soundfont_is_reported_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(AudioError) as raised:
        open_synth(tmp_path / "no.sf2")
    message = str(raised.value)
    assert str(tmp_path / "no.sf2") in message
    assert "leave it out for the radio's own" in message
    assert "soundfont:" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no RIFF/sfbk header"),
        (b"MThd" + bytes(40), "no RIFF/sfbk header"),
        (b"RIFF\xff\xff\xff\x00sfbkLIST" + bytes(40), "truncated at 56 bytes"),
        (b"RIFF\x30\x00\x00\x00sfbkLIST" + b"x" * 40, "is not a soundfont"),
    ],
)
def test_an_invalid_soundfont_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "broken.sf2"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message):
        open_synth(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="directory"):
        open_synth(tmp_path)


def test_the_error_for_a_missing_kit_lists_the_existing_ones(soundfont: Path) -> None:
    with pytest.raises(AudioError, match=r"no drum kit 77; it has 0"):
        open_synth(soundfont, 77, drums=True)


@pytest.mark.parametrize(
    "event", [SynthEvent(4801, 60, 90), SynthEvent(4672, 60, 90), SynthEvent(9600, 128, 90), SynthEvent(9600, 60, -1)]
)
def test_an_invalid_event_is_refused(soundfont: Path, event: SynthEvent) -> None:
    synth = open_synth(soundfont)
    synth.render(4736)
    with pytest.raises(AudioError):
        synth.schedule("one", [event])


def test_a_size_off_the_grid_is_refused(soundfont: Path) -> None:
    with pytest.raises(AudioError, match="whole blocks of 64"):
        open_synth(soundfont).render(100)


def test_a_closed_synthesizer_raises(soundfont: Path) -> None:
    synth = open_synth(soundfont)
    synth.close()
    synth.close()
    with pytest.raises(AudioError, match="closed"):
        synth.render(64)


def test_a_soundfont_that_lacks_a_byte_is_reported_as_truncated(tmp_path: Path) -> None:
    path = tmp_path / "font.sf2"
    data = b"RIFF" + (4 + 10).to_bytes(4, "little") + b"sfbk" + bytes(10)
    path.write_bytes(data)
    check_soundfont(path)
    path.write_bytes(data[:-1])
    with pytest.raises(AudioError, match="truncated at 21 bytes"):
        check_soundfont(path)


def test_a_program_changes_at_its_frame(soundfont: Path) -> None:
    first, second = SynthEvent(0, 60, 90), SynthEvent(9600, 64, 90)
    synth = open_synth(soundfont)
    synth.change_program("one", Program(11), 9600)
    block = played(synth, 19_200, [first, SynthEvent(4800, 60, 0), second])
    before = played(open_synth(soundfont), 9600, [first, SynthEvent(4800, 60, 0)])
    assert np.array_equal(block[:9600], before)
    without = played(open_synth(soundfont), 19_200, [first, SynthEvent(4800, 60, 0), second])
    assert np.abs(block[9600:] - without[9600:]).max() > 0.01


def test_a_note_keeps_ringing_through_a_program_change(soundfont: Path) -> None:
    events = [SynthEvent(0, 60, 90), SynthEvent(24_000, 60, 0)]
    synth = open_synth(soundfont)
    synth.change_program("one", Program(11), 9600)
    assert np.array_equal(played(synth, 48_000, events), played(open_synth(soundfont), 48_000, events))


@few
@given(sizes=st.lists(st.integers(0, 100), min_size=1, max_size=20))
def test_program_changes_do_not_depend_on_block_sizes(soundfont: Path, sizes: list[int]) -> None:
    blocks = []
    for lengths in ([FRAMES], [b - a for a, b in pairwise(bounds([GRID * size for size in sizes], FRAMES))]):
        synth = open_synth(soundfont)
        synth.change_program("one", Program(11), GRID * 60)
        synth.change_program("one", Program(4), GRID * 150)
        synth.schedule("one", EVENTS)
        blocks.append(np.concatenate([synth.render(length)["one"] for length in lengths]))
        synth.close()
    assert np.array_equal(*blocks)


def test_the_error_for_a_change_to_a_missing_program_lists_the_existing_ones(soundfont: Path) -> None:
    synth = open_synth(soundfont, 0, drums=True)
    with pytest.raises(AudioError, match="has no drum kit 77; it has 0"):
        synth.change_program("one", Program(77, drums=True), 0)
    with pytest.raises(AudioError, match="multiple of 64"):
        synth.change_program("one", Program(8, drums=True), 10)


def test_a_restored_synthesizer_releases_a_held_note_at_its_first_frame(soundfont: Path) -> None:
    organ = 16
    one, other = open_synth(soundfont, organ), open_synth(soundfont, organ)
    played(
        one, 9600, [SynthEvent(0, 60, 90), SynthEvent(0, 67, 90), SynthEvent(9600, 60, 0), SynthEvent(19_200, 67, 0)]
    )
    other.restore(one.save(), 9600)
    assert other.save() == one.save()
    sounding = np.abs(other.render(9600)["one"]).max()
    assert sounding > 0.01
    assert np.abs(other.render(96_000)["one"][-4800:]).max() < sounding / 100
