"""Recordings that MusicGen generates from `--prompt`, for the commands that take `--prompt-via musicgen`."""

from __future__ import annotations

import argparse
import sys

from radio.cli.progress import progress_bar
from radio.cli.prompting import VIA_MUSICGEN
from radio.errors import SettingsError
from radio.paths import cache_folder


def take_recording(arguments: argparse.Namespace) -> None:
    """With `--prompt-via musicgen`, set `--prime` to the recording that MusicGen generates from the words.

    A recording that was saved earlier is reused. A note about the license is printed. A second call changes nothing.

    Raises:
        SettingsError: An option is missing or not allowed, or the folder of the weights cannot be used.
        AudioError: A package is not installed, or nothing could be generated.
    """
    if arguments.prompt_via != VIA_MUSICGEN:
        if arguments.musicgen_weights is not None:
            raise SettingsError("--musicgen-weights requires --prompt-via musicgen")
        return
    if arguments.prompt is None:
        raise SettingsError("--prompt-via requires --prompt WORDS")
    if arguments.musicgen_weights is None:
        raise SettingsError("--prompt-via musicgen needs --musicgen-weights FOLDER, the weights on this machine")
    from radio.musicgen.generating import LENGTH, generate, path_of
    from radio.musicgen.weights import LICENSE_NOTE, check_installed, weights_in

    weights, folder, seed = weights_in(arguments.musicgen_weights), cache_folder(), arguments.seed or 0
    if folder is None:
        raise SettingsError("there is no home folder to save MusicGen's recording in; set XDG_CACHE_HOME")
    path = path_of(arguments.prompt, weights, seed, folder / "musicgen")
    if arguments.prime == str(path):
        return
    if (arguments.prime, arguments.prime_part) != (None, None):
        raise SettingsError(
            "--prompt-via musicgen starts from MusicGen's recording; leave out --prime and --prime-part"
        )
    print(LICENSE_NOTE, file=sys.stderr)
    if path.exists():
        print(f"MusicGen: reusing {path}", file=sys.stderr)
    else:
        from rich.console import Console

        check_installed()
        print(f"MusicGen: writing {LENGTH:g} seconds of audio to {path}; this takes minutes", file=sys.stderr)
        with progress_bar(Console(stderr=True), "MusicGen") as on_progress:
            generate(arguments.prompt, weights, seed=seed, target=path, on_progress=on_progress)
    arguments.prime = str(path)
