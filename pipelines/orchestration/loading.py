"""How the definitions are loaded.

Belongs here: what makes loading fast. Does not belong here: the definitions.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collections() -> Iterator[None]:
    """Create objects in this context that live to the end of the process, without looking for garbage among them.

    The search would take a third of the time in which the definitions are imported and made. It goes on afterwards,
    among the objects that are made then.
    """
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if searched:
            gc.enable()
