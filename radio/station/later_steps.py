"""Control changes that wait for later bars."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias

Step: TypeAlias = Mapping[str, object]
"""Values by control."""


def merged(waiting: Iterable[Step], patch: Step, later: Sequence[Step]) -> deque[Step]:
    """Return the steps for the bars not composed yet, after a change that is made now.

    Args:
        waiting: The previous steps, one per bar. Controls that the change names are removed from them.
        patch: The change for the next bar; its own values are not part of the result.
        later: The changes for the bars after that.
    """
    named = {name for step in (patch, *later) for name in step}
    rest = [{name: value for name, value in step.items() if name not in named} for step in waiting]
    nothing: Step = {}
    steps = (nothing, *later) if later else ()
    return deque({**old, **new} for old, new in zip_longest(rest, steps, fillvalue=nothing))
