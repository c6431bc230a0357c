"""`radio state`: states are listed, moved to another machine, and removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from radio.cli.main import main
from radio.errors import SnapshotError
from radio.server.api.events import TrackEvent
from radio.server.broadcast.saved_station import SavedRun, SavedStation, SavedTrack, decode, encode
from radio.server.broadcast.state_folder import StateFolder
from radio.settings.controls import Controls
from radio.station.resume import LogEntry, Snapshot
from radio.types import SKIP

CONTROLS = Controls().as_json()
TRACK = TrackEvent(3, "Blue Rain", "C", 78.0, ["Am7"], 32, 48_000, {"keys": 4})
SAVED = SavedStation(
    name="chill",
    version="9.9",
    saved_at=1_700_000_000.0,
    asked_seed=1,
    asked_controls=CONTROLS,
    live=960_000,
    origin=0,
    run=SavedRun(0, 7, 1_700_000_000.0, {"piano": "00"}, CONTROLS, CONTROLS, (), whole=True),
    controls=CONTROLS,
    snapshot=Snapshot(480_000, b"level", bytes(2_000)),
    log=(LogEntry(500_000, {"tempo": 71.0}), LogEntry(510_000, action=SKIP)),
    tracks=(SavedTrack(TRACK, 1_700_000_000.0, 12),),
)


def test_a_state_moves_to_another_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "chill.file"
    StateFolder(here).write("chill", SAVED)
    assert main(["state", "--state", str(here), "export", "chill", str(file)]) == 0
    assert main(["state", "--state", str(there), "import", str(file)]) == 0
    assert StateFolder(there).read("chill") == SAVED
    assert main(["state", "--state", str(there), "import", str(file), "copy"]) == 0
    capsys.readouterr()
    assert main(["state", "--state", str(there)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["chill: 'Blue Rain'", "copy: 'Blue Rain'"]
    assert all("seed 7, 2 kB" in line for line in lines)
    assert main(["state", "--state", str(there), "clear", "copy"]) == 0
    assert StateFolder(there).names() == ["chill"]
    assert main(["state", "clear", "chill", "--state", str(there)]) == 0  # the option may come last, too
    assert StateFolder(there).names() == []


def test_the_state_of_a_running_radio_is_not_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    running = StateFolder(tmp_path)
    running.write("chill", SAVED)
    running.lock()
    assert main(["state", "--state", str(tmp_path), "clear", "chill"]) == 1
    assert "stop it first" in capsys.readouterr().err
    running.unlock()
    assert main(["state", "--state", str(tmp_path), "clear", "chill"]) == 0


def test_missing_and_damaged_states_give_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["state", "--state", str(tmp_path), "export", "chill", str(tmp_path / "x")]) == 1
    assert "No such file" in capsys.readouterr().err
    (tmp_path / "chill.state").write_bytes(b"not a state")
    assert main(["state", "--state", str(tmp_path)]) == 0
    assert "it is not the state of a station" in capsys.readouterr().out


def test_the_station_of_an_import_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "export"
    file.write_bytes(encode(SAVED))
    states = ["state", "--state", str(tmp_path / "states"), "import", str(file)]
    assert main([*states, "../chill"]) == 2
    assert "not a station name" in capsys.readouterr().err
    assert list(tmp_path.glob("**/*.state")) == []
    assert main([*states, "chil"]) == 0
    assert "no station chil. Did you mean 'chill'?" in capsys.readouterr().err
    assert main([*states, "chill"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("step", [97, pytest.param(1, marks=pytest.mark.slow)])
def test_a_truncated_or_flipped_file_is_refused(step: int) -> None:
    data = encode(SAVED)
    assert decode(data) == SAVED
    for place in range(0, len(data), step):
        with pytest.raises(SnapshotError):
            decode(data[:place])
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        with pytest.raises(SnapshotError):
            decode(bytes(flipped))
