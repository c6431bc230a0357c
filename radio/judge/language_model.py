"""An audio language model as a judge, on a server with OpenAI's API for chat completions."""

from __future__ import annotations

import base64
import io
import json
import re
import urllib.error
import urllib.request
import wave
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from radio.errors import JudgeError, SettingsError
from radio.types import SAMPLE_RATE, Block, JsonValue, Seconds

EXCERPT: Final[Seconds] = 20.0
"""Length of the audio that is sent, from the middle of the recording."""
_TIMEOUT: Final[Seconds] = 120.0
_LONGEST_ANSWER: Final = 1_000_000
_LOWEST, _HIGHEST = 1, 5
_OBJECT: Final = re.compile(r"\{[^{}]*\}")

QUESTIONS: Final[Mapping[str, str]] = {
    "balance": "Are the instruments balanced, so that none is too loud or too soft?",
    "quality": "Is it good music that one would like to go on hearing?",
    "match": "Does it match the words?",
}
"""The three questions of the reference thesis, by the name of their score; `match` needs a description."""


class Opinion(NamedTuple):
    """Scores from 1 to 5 by question, and a comment."""

    scores: Mapping[str, float]
    comment: str


class LanguageModel:
    """A server that judges audio.

    Args:
        address: base address, such as `http://localhost:8000/v1`.
        model: name of the model on the server.
        key: sent as a bearer token; None sends none.

    Raises:
        SettingsError: The address is not an HTTP or HTTPS URL.
    """

    def __init__(self, address: str, model: str, key: str | None = None) -> None:
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).netloc:
            raise SettingsError(f"judge '{address}' is not an address; use one such as http://localhost:8000/v1")
        self._address = f"{address.rstrip('/')}/chat/completions"
        self._model = model
        self._key = key

    def judge(self, audio: Block, words: str | None = None) -> Opinion:
        """Return the opinion on the middle 20 seconds of a recording, (frames, 2) float32 at 48 kHz.

        Args:
            audio: the recording.
            words: a description that the music should match; without one, that question is left out.

        Raises:
            JudgeError: The server does not answer, refuses the request, or answers without scores.
        """
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        body = json.dumps(self._request(audio, words)).encode()
        request = urllib.request.Request(self._address, body, headers)  # noqa: S310 - checked to be http or https
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310 - likewise
                answer = json.loads(response.read(_LONGEST_ANSWER))
            content = answer["choices"][0]["message"]["content"]
        except urllib.error.HTTPError as error:
            reason = error.read(200).decode(errors="replace").strip() or error.reason
            raise JudgeError(f"judge {self._address} answered {error.code}: {reason}") from error
        except (OSError, urllib.error.URLError) as error:
            raise JudgeError(f"judge {self._address} cannot be reached: {getattr(error, 'reason', error)}") from error
        except (ValueError, LookupError, TypeError) as error:
            raise JudgeError(f"judge {self._address} did not answer with a chat completion") from error
        return self._read(str(content), words)

    def _request(self, audio: Block, words: str | None) -> dict[str, JsonValue]:
        names = [name for name in QUESTIONS if name != "match" or words is not None]
        lines = [f"Listen to this music and rate it from {_LOWEST} (no) to {_HIGHEST} (yes):"]
        lines += [f"- {name}: {QUESTIONS[name]}" for name in names]
        if words is not None:
            lines.append(f"The words: {json.dumps(words, ensure_ascii=False)}")
        keys = ", ".join(f'"{name}": number' for name in names)
        lines.append(f'Answer with JSON only: {{{keys}, "comment": "one sentence"}}')
        sound: JsonValue = {"data": base64.b64encode(_wav(_middle(audio))).decode(), "format": "wav"}
        parts: JsonValue = [{"type": "text", "text": "\n".join(lines)}, {"type": "input_audio", "input_audio": sound}]
        return {"model": self._model, "temperature": 0, "messages": [{"role": "user", "content": parts}]}

    def _read(self, content: str, words: str | None) -> Opinion:
        """Return the opinion in an answer, which may have text around its JSON."""
        for match in _OBJECT.finditer(content):
            try:
                answer = json.loads(match[0])
                scores = {name: float(answer[name]) for name in QUESTIONS if name != "match" or words is not None}
            except (ValueError, LookupError, TypeError):
                continue
            if all(_LOWEST <= score <= _HIGHEST for score in scores.values()):
                return Opinion(scores, " ".join(str(answer.get("comment", "")).split()))
        raise JudgeError(f"judge {self._address} answered without scores from 1 to 5: {content[:200]!r}")


def _middle(audio: Block) -> Block:
    length = min(len(audio), round(EXCERPT * SAMPLE_RATE))
    start = (len(audio) - length) // 2
    return audio[start : start + length]


def _wav(audio: Block) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
        writer.writeframes(np.clip(np.rint(audio * 32_768), -32_768, 32_767).astype("<i2").tobytes())
    return file.getvalue()
