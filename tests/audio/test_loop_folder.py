from __future__ import annotations

import subprocess
import sys
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from scipy.io import wavfile

from radio.audio import loop_decoder
from radio.audio.loop_folder import LoopFolder
from radio.errors import AudioError
from radio.types import SAMPLE_RATE
from tests.audio.pieces import SIZES, bounds, few


def tone(hertz: float, seconds: float, rate: int = SAMPLE_RATE) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE) -> None:
    wavfile.write(path, rate, np.rint(samples * 32_767).astype(np.int16))


def encode(path: Path, *options: str) -> None:
    source = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1.5:sample_rate=44100,volume=4"]
    subprocess.run(["ffmpeg", "-v", "error", *source, *options, str(path)], check=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two recordings of white noise, 1.2 s and 0.7 s long, and a text file."""
    path = tmp_path_factory.mktemp("loops")
    generator = np.random.default_rng(1)
    write(path / "a.wav", 0.1 * generator.standard_normal((57_600, 2)))
    write(path / "b.WAV", 0.1 * generator.standard_normal(33_600))
    (path / "notes.txt").write_text("no sound")
    return path


@pytest.fixture(scope="module")
def unplayed(folder: Path) -> LoopFolder:
    return LoopFolder(folder)


@few
@given(sizes=SIZES)
def test_samples_do_not_depend_on_block_sizes(unplayed: LoopFolder, sizes: list[int]) -> None:
    split = deepcopy(unplayed)
    cuts = bounds(sizes, 120_000)
    parts = [split.render(b - a) for a, b in pairwise(cuts)]
    assert np.array_equal(np.concatenate(parts), deepcopy(unplayed).render(120_000))


def test_a_deep_copy_continues_identically(folder: Path) -> None:
    loops = LoopFolder(folder)
    loops.render(50_000)
    copy = deepcopy(loops)
    assert np.array_equal(loops.render(50_000), copy.render(50_000))


def test_the_level_is_constant_across_seams(folder: Path) -> None:
    block = LoopFolder(folder).render(10 * SAMPLE_RATE).astype(np.float64)
    levels = np.sqrt(np.square(block[: len(block) // 1_200 * 1_200]).reshape(-1, 2_400).mean(axis=1))
    assert levels.min() > 0.09
    assert levels.max() < 0.11


def test_a_single_recording_loops_without_a_click(tmp_path: Path) -> None:
    write(tmp_path / "hum.wav", tone(220.7, 1.0))
    block = LoopFolder(tmp_path).render(5 * SAMPLE_RATE)
    step = 0.5 * 2 * np.pi * 220.7 / SAMPLE_RATE
    assert np.abs(np.diff(block, axis=0)).max() < 1.5 * step
    period = SAMPLE_RATE - SAMPLE_RATE // 4
    assert np.array_equal(block[period : 2 * period], block[2 * period : 3 * period])


def test_recordings_play_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, hertz in (("2.wav", 2_000), ("1.wav", 500), ("3.wav", 5_000)):
        write(tmp_path / name, tone(hertz, 1.0))
    block = LoopFolder(tmp_path).render(4 * SAMPLE_RATE)[:, 0]
    seconds = [block[round((0.75 * i + 0.3) * SAMPLE_RATE) :][:9_600] for i in range(4)]
    assert [round(np.abs(np.fft.rfft(second)).argmax() * 5, -2) for second in seconds] == [500, 2_000, 5_000, 500]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mono.wav", ("-ac", "1")),
        ("deep.wav", ("-ac", "2", "-c:a", "pcm_s24le")),
        ("float.wav", ("-ac", "2", "-c:a", "pcm_f32le")),
        ("a.mp3", ("-b:a", "128k")),
        ("vorbis.ogg", ("-c:a", "libvorbis")),
        ("opus.ogg", ("-c:a", "libopus")),
    ],
)
def test_every_format_is_decoded_to_48_khz_stereo(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    encode(tmp_path / name, *options)
    block = LoopFolder(tmp_path).render(SAMPLE_RATE)
    assert block.dtype == np.float32
    middle = block[12_000:36_000, 1].astype(np.float64)
    assert np.abs(np.fft.rfft(middle)).argmax() * 2 == 440
    # ffmpeg attenuates by 3 dB when it converts mono to stereo.
    assert 0.33 < np.abs(middle).max() < 0.55


def test_every_broken_file_is_reported_with_its_reason(tmp_path: Path) -> None:
    write(tmp_path / "fine.wav", tone(440, 1.0))
    write(tmp_path / "short.wav", tone(440, 0.05))
    (tmp_path / "broken.mp3").write_bytes(b"this is no sound at all" * 50)
    (tmp_path / "empty.ogg").write_bytes(b"")
    (tmp_path / "junk.wav").write_bytes(b"RIFFjunk")
    with pytest.raises(AudioError) as raised:
        LoopFolder(tmp_path)
    lines = str(raised.value).splitlines()
    assert [
        next(name for name in ("broken.mp3", "empty.ogg", "junk.wav", "short.wav") if name in line) for line in lines
    ]
    assert len(lines) == 4
    assert "0.050 s" in lines[3]


def test_a_missing_or_empty_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"no \.wav, \.mp3, \.ogg file"):
        LoopFolder(tmp_path)
    with pytest.raises(AudioError, match="nowhere: No such file"):
        LoopFolder(tmp_path / "nowhere")


def test_hidden_files_and_other_types_are_skipped_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Other systems put files such as ._rain.wav next to each file; they contain no sound."""
    write(tmp_path / "rain.wav", tone(440, 1.0))
    (tmp_path / "._rain.wav").write_bytes(b"\0\5\x16\7" + bytes(100))
    (tmp_path / "cover.jpg").write_bytes(b"no sound")
    assert LoopFolder(tmp_path).render(100).any()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().endswith(": ._rain.wav, cover.jpg")
    (tmp_path / "rain.wav").unlink()
    with pytest.raises(AudioError, match=r"no \.wav, \.mp3, \.ogg file"):
        LoopFolder(tmp_path)


@pytest.mark.parametrize(("name", "codec"), [("six.wav", "pcm_s16le"), ("six.ogg", "libvorbis")])
def test_surround_is_mixed_down(tmp_path: Path, name: str, codec: str) -> None:
    """Each of six channels has a different tone; the low-frequency channel is left out."""
    hertz = (300, 500, 700, 900, 1_100, 1_300)
    tones = "|".join(f"0.5*sin(2*PI*{number}*t)" for number in hertz)
    source = ["-f", "lavfi", "-i", f"aevalsrc={tones}:s=48000:d=1.5:c=5.1", "-c:a", codec]
    subprocess.run(["ffmpeg", "-v", "error", *source, str(tmp_path / name)], check=True)
    block = LoopFolder(tmp_path).render(SAMPLE_RATE).astype(np.float64)
    assert np.abs(block).max() <= 1
    levels = np.abs(np.fft.rfft(block[12_000:36_000], axis=0))[[number // 2 for number in hertz]]
    share = levels / levels.max()
    side = np.sqrt(0.5)
    assert np.allclose(share[:, 0], [1, 0, side, 0, side, 0], atol=0.05)
    assert np.allclose(share[:, 1], [0, 1, side, 0, 0, side], atol=0.05)


def test_without_ffmpeg_wav_files_play_and_mp3_files_are_refused(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode(tmp_path / "a.mp3")
    monkeypatch.setenv("PATH", "")
    assert LoopFolder(folder).render(100).any()
    with pytest.raises(AudioError, match="apt install ffmpeg"):
        LoopFolder(tmp_path)


def test_a_file_that_crashes_its_decoder_is_named(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoder is a separate process: a file that crashes it causes only an error."""
    monkeypatch.setattr(loop_decoder, "_COMMAND", (sys.executable, "-c", "import os; os.abort()"))
    with pytest.raises(AudioError, match=r"loop .*\.wav cannot be read: its decoder ended with status -6"):
        LoopFolder(folder)


def test_at_most_half_an_hour_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("1.wav", "2.wav", "3.wav"):
        write(tmp_path / name, tone(440, 2.0))
    program = "import sys; from radio.audio import loop_decoder; loop_decoder.LONGEST = 3 * 48_000; "
    run = "loop_decoder.main(int(sys.argv[1]), [loop_decoder.Path(name) for name in sys.argv[2:]])"
    monkeypatch.setattr(loop_decoder, "_COMMAND", (sys.executable, "-c", program + run))
    monkeypatch.setattr(loop_decoder, "LONGEST", 3 * SAMPLE_RATE)
    assert [len(audio) for _, audio in loop_decoder.decode_files(sorted(tmp_path.iterdir()))] == [96_000, 48_000]
    assert "only the first" in caplog.text
