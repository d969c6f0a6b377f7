"""YAML files that people write: their content with its lines, and faults with their line.

Belongs here: reading YAML strictly. Does not belong here: what a file must contain (``catalogue``, ``corrections``,
``bundled_archive``, ``providers.local_file``, and in ``pipelines`` the texts and the declarations of the seeds).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sources.errors import ConfigurationError, printable

if TYPE_CHECKING:  # commands that only read a publication do not import it
    from pydantic import ValidationError


class YamlFault(Exception):
    """A text that is not the YAML that people may write. ``line`` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        self.line, self.problem = line, printable(problem)
        super().__init__(f"line {line}: {self.problem}")


@dataclass(frozen=True)
class Document:
    """The content of a YAML file, and the line of each part of it."""

    value: Any
    node: yaml.Node | None = field(default=None, repr=False)

    def line_of(self, *path: str | int) -> int:
        """Return the line of a part, such as ``line_of(3, "chain", 0)``; of the nearest part around it if missing."""
        node, line = self.node, 1 if self.node is None else self.node.start_mark.line + 1
        for name in path:
            if isinstance(node, yaml.SequenceNode) and isinstance(name, int) and name < len(node.value):
                node = node.value[name]
                line = node.start_mark.line + 1
            elif isinstance(node, yaml.MappingNode):
                found = next(((key, value) for key, value in node.value if key.value == str(name)), None)
                if found is None:
                    break
                line, node = found[0].start_mark.line + 1, found[1]
            else:
                break
        return line


class _ValueFault(yaml.YAMLError):
    """A value that has the form of a date or number and is none, such as 2026-02-30."""

    def __init__(self, problem: str, line: int) -> None:
        self.problem, self.line = problem, line
        super().__init__(problem)


class _Loader(yaml.CSafeLoader):
    """A SafeLoader that raises for a repeated key instead of keeping the last value, and names the fields of faults."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
            shown = node.value if isinstance(node, yaml.ScalarNode) else "the value"
            raise _ValueFault(f"{shown[:40]}: {str(error)[:80]}", node.start_mark.line + 1) from error


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a field's name is not a text", key_node.start_mark)
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the field {key!r} is repeated in one entry", key_node.start_mark
            )
        try:
            seen[key] = loader.construct_object(value_node, deep=True)
        except _ValueFault as error:
            raise _ValueFault(f"{key_node.value}: {error.problem}", error.line) from error
    return seen


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def parse_yaml(content: bytes) -> Document:
    """Return the one document of a YAML file.

    Raises:
        YamlFault: The text is not UTF-8 or not valid YAML, an entry has a field twice, or a date does not exist.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlFault(content.count(b"\n", 0, error.start) + 1, "not UTF-8 text; save it in UTF-8") from error
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            return Document(None if node is None else loader.construct_document(node), node)
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlFault(line, f"not valid YAML: the character {chr(_ordinal(error))!a} is not allowed") from error
    except _ValueFault as error:
        raise YamlFault(error.line, error.problem) from error
    except yaml.MarkedYAMLError as error:
        mark, problem = error.problem_mark or error.context_mark, error.problem or error.context
        raise YamlFault(mark.line + 1 if mark else 1, f"not valid YAML: {problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlFault(1, f"not valid YAML: {' '.join(str(error).split())[:200]}") from error


def _ordinal(error: yaml.reader.ReaderError) -> int:
    return error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or "\0")


def read_yaml(path: Path, parse: Callable[[bytes], Document] = parse_yaml) -> Document:
    """Return the content of a file.

    Args:
        path: The file.
        parse: ``parse_yaml``, or the same with a memory, where the same files are read again and again.

    Raises:
        ConfigurationError: The file cannot be read, see ``parse_yaml``; the message names file and line.
    """
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from error
    except YamlFault as fault:
        raise ConfigurationError(f"{path}:{fault.line}: {fault.problem}") from fault


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the content of a file that maps names to values.

    Raises:
        ConfigurationError: The file cannot be read, or is none; the message names file and line.
    """
    document = read_yaml(path)
    if not isinstance(document.value, dict):
        raise ConfigurationError(f"{path}:{document.line_of()}: must be a list of `name: value`, without `- `")
    return document.value


def first_fault(error: ValidationError) -> tuple[Sequence[str | int], str]:
    """Return the place and the text of the first fault of a validation, and how many more there are."""
    first = error.errors()[0]
    message = re.sub("^Value error, ", "", first["msg"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return first["loc"], f"{message}{more}"
