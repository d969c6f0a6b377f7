"""Bodies in memory and in files have the same bytes, and a file is deleted with its body."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sources.http import bodies
from sources.http.bodies import Body, Spool, spooled

CONTENT = bytes(range(256)) * 400


@pytest.fixture(params=[0, 1 << 20], ids=["in a file", "in memory"])
def body(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Body:
    monkeypatch.setattr(bodies, "LARGE", request.param)
    spool = Spool(tmp_path / "spool")
    for start in range(0, len(CONTENT), 1000):
        spool.write(CONTENT[start : start + 1000])
    assert spool.size == len(CONTENT)
    return spool.body()


def test_a_body_gives_the_bytes_that_were_written(body: Body) -> None:
    assert body.content == body.open().read() == CONTENT
    assert body.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (len(body), body.head(10), body.tail(10)) == (len(CONTENT), CONTENT[:10], CONTENT[-10:])
    assert body.tail(1 << 20) == CONTENT
    assert body == Body(CONTENT) and body != Body(b"other")


def test_a_large_body_has_a_file_that_is_deleted_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LARGE", 10)
    body = spooled(b"x" * 11, tmp_path / "raw")
    (file,) = (tmp_path / "raw").iterdir()
    assert body.path == file and file.name.startswith(".") and file.suffix == ".tmp"
    del body
    assert not file.exists()


def test_an_abandoned_spool_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LARGE", 10)
    spool = Spool(tmp_path)
    spool.write(b"x" * 11)
    assert list(tmp_path.iterdir())
    del spool
    assert not list(tmp_path.iterdir())


def test_a_small_body_needs_no_file(tmp_path: Path) -> None:
    body = spooled(b"small", tmp_path / "raw")
    assert (body.path, body.content, (tmp_path / "raw").exists()) == (None, b"small", False)


def test_an_empty_body_is_false() -> None:
    assert not Body() and Body(b"x") and not Spool().body()
