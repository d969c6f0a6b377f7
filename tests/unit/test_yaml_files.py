"""Files that people write in YAML: every fault is one line with file and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sources.bundled_archive import load_archive
from sources.catalogue import load_catalogue
from sources.corrections import load_corrections
from sources.errors import ConfigurationError
from sources.yaml_files import YamlFault, parse_yaml, read_yaml

FAULTS: dict[str, tuple[bytes, int, str]] = {
    "a field twice": (b"- id: a\n  unit: pct\n  unit: share\n", 3, "the field 'unit' is repeated in one entry"),
    "a date that does not exist": (b"- id: a\n  on: 2026-02-30\n", 2, "on: 2026-02-30: day is out of range for month"),
    "a month that does not exist": (b"- id: a\n  at: 2026-13-01T00:00:00Z\n", 2, "at: 2026-13-01"),
    "not UTF-8": (b"- id: a\n  title: caf\xe9\n", 2, "not UTF-8 text"),
    "UTF-16": ("- id: a\n".encode("utf-16"), 1, "not UTF-8 text"),
    "a control character": (b"- id: a\n  title: \x07\n", 2, r"the character '\\x07' is not allowed"),
    "an open list": (b"- id: [\n", 2, "not valid YAML"),
    "a tab": (b"- id: a\n\tunit: pct\n", 2, "not valid YAML"),
    "a colon too many": (b"- id: a\n  title: b: c\n", 2, "mapping values are not allowed"),
    "an unknown alias": (b"- id: *nothing\n", 1, "undefined alias"),
    "a reference to itself": (b"- &one\n  id: [*one]\n", 1, "recursive"),
    "a program": (b"- id: !!python/object/apply:os.getcwd []\n", 1, "could not determine a constructor"),
    "two documents": (b"- id: a\n---\n- id: b\n", 2, "another document"),
    "a list as a name": (b"- ? [a]\n  : b\n", 1, "a field's name is not a text"),
    "a number of 5000 digits": (b"- id: " + b"9" * 5000 + b"\n", 1, "id: 9999"),
    "deep nesting": (b"- id: " + b"[" * 3000 + b"\n", 2, "not valid YAML"),
}
LOADERS: dict[str, Callable[[Path], object]] = {
    "indicators.yml": lambda path: load_catalogue(path.parent),
    "corrections.yml": lambda path: load_corrections(load_catalogue(), path),
    "series.yml": lambda path: load_archive(path.parent),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_line(fault: str) -> None:
    content, line, problem = FAULTS[fault]
    with pytest.raises(YamlFault, match=problem) as caught:
        parse_yaml(content)
    assert caught.value.line == line and "\n" not in str(caught.value)


@pytest.mark.parametrize("fault", ["a field twice", "a date that does not exist", "not UTF-8", "an open list"])
@pytest.mark.parametrize("name", LOADERS)
def test_catalogue_corrections_and_archive_name_file_and_line(name: str, fault: str, tmp_path: Path) -> None:
    content, line, problem = FAULTS[fault]
    (tmp_path / "providers.yml").write_text("[]\n")
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        LOADERS[name](path)
    assert re.match(rf"{re.escape(str(path))}:{line}: .*{problem}", str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"just a text\n", b"a: 1\n"])
@pytest.mark.parametrize("name", LOADERS)
def test_a_file_that_is_no_list_is_named_with_its_line(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "providers.yml").write_text("[]\n")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"{name}:1: "):
        LOADERS[name](tmp_path / name)


def test_a_mirror_that_is_no_provider_is_named_with_its_line(tmp_path: Path) -> None:
    entry = "id: one\n  title: One\n  licence: made up\n  citation: made up\n  cadence: yearly\n  mirror: nothing\n"
    (tmp_path / "providers.yml").write_text(f"# one entry\n- {entry}")
    with pytest.raises(ConfigurationError, match=r"providers\.yml:2: one: mirror: there is no provider 'nothing'"):
        load_catalogue(tmp_path)


def test_a_part_of_a_document_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("# note\n- id: a\n  chain:\n    - code: b\n    - code: c\n")
    document = read_yaml(path)
    assert [document.line_of(*place) for place in ((), (0, "chain"), (0, "chain", 1, "code"), (0, "none"), (7,))] == [
        2, 3, 5, 2, 2,
    ]  # fmt: skip
