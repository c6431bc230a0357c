"""The faults. Each function injects one into the station `chill` of a running radio, and returns when it is over."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bench.chaos.radio import Radio
from radio.settings.controls import LAYERS

_LIMIT: Final = 90.0


def change(radio: Radio, patch: Mapping[str, object]) -> None:
    """Change controls."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{radio.port}/api/stations/chill/controls",
        data=json.dumps(patch).encode(),
        headers={"Content-Type": "application/json"},
        method="PATCH",
    )
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 — the address is written above


def kill_worker(radio: Radio) -> None:
    """Kill the worker (SIGKILL)."""
    os.kill(radio.worker, signal.SIGKILL)
    time.sleep(20)


def stop_worker(radio: Radio) -> None:
    """Stop the worker for 15 s (SIGSTOP)."""
    worker = radio.worker
    os.kill(worker, signal.SIGSTOP)
    time.sleep(15)
    if worker in radio.workers():
        os.kill(worker, signal.SIGCONT)
    time.sleep(15)


def kill_server(radio: Radio) -> None:
    """Kill the server (SIGKILL) and restart it."""
    radio.end(signal.SIGKILL)
    radio.start()
    time.sleep(15)


def restart_server(radio: Radio) -> None:
    """Stop the server (SIGTERM) and restart it."""
    radio.end(signal.SIGTERM)
    radio.start()
    time.sleep(15)


def suspend(radio: Radio) -> None:
    """Suspend all processes for 60 s."""
    pids = [radio.pid, *radio.workers()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(60)
    for pid in reversed(pids):
        os.kill(pid, signal.SIGCONT)
    time.sleep(20)


def remove_soundfont(radio: Radio) -> None:
    """Remove the soundfont for 30 s and kill the worker."""
    removed = radio.soundfont.rename(radio.folder / "kept.sf2")
    os.kill(radio.worker, signal.SIGKILL)
    time.sleep(30)
    removed.rename(radio.soundfont)
    time.sleep(40)


def truncate_model(radio: Radio) -> None:
    """Truncate a model for 30 s and kill the worker."""
    data = radio.piano.read_bytes()
    damaged = radio.piano.with_suffix(".part")
    damaged.write_bytes(data[: len(data) // 2])
    damaged.rename(radio.piano)
    os.kill(radio.worker, signal.SIGKILL)
    time.sleep(30)
    damaged.write_bytes(data)
    damaged.rename(radio.piano)
    time.sleep(40)


def clear_model(radio: Radio) -> None:
    """Fill a model with zeros for 30 s and kill the worker."""
    data = radio.piano.read_bytes()
    radio.piano.write_bytes(bytes(len(data)))
    os.kill(radio.worker, signal.SIGKILL)
    time.sleep(30)
    radio.piano.write_bytes(data)
    time.sleep(20)


def start_with_damage(radio: Radio) -> None:
    """Stop the server and restart it with a soundfont of zeros, which is repaired after 15 s."""
    radio.end(signal.SIGTERM)
    data = radio.soundfont.read_bytes()
    radio.soundfont.write_bytes(bytes(len(data)))
    radio.start()
    time.sleep(15)
    radio.soundfont.write_bytes(data)
    radio.wait_for("music")
    time.sleep(10)


def break_station(radio: Radio) -> None:
    """Remove the soundfont and kill each worker that opens a copy of it, until none can."""
    removed = radio.soundfont.rename(radio.folder / "kept.sf2")
    end = time.monotonic() + _LIMIT
    while radio.tier == "music" and time.monotonic() < end:
        with contextlib.suppress(StopIteration, ProcessLookupError):
            os.kill(radio.worker, signal.SIGKILL)
        time.sleep(0.5)
    time.sleep(10)
    removed.rename(radio.soundfont)
    radio.wait_for("music")
    time.sleep(10)


def mute_everything(radio: Radio) -> None:
    """Mute every layer for 15 s."""
    for muted in (True, False):
        change(radio, {f"{layer}_mute": muted for layer in LAYERS})
        time.sleep(15)


def load_machine(radio: Radio) -> None:
    """Keep the machine busy with two processes per core for 30 s."""
    del radio
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    time.sleep(30)
    for burner in burners:
        burner.kill()
        burner.wait()


def change_controls(radio: Radio) -> None:
    """Change controls 1,000 times in a row, from eight clients."""
    draw = random.Random(1)
    patches: list[Mapping[str, object]] = [
        draw.choice(
            [
                {"tempo": draw.randint(60, 100)},
                {"lowpass": draw.randint(2_000, 16_000)},
                {"density": draw.random()},
                {"keys_level": draw.uniform(-6, 3)},
                {"rain_mute": draw.random() < 0.5},
            ]
        )
        for _ in range(1_000)
    ]
    with ThreadPoolExecutor(8) as clients:
        for _ in clients.map(functools.partial(change, radio), patches):
            pass


def damage_state(radio: Radio) -> None:
    """Kill the server, flip a bit in each saved state, and restart it."""
    radio.end(signal.SIGKILL)
    for path in (radio.folder / "state").rglob("*"):
        if path.is_file() and path.stat().st_size > 256:
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 0x10
            path.write_bytes(data)
    radio.start()
    time.sleep(15)


def reload_config(radio: Radio) -> None:
    """Reload the config (SIGHUP)."""
    os.kill(radio.pid, signal.SIGHUP)
    time.sleep(10)


FAULTS: Final[dict[str, Callable[[Radio], None]]] = {
    fault.__name__.replace("_", "-"): fault
    for fault in (
        kill_worker,
        stop_worker,
        kill_server,
        restart_server,
        suspend,
        remove_soundfont,
        truncate_model,
        clear_model,
        start_with_damage,
        break_station,
        mute_everything,
        load_machine,
        change_controls,
        damage_state,
        reload_config,
    )
}


def description(fault: str) -> str:
    """Return the description of a fault."""
    return (FAULTS[fault].__doc__ or "").rstrip(".")
