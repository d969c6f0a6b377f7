"""Files appear whole or not at all; one writer at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from warehouse import raw
from warehouse.files import Busy, append_line, exclusive, replacing, write_atomically
from warehouse.layout import Layout


def test_a_failed_write_leaves_the_old_file_and_no_trace(tmp_path: Path) -> None:
    target = tmp_path / "table"
    write_atomically(target, b"old")

    def fail() -> None:
        with replacing(target) as temporary:
            temporary.write_bytes(b"half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["table"]


def test_a_line_that_was_cut_off_does_not_spoil_the_next_one(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    sha256 = raw.store(layout, b"body", {"url": "first"})
    log = layout.raw / sha256[:2] / f"{sha256}.jsonl"
    with log.open("ab") as handle:
        handle.write(b'{"url": "cut o')
    raw.store(layout, b"body", {"url": "last"})
    assert raw.retrievals(layout, sha256) == [{"url": "first"}, {"url": "last"}]


def test_a_line_that_does_not_fit_on_the_disk_is_an_error() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(OSError, match="No space left on device"):
        append_line(Path("/dev/full"), "a line")


def test_a_second_process_is_told_who_holds_the_warehouse(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = f"from pathlib import Path; from warehouse.files import exclusive\nwith exclusive(Path({str(lock)!r})): pass"
    with exclusive(lock):
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert second.returncode != 0 and "Busy: process" in second.stderr
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_waiting_process_gives_up_at_its_deadline(tmp_path: Path) -> None:
    told: list[str] = []
    waits = exclusive(tmp_path / "lock", wait_s=0.3, waiting=lambda: told.append("waits"))
    with exclusive(tmp_path / "lock"), pytest.raises(Busy), waits:
        pytest.fail("two processes hold the warehouse")
    assert told == ["waits"]
