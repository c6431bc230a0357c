"""A folder with the weights of MusicGen, as written by `hf download` or by `save_pretrained` of Transformers."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radio.errors import AudioError, SettingsError

LICENSE_NOTE: Final = (
    "MusicGen: the published weights are under CC BY-NC 4.0, which forbids commercial use. Check that your use is "
    "allowed; a stream with ads or paid access may not be"
)

PACKAGES: Final = ("transformers", "torch", "onnxruntime")
"""The packages that MusicGen and the transcription of its recordings need."""

_REMEDY: Final = "`hf download facebook/musicgen-small --local-dir FOLDER` downloads the published ones"


@dataclass(frozen=True, slots=True)
class MusicGenWeights:
    """The weights of a MusicGen model on this machine.

    identity: names, sizes and modification times of the files, so that it differs for other weights.
    """

    folder: Path
    bytes: int
    identity: str


def weights_in(folder: Path) -> MusicGenWeights:
    """Return the weights in a folder, without loading them.

    Raises:
        SettingsError: There is no such folder, or it contains no MusicGen weights in safetensors format.
    """
    if not folder.is_dir():
        raise SettingsError(f"--musicgen-weights: there is no folder {folder}; {_REMEDY}")
    try:
        fields = json.loads((folder / "config.json").read_bytes())
        kind = fields.get("model_type") if isinstance(fields, dict) else None
    except FileNotFoundError:
        raise SettingsError(f"--musicgen-weights: {folder} contains no config.json of a model; {_REMEDY}") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"--musicgen-weights: {folder}/config.json cannot be read: {error}") from None
    if kind != "musicgen":
        raise SettingsError(f"--musicgen-weights: {folder} contains a model of type '{kind}', not musicgen; {_REMEDY}")
    # Other formats of weights can run any code when they are loaded.
    states = [(path.name, path.stat()) for path in sorted(folder.glob("*.safetensors"))]
    if not states:
        raise SettingsError(f"--musicgen-weights: {folder} contains no weights (*.safetensors); {_REMEDY}")
    return MusicGenWeights(
        folder.resolve(),
        sum(state.st_size for _, state in states),
        repr([(name, state.st_size, state.st_mtime_ns) for name, state in states]),
    )


def check_installed() -> None:
    """Raise AudioError if packages are missing that run MusicGen or transcribe its recordings."""
    if missing := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
        raise AudioError(
            f"--prompt-via musicgen needs {' and '.join(missing)} (not installed): "
            "pip install 'lofi-radio-daemon[musicgen]'"
        )
