from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radio.terminal.keys import Keys

TYPED = {
    b"q": ["q"],
    b"T[]": ["T", "[", "]"],
    b"\x1b[A\x1b[B\x1b[C\x1b[D": ["up", "down", "right", "left"],
    b"\x1bOA\x1bOD": ["up", "left"],
    b"\x1b[1;2C": ["right"],
    b"\x1b[Z\t": ["back-tab", "tab"],
    b"\r\n \x0c": ["enter", "enter", "space", "redraw"],
    "é–q".encode(): ["é", "–", "q"],
    b"\x1b[3~\x1b[5~\x1b[15~q": ["q"],  # delete, page up, F5
    b"\x1b[[Aq": ["q"],  # F1 on the Linux console
    b"\x1bOPq": ["q"],  # F1 on other terminals
    b"\x1bqm": ["m"],  # alt-q is not q
    b"\x1b[<0;10;5Mm": ["m"],  # a mouse report
    b"\x1b]11;rgb:ffff/ffff/ffff\x07m": ["m"],  # a color report
    b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\m": ["m"],
    b"\x1b[24;80Rm": ["m"],  # a cursor position report
    b"\x7f\b": ["backspace", "backspace"],
    b"\x00\x01\xff\xfeq": ["q"],
}


def test_keys_are_named_and_unknown_sequences_skipped() -> None:
    for data, keys in TYPED.items():
        assert Keys().feed(data) == keys, data


def test_input_may_arrive_byte_by_byte() -> None:
    for data, keys in TYPED.items():
        decoder = Keys()
        assert [key for byte in data for key in decoder.feed(bytes([byte]))] == keys, data


def test_an_escape_byte_is_a_key_if_nothing_follows() -> None:
    decoder = Keys()
    assert decoder.feed(b"\x1b") == []
    assert decoder.flush() == ["escape"]
    assert decoder.flush() == []
    assert decoder.feed(b"\x1b[1;") == []
    assert decoder.flush() == []
    assert decoder.feed(b"A") == ["A"]


@given(st.lists(st.binary(max_size=12), max_size=8))
def test_arbitrary_bytes_never_break_the_decoder(pieces: list[bytes]) -> None:
    decoder = Keys()
    for data in pieces:
        for key in decoder.feed(data):
            assert key.isprintable()
    decoder.flush()
    assert decoder.feed(b"\x1b[A") == ["up"]
