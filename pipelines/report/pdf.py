"""Prints pages to PDF with the Chromium of the machine, without a window and without a network.

Belongs here: finding and running the browser. Does not belong here: what a page holds; without a browser the pages
stand as HTML alone.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from warehouse.files import replacing

BROWSERS = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable", "chrome", "msedge"),
)
"""Names of the program. The first is Chromium without windows, which needs a third of the CPU time."""
PATIENCE_S = 120

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-pdf-header-footer",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def find_browser() -> str | None:
    """Return the path of the first browser that can print; None if no browser is installed."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def print_to_pdf(pages: Sequence[Path], note: Callable[[str], None]) -> list[Path]:
    """Print each page to a PDF file with the same name.

    Args:
        pages: HTML files.
        note: Called with one line if no browser is found or printing fails; then no file is written.

    Returns:
        The PDF files that were written.
    """
    browser = find_browser()
    if browser is None:
        note(f"no PDF: none of {', '.join(BROWSERS)} is installed; the HTML pages print from any browser{_old(pages)}")
        return []
    written: list[Path] = []
    for page in pages:
        target = page.with_suffix(".pdf")
        try:
            _print(browser, page, target)
        except (OSError, subprocess.SubprocessError) as error:
            note(f"no PDF of {page.name}: {browser} failed ({error}){_old(pages[len(written) :])}")
            break
        written.append(target)
    return written


def _old(pages: Sequence[Path]) -> str:
    """Return a warning about PDF files of an earlier run that no longer match their pages."""
    left = [target.name for page in pages if (target := page.with_suffix(".pdf")).exists()]
    return f"; of an earlier run and not of this publication: {', '.join(left)}" if left else ""


def _print(browser: str, page: Path, target: Path) -> None:
    with TemporaryDirectory() as profile, replacing(target) as temporary:
        command = [browser, *_OPTIONS, f"--user-data-dir={profile}", f"--print-to-pdf={temporary}"]
        subprocess.run([*command, page.resolve().as_uri()], check=True, capture_output=True, timeout=PATIENCE_S)
        if not temporary.stat().st_size:
            raise subprocess.SubprocessError("it wrote nothing")
