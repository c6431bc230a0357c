"""Answers in an SQLite file. Only a random name for a visit is stored about its listener."""

from __future__ import annotations

import csv
import json
import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Final, Self, TextIO

from radio.errors import SettingsError
from radio.server.survey.pairs import Pair, Placed

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS listeners (
    name TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, seed INTEGER NOT NULL, started REAL NOT NULL,
    pairs TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS answers (
    time REAL NOT NULL, listener TEXT NOT NULL REFERENCES listeners (name), pair TEXT NOT NULL, first TEXT NOT NULL,
    second TEXT NOT NULL, swapped INTEGER NOT NULL, question TEXT NOT NULL, winner TEXT NOT NULL,
    PRIMARY KEY (listener, pair, first, second, question)
);
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One listener's answer to one question about one pair.

    time: seconds since 1970. swapped: whether side `a` played the second condition. winner: the better condition, or ""
    if neither is better.
    """

    time: float
    listener: str
    pair: str
    first: str
    second: str
    swapped: bool
    question: str
    winner: str

    @property
    def conditions(self) -> tuple[str, str]:
        """Both conditions."""
        return self.first, self.second


class Store:
    """The file of a survey's answers, for one thread at a time.

    Args:
        path: Created if it does not exist.

    Raises:
        SettingsError: The file cannot be opened, or is not an SQLite file.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.executescript(f"PRAGMA journal_mode = WAL; {_SCHEMA}")
        except sqlite3.Error as error:
            raise SettingsError(
                f"{path}: the answers cannot be opened ({error}); name a file that does not exist yet"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def listeners(self) -> int:
        """Return the number of listeners so far."""
        (count,) = self._connection.execute("SELECT count(*) FROM listeners").fetchone()
        return int(count)

    def add_listener(self, number: int, seed: int, placed: Sequence[Placed], pairs: Sequence[Pair]) -> str:
        """Log a listener's pairs in their order, and return the listener's random name."""
        name = secrets.token_urlsafe(12)
        rows = [{**asdict(place), "pair": pairs[place.number].name} for place in placed]
        self._connection.execute(
            "INSERT INTO listeners VALUES (?, ?, ?, ?, ?)", (name, number, seed, time.time(), json.dumps(rows))
        )
        return name

    def add_answers(self, answers: Sequence[Answer]) -> None:
        """Store answers; later ones to the same question replace earlier ones."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [astuple(answer) for answer in answers]
        )

    def answers(self) -> list[Answer]:
        """Return all answers in order of time."""
        rows = self._connection.execute("SELECT * FROM answers ORDER BY time, rowid").fetchall()
        return [
            Answer(when, listener, pair, first, second, bool(swapped), question, winner)
            for when, listener, pair, first, second, swapped, question, winner in rows
        ]


def write_csv(answers: Sequence[Answer], file: TextIO) -> None:
    """Write answers as CSV with a header."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([field.name for field in fields(Answer)])
    writer.writerows(astuple(answer) for answer in answers)
