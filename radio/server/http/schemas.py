"""The shapes of what is sent and answered, as JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1)."""

from __future__ import annotations

from typing import get_args

from radio.settings.controls import CONTROLS, Control
from radio.settings.fields import Group
from radio.types import JsonValue

Json = dict[str, JsonValue]


def text(help_text: str = "", **more: JsonValue) -> Json:
    """A string."""
    return {"type": "string", **({"description": help_text} if help_text else {}), **more}


def whole(help_text: str = "", **more: JsonValue) -> Json:
    """A whole number."""
    return {"type": "integer", **({"description": help_text} if help_text else {}), **more}


def number(help_text: str = "", **more: JsonValue) -> Json:
    """A number."""
    return {"type": "number", **({"description": help_text} if help_text else {}), **more}


def each(items: Json) -> Json:
    """A list."""
    return {"type": "array", "items": items}


def ref(name: str) -> Json:
    """A schema of this module."""
    return {"$ref": f"#/components/schemas/{name}"}


def thing(properties: Json, *, optional: tuple[str, ...] = (), open_: bool = False) -> Json:
    """An object with these properties, all but the optional ones always there; others may come where it is `open_`."""
    required: list[JsonValue] = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": open_}


def maybe(schema: Json) -> Json:
    """Null, or that."""
    return {"anyOf": [schema, {"type": "null"}]}


def _value(control: Control) -> Json:
    if control.kind == "bool":
        return {"type": "boolean", "description": control.help}
    if control.kind == "choice":
        return text(control.help, enum=[*control.choices])
    kind = "integer" if control.kind == "int" else "number"
    unit: Json = {"x-unit": control.unit} if control.unit else {}
    return {"type": kind, "minimum": control.low, "maximum": control.high, "description": control.help, **unit}


_FRAME = whole("a place on the mount's clock, in samples at 48 kHz")
_WHEN = text("when it was at the live edge", format="date-time")
_ANY_VALUE: Json = {"type": ["number", "boolean", "string"]}
_CONTROL = thing(
    {
        "value": _ANY_VALUE,
        "default": _ANY_VALUE,
        "kind": text(enum=["float", "int", "bool", "choice"]),
        "low": number(),
        "high": number(),
        "choices": each(text()),
        "unit": text(),
        "lands": text(
            "on the next bar line, where the next chord loop begins, or in the mix at once", enum=["bar", "loop", "mix"]
        ),
        "group": text("the section of the page that shows the control", enum=[*get_args(Group)]),
        "help": text(),
        "allowed": text(),
    },
    optional=("low", "high", "choices"),
)
_TRACK: Json = {
    "title": text(),
    "key": text(),
    "tempo": number(),
    "chords": each(text()),
    "bars": whole(),
    "number": whole(),
    "frame": _FRAME,
    "started_at": _WHEN,
}
_SOME_OF_TRACK = ("chords", "number")
_BAR = thing(
    {
        "number": whole(),
        "chord": text("two with a space between them where it changes on the third beat"),
        "section": text(),
        "tempo": number(),
        "chords": each(text("a bar of the loop that comes round here")),
        "place": whole("which bar of the loop this is, from 0"),
        "frame": _FRAME,
    },
    optional=("section", "tempo", "chords", "place"),
)
_BRIEF: Json = {
    "name": text(),
    "title": text(),
    "description": text(),
    "on_air": {"type": "boolean"},
    "now": thing({"track": maybe(ref("Track")), "bar": maybe(_BAR)}),
    "live": whole("the mount's frame up to which audio has been let out"),
    "sample_rate": whole(),
    "listeners": whole(),
    "streams": {"type": "object", "additionalProperties": text("an address")},
}
_CHANGE = thing(
    {
        "bar": whole(),
        "frame": _FRAME,
        "controls": {"type": "object"},
        "skip": {"type": "boolean", "description": "the next track was begun here by hand"},
    }
)
_FORMAT = text(enum=["mp3", "mid", "wav", "flac", "opus"])
_VALUES: Json = {name: _value(control) for name, control in CONTROLS.items()}

_PUSH = thing(
    {
        "to": text("the address, without user or key"),
        "state": text(enum=["connecting", "connected", "reconnecting", "ended"]),
        "since": text("when the state began", format="date-time"),
        "attempts": whole(),
        "connections": whole(),
        "sent": whole("bytes that the other side has acknowledged"),
        "error": maybe(text("why the last connection ended, or could not be made")),
    }
)

SCHEMAS: Json = {
    "Problem": thing(
        {
            "error": thing(
                {
                    "code": text("for programs"),
                    "message": text("for people: what was wrong, and what would be right"),
                    "field": maybe(text("what in the request is at fault")),
                    "allowed": maybe(text("what is allowed there")),
                },
                optional=("field", "allowed"),
            )
        },
        open_=True,
    ),
    "Track": thing(_TRACK, optional=_SOME_OF_TRACK, open_=True),
    "Stations": thing(
        {
            "stations": each(thing(_BRIEF, open_=True)),
            "control": text("whether controls can be turned", enum=["off", "token", "open"]),
            "tracks": {"type": "boolean", "description": "whether tracks are made to order, for who may turn controls"},
        }
    ),
    "Station": thing(
        {
            **_BRIEF,
            "controls": {"type": "object", "required": list(CONTROLS), "additionalProperties": _CONTROL},
            "stream": thing({"sid": text(), "first": maybe(_FRAME)}),
            "health": {"type": "object", "additionalProperties": {"type": "number"}},
            "pushes": each(_PUSH),
        },
        optional=("stream",),
        open_=True,
    ),
    "Controls": {
        "type": "object",
        "properties": _VALUES,
        "additionalProperties": False,
        "minProperties": 1,
        "examples": [{"temperature": 0.9, "tempo": 78}],
    },
    "Landings": thing(
        {
            "controls": {
                "type": "object",
                "additionalProperties": thing({"value": _ANY_VALUE, "bar": whole(), "frame": _FRAME}),
            },
            "live": whole("the live edge now"),
            "sample_rate": whole(),
        }
    ),
    "Skip": thing(
        {"bar": whole("of the next track's beginning"), "frame": _FRAME, "live": _FRAME, "sample_rate": whole()}
    ),
    "History": thing(
        {
            "tracks": each(
                thing(
                    {
                        **_TRACK,
                        "bar": maybe(whole("its first bar, in the run of its worker")),
                        "run": maybe(whole("which of `runs`")),
                        "seed": whole(),
                        "controls": ref("Controls"),
                        "changes": each(_CHANGE),
                    },
                    optional=(*_SOME_OF_TRACK, "seed", "controls", "changes"),
                    open_=True,
                )
            ),
            "runs": each(
                thing(
                    {
                        "number": whole(),
                        "started_at": _WHEN,
                        "frame": whole("the mount's frame of its first bar line"),
                        "version": text(),
                        "seed": whole(),
                        "settings": {"type": "object"},
                        "checkpoints": {"type": "object"},
                        "controls": ref("Controls"),
                        "changes": each(_CHANGE),
                        "whole": {"type": "boolean", "description": "whether `changes` reaches back to the first bar"},
                    }
                )
            ),
            "live": whole(),
            "sample_rate": whole(),
        }
    ),
    "TrackOrder": thing(
        {
            "station": text("which one the music is like"),
            "instrument": {
                "type": ["string", "integer"],
                "description": "who plays the keys: a General MIDI name, or its number [the station's]",
            },
            "seconds": number("how long [120]", minimum=5, maximum=600),
            "count": whole("how many, each from the next seed [1]", minimum=1, maximum=8),
            "seed": whole("where the music starts from [any]", minimum=0, maximum=2**53 - 1),
            "formats": {**each(_FORMAT), "minItems": 1, "description": "[mp3, mid]"},
            "controls": {**ref("Controls"), "description": "how the controls stand [as the station's stood at first]"},
        },
        optional=("instrument", "seconds", "count", "seed", "formats", "controls"),
    ),
    "TrackJob": thing(
        {
            "id": text(),
            "state": text(enum=["waiting", "running", "done", "failed", "cancelled"]),
            "place": whole("how many orders come before it"),
            "progress": number("how much is done, 0 to 1"),
            "fault": maybe(text("why it failed")),
            "files": each(thing({"name": text(), "url": text(), "bytes": whole()})),
            "station": text(),
            "instrument": text(),
            "seconds": number(),
            "seeds": each(whole()),
        }
    ),
    "TrackChoices": thing(
        {
            "stations": {
                "type": "object",
                "additionalProperties": thing(
                    {"instrument": whole("its own"), "instruments": each(whole("one that its soundfont holds"))}
                ),
            },
            "families": each(thing({"name": text(), "instruments": each(text())})),
            "formats": each(_FORMAT),
            "seconds": each(whole()),
            "count": each(whole()),
            "seed": each(whole()),
        }
    ),
    "Health": thing({"ok": {"type": "boolean"}}, open_=True),
    "Document": {"type": "object"},
}
