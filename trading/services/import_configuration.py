"""Read a configuration file somebody pasted or uploaded; what it means is pure."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

from trading.core.importing import Imported, ImportErrors, read_configuration

MOST_CHARACTERS = 50_000


class StrictLoader(yaml.BaseLoader):
    """Every scalar stays text, so that no number passes through a float; nothing is constructed.

    A key that is given twice and references (`&`, `*`) are refused: the first hides a value, the
    second can blow a small file up to any size.
    """

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(
                problem="references (& and *) are not read", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.MarkedYAMLError(
                problem=f"{twice!r} is given twice", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)


def read_file(text: str) -> Imported:
    """Return what the YAML or JSON text sets. Raise ImportErrors, with sentences by key."""
    if len(text) > MOST_CHARACTERS:
        raise _refused(f"This is longer than {MOST_CHARACTERS} characters.")
    try:
        raw = yaml.load(text, Loader=StrictLoader)  # noqa: S506  # a BaseLoader constructs nothing
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f"Line {error.problem_mark.line + 1}: "
        raise _refused(f"{line}{error.problem}.") from None
    except yaml.YAMLError as error:
        raise _refused(f"This is not YAML: {error}") from None
    except RecursionError:
        raise _refused("This is nested too deeply.") from None
    if not isinstance(raw, dict):
        raise _refused("This is not a list of keys and values.")
    return read_configuration(raw)


def _refused(sentence: str) -> ImportErrors:
    return ImportErrors({"": sentence})
