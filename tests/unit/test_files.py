"""Files appear whole or not at all; one writer at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from warehouse.files import Busy, exclusive, replacing, write_atomically


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
