from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from radio.cli.main import main
from radio.errors import ModelError
from radio.model.engines import native_engine
from radio.model.engines import selection as engines
from radio.model.engines.native_engine import NativeEngine
from radio.model.engines.numpy_rwkv6 import NumpyRwkv6Engine
from radio.settings.engines import ENGINES
from tests.model.models import checkpoint


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate an installation without the extension."""
    native_engine._compiled.cache_clear()
    native_engine.paths.cache_clear()
    monkeypatch.setitem(sys.modules, "radio.model._native", None)
    yield
    native_engine._compiled.cache_clear()
    native_engine.paths.cache_clear()


def test_auto_selects_the_native_engine_and_its_fastest_path() -> None:
    engine = engines.open_engine(checkpoint())
    assert isinstance(engine, NativeEngine)
    assert engine.path == native_engine.paths()[0]


def test_every_engine_can_be_selected_by_name() -> None:
    assert isinstance(engines.open_engine(checkpoint(), "numpy"), NumpyRwkv6Engine)
    for path in native_engine.paths():
        assert f"native:{path}" in ENGINES
        engine = engines.open_engine(checkpoint(), f"native:{path}")
        assert isinstance(engine, NativeEngine)
        assert engine.path == path


def test_an_unknown_engine_is_rejected_with_the_nearest_name() -> None:
    with pytest.raises(ModelError, match=r"there is no engine 'nativ'\. Did you mean 'native'"):
        engines.open_engine(checkpoint(), "nativ")


def test_a_path_of_another_processor_is_rejected() -> None:
    foreign = ({"neon", "avx2"} - set(native_engine.paths())).pop()
    with pytest.raises(ModelError, match=rf"this processor does not support the path '{foreign}'.*Use .*portable"):
        engines.open_engine(checkpoint(), f"native:{foreign}")


def test_without_the_extension_numpy_is_used_and_doctor_reports_it(
    uncompiled: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(engines.open_engine(checkpoint()), NumpyRwkv6Engine)
    with pytest.raises(ModelError, match="was not compiled"):
        engines.open_engine(checkpoint(), "native")
    assert main(["doctor"]) == 0
    assert "--    engine: numpy: the native engine, several times faster, was not compiled" in capsys.readouterr().out


def test_an_extension_compiled_from_other_sources_is_ignored(uncompiled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "radio.model._native", ModuleType("radio.model._native"))
    assert native_engine.paths() == ()
    with pytest.raises(ModelError, match="compiled from other sources"):
        engines.open_engine(checkpoint(), "native")


def test_doctor_reports_the_engine_and_its_path(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    assert f"ok    engine: native, {native_engine.paths()[0]} (also " in capsys.readouterr().out


def test_the_environment_overrides_the_engine_of_the_config(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RADIO_ENGINE", "abacus")
    assert main(["--station", "chill", "--output", "-"]) == 2
    assert capsys.readouterr().err.startswith("radio: RADIO_ENGINE: there is no engine 'abacus'.")
    files = []
    for engine in ("native:portable", "native"):
        monkeypatch.setenv("RADIO_ENGINE", engine)
        files.append(tmp_path / f"{engine}.mid")
        assert main(["render", "--station", "chill", "--minutes", "0.1", str(files[-1])]) == 0
    assert all(file.stat().st_size > 100 for file in files)


def test_no_command_on_the_default_engine_imports_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from radio.cli.main import main\n"
        f"status = main(['render', '--station', 'chill', '--minutes', '0.1', {str(tmp_path / 'song.wav')!r}])\n"
        "import radio.cli.play, radio.cli.doctor, radio.server.app, radio.worker.main, radio.playback.sound_card\n"
        "print(status, 'torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.split()[-2:] == ["0", "False"]
