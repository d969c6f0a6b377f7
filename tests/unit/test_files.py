"""Files are replaced completely, and only one process at a time holds a warehouse."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import ROOT
from warehouse import raw
from warehouse.files import Busy, Writers, append_line, exclusive, replacing, table_fault, write_atomically
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


def test_tables_of_one_group_are_written_in_order_and_a_failure_stops_the_group_and_is_raised(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2").mkdir()  # no file can have this name
    table = pl.DataFrame({"value": [1.0]})

    def write_all() -> None:
        with Writers() as writers:
            for group in "abc":
                write = writers.in_order()
                for number in "123":
                    write(tmp_path / group / number, table)

    with pytest.raises(IsADirectoryError):
        write_all()
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert found == ["a/1", "a/2", "a/3", "b/1", "c/1", "c/2", "c/3"]
    assert table_fault(tmp_path / "c" / "3") is None


def test_a_truncated_line_does_not_affect_the_next_one(tmp_path: Path) -> None:
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


def test_a_second_process_is_informed_which_process_holds_the_warehouse(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = f"from pathlib import Path; from warehouse.files import exclusive\nwith exclusive(Path({str(lock)!r})): pass"
    with exclusive(lock):
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert second.returncode != 0 and "Busy: process" in second.stderr
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_waiting_process_gives_up_at_its_deadline(tmp_path: Path) -> None:
    calls: list[str] = []
    waits = exclusive(tmp_path / "lock", wait_s=0.3, waiting=lambda: calls.append("waits"))
    with exclusive(tmp_path / "lock"), pytest.raises(Busy), waits:
        pytest.fail("two processes hold the warehouse")
    assert calls == ["waits"]


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = (
        "import sys; from pathlib import Path; from warehouse.files import exclusive\n"
        f"with exclusive(Path({str(lock)!r})): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(Busy, match=f"process {holder.pid} since"), exclusive(lock):
            pytest.fail("two processes hold the warehouse")
        holder.kill()
    with exclusive(lock):
        assert str(os.getpid()) in lock.read_text()


POSIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty"}


@pytest.mark.parametrize("package", ["pipelines", "sources", "warehouse"])
def test_no_module_imports_a_library_that_windows_lacks(package: str) -> None:
    imported = set()
    for path in (ROOT / package).rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        apart = [
            below
            for node in nodes
            if isinstance(node, ast.If) and ast.unparse(node.test) == "sys.platform != 'win32'"
            for statement in node.body
            for below in ast.walk(statement)
        ]
        for node in nodes:
            if node in apart:
                continue
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
    assert imported and not imported & POSIX_ONLY


def test_a_folder_in_place_of_the_file_and_a_file_in_place_of_the_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, named, said in (
        (tmp_path, tmp_path, "name a file"),
        (tmp_path / "file" / "x", tmp_path / "file", "name a folder"),
    ):
        with pytest.raises(OSError, match=said) as caught:
            write_atomically(path, b"")
        assert caught.value.filename == str(named)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
