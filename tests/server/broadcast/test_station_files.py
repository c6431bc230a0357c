"""A station keeps using the files it started with, even if they change or disappear on disk."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from radio.paths import SOUNDFONT
from radio.server.broadcast.station_files import FileCopies
from radio.settings.station import StationSettings
from radio.types import SAMPLE_RATE
from radio.worker.supervisor import WORKER_COMMAND
from tests.server.broadcast.test_resume import aired, kill_worker
from tests.server.on_air import on_air, until
from tests.server.tone_worker import settings
from tests.station import test_station

small = test_station.settings


def test_stations_share_copies_and_their_last_user_closes_them() -> None:
    copies = FileCopies()
    one, other = copies.of(settings()), copies.of(settings("other"))
    assert one.descriptors() == other.descriptors()
    assert set(one.digests) == {"piano", "drums", "chords", "bass"}
    assert {Path(path).name for path in one.descriptors()} >= {"piano.filter.safetensors", "lofi.sf2", "timing.json"}
    descriptor = one.descriptors()[str(SOUNDFONT)]
    assert os.pread(descriptor, 4, 0) == b"RIFF"
    del one
    assert os.pread(descriptor, 4, 0) == b"RIFF"
    del other
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.pread(descriptor, 4, 0)


def test_a_missing_file_is_left_out(tmp_path: Path) -> None:
    files = FileCopies().of(settings(piano=tmp_path / "nowhere.safetensors"))
    assert set(files.digests) == {"drums", "chords", "bass"}


def test_a_tuned_state_is_copied_if_the_station_has_one(tmp_path: Path) -> None:
    state = tmp_path / "rainy.safetensors"
    state.write_bytes(b"state")
    files = FileCopies().of(settings(piano_state=state))
    assert files.digests["piano_state"] == hashlib.sha256(b"state").hexdigest()
    assert str(state) in files.descriptors()


def own_files(station: StationSettings, folder: Path) -> StationSettings:
    """Return a station with copies of its files in a folder."""
    paths = {name: getattr(station, name) for name in ("piano", "drums", "chords", "bass", "soundfont")}
    return replace(station, **{name: shutil.copy(path, folder / path.name) for name, path in paths.items()})


def destroy(folder: Path) -> None:
    """Overwrite each file of a folder with zeros and remove it."""
    for path in folder.iterdir():
        path.write_bytes(bytes(100))
        path.unlink()


@pytest.mark.slow
async def test_the_piece_continues_if_all_files_are_removed_and_the_worker_is_killed(
    small: StationSettings, tmp_path: Path
) -> None:
    own = own_files(replace(small, seed=5), tmp_path)
    async with on_air(own, worker=WORKER_COMMAND) as radio:
        channel = radio.channels["chill"]
        await until(lambda: channel.edge.live > 6 * SAMPLE_RATE)
        destroy(tmp_path)
        for _ in range(2):
            await kill_worker(channel)
            live = channel.edge.live
            await until(lambda live=live: channel.edge.live > live + 4 * SAMPLE_RATE)  # type: ignore[misc]
        notes, bars = aired(channel)
        assert len(bars) > 2
        assert len(notes) > 10
