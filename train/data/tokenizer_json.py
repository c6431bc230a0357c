"""`tokenizer.json`: the vocabulary for Hugging Face's `tokenizers`. Tokens are words separated by spaces.

Source: the file format of github.com/huggingface/tokenizers, model WordLevel, pre-tokenizer WhitespaceSplit.
"""

from __future__ import annotations

import json
from pathlib import Path

from radio.music.vocab import END, IDS, NAMES, PAD, START

FILE = "tokenizer.json"


def write(folder: Path) -> None:
    """Write the vocabulary as `folder`/tokenizer.json."""
    added = [
        {"id": token, "content": NAMES[token], "special": True}
        | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        for token in (PAD, START, END)
    ]
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": IDS, "unk_token": NAMES[PAD]},
    }
    (folder / FILE).write_text(json.dumps(tokenizer, indent=1) + "\n")
