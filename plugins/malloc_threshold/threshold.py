"""glibc's ``mallopt``, which rules this process and the memory it asks for from now on."""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD = -3  # of malloc.h
BYTES = 2**16


def map_large_blocks() -> None:
    """Map each block of 64 KiB or more on its own, so that freeing it gives its memory back.

    Without, glibc raises the threshold to the largest block freed, and keeps what was freed in
    heaps that only shrink from the end. It lasts as long as the process, that is one trial.
    """
    if ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, BYTES) != 1:
        raise RuntimeError("mallopt refused M_MMAP_THRESHOLD")
