"""The MusicGen process as the radio sees it: progress, limits, and one-line errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from radio.errors import AudioError, SettingsError
from radio.musicgen import weights
from radio.musicgen.generating import generate, path_of
from radio.musicgen.weights import MusicGenWeights, check_installed, weights_in
from tests.musicgen.stand_ins import stand_in, weights_folder


@pytest.fixture
def small(tmp_path: Path) -> MusicGenWeights:
    return weights_in(weights_folder(tmp_path / "weights"))


def failure(small: MusicGenWeights, target: Path, *, time_limit: float = 60.0) -> str:
    """Return the message of a failed run, which must leave no files behind."""
    with pytest.raises(AudioError) as caught:
        generate("rain", small, seed=1, target=target, on_progress=lambda _: None, time_limit=time_limit)
    assert list(target.parent.iterdir()) == []
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_recording_appears_only_when_it_is_complete(
    tmp_path: Path, small: MusicGenWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = """
print(json.dumps({"share": 0.5}), flush=True)
seen = [order["words"], order["seed"], order["seconds"], os.environ["HF_HUB_OFFLINE"]]
open(order["target"], "w").write(json.dumps(seen))
print(json.dumps({"share": 1.0}), flush=True)
"""
    stand_in(monkeypatch, program)
    target, shares = tmp_path / "kept" / "rain.wav", []
    generate("rain", small, seed=3, target=target, on_progress=shares.append)
    assert target.read_text() == '["rain", 3, 30.0, "1"]'
    assert shares == [0.5, 1.0]
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ('print(json.dumps({"fault": "no tokenizer"}))', "MusicGen: no tokenizer"),
        ('print(json.dumps({"memory": True}))', "MusicGen ran out of memory"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "MusicGen ran out of memory"),
        ("raise TypeError('two\\nlines')", "MusicGen failed with status 1: lines"),
    ],
)
def test_a_failure_is_reported_in_one_line_and_leaves_no_files(
    tmp_path: Path, small: MusicGenWeights, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    stand_in(monkeypatch, program)
    assert message in failure(small, tmp_path / "kept" / "rain.wav")


def test_time_is_limited(tmp_path: Path, small: MusicGenWeights, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "time.sleep(600)")
    assert "did not finish within 0.1 s" in failure(small, tmp_path / "kept" / "rain.wav", time_limit=0.1)


def test_an_interrupt_ends_the_process(tmp_path: Path, small: MusicGenWeights, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    program = 'print(json.dumps({"share": 0.1}), flush=True); time.sleep(600)'
    stand_in(monkeypatch, program)
    with pytest.raises(KeyboardInterrupt):
        generate("rain", small, seed=1, target=tmp_path / "kept" / "rain.wav", on_progress=interrupt)
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_recording_has_a_path_for_its_words_weights_and_seed(tmp_path: Path, small: MusicGenWeights) -> None:
    path = path_of("Rainy night, slow", small, 1, tmp_path)
    assert path == path_of("Rainy night, slow", small, 1, tmp_path)
    assert path.name.startswith("rainy-night-slow-")
    (small.folder / "model.safetensors").write_bytes(b"others")
    others = weights_in(small.folder)
    assert (
        len({path, path_of("rainy night", small, 1, tmp_path), path_of("Rainy night, slow", small, 2, tmp_path)}) == 3
    )
    assert path_of("Rainy night, slow", others, 1, tmp_path) != path


def test_a_folder_without_weights_of_musicgen_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no folder .*; `hf download"):
        weights_in(tmp_path / "none")
    with pytest.raises(SettingsError, match=r"contains no config\.json"):
        weights_in(tmp_path)
    with pytest.raises(SettingsError, match="a model of type 'gpt2', not musicgen"):
        weights_in(weights_folder(tmp_path / "gpt2", "gpt2"))
    bare = weights_folder(tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    with pytest.raises(SettingsError, match=r"no weights \(\*\.safetensors\)"):
        weights_in(bare)
    (bare / "config.json").write_text("{")
    with pytest.raises(SettingsError, match=r"config\.json cannot be read"):
        weights_in(bare)


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGES", ("numpy", "no_such_package"))
    with pytest.raises(AudioError, match=r"needs no_such_package \(not installed\): pip install .*\[musicgen\]"):
        check_installed()
