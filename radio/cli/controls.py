"""`radio controls`: all controls, with their ranges and defaults."""

from __future__ import annotations

import argparse
import json

from radio.cli.exit_codes import OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--json", action="store_true", help="print the controls as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    print(_json() if arguments.json else _table())
    return OK


def _json() -> str:
    from radio.settings.controls import CONTROLS

    rows = [{"name": name, "default": control.default, **control.as_json()} for name, control in CONTROLS.items()]
    return json.dumps(rows, ensure_ascii=False, indent=2)


def _table() -> str:
    """Return a line for each control, by group: name, values, default in brackets, and help."""
    from radio.settings.controls import CONTROLS

    width = max(map(len, CONTROLS))
    lines: list[str] = []
    for group in dict.fromkeys(control.group for control in CONTROLS.values()):
        lines += ["", f"{group}:"] if lines else [f"{group}:"]
        for name, control in CONTROLS.items():
            if control.group == group:
                values = f"{control.setting.kind.values} [{control.setting.default_text}]"
                lines.append(f"  {name:{width}}  {values:23}  {control.help}")
    return "\n".join(lines)
