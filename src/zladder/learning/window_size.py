"""How many galaxies a window of a training's order holds (`learning.windows`)."""

from __future__ import annotations

# Ours. 32 stamps of 5 x 64 x 64 float32 pixels are 2.6 MB, enough for a disk to read at full speed.
BLOCK_ROWS = 32
# Ours. Sets of up to so many galaxies are one window, unless that is more than two windows' bytes.
WHOLE_ROWS = 32_768
# Ours: so many stamps of 5 x 64 x 64. A streamed training has two windows in the page cache.
WINDOW_BYTES = WHOLE_ROWS * 5 * 64 * 64 * 4


def window_rows(n: int, row_bytes: int) -> int:
    """Return the galaxies of a window, at least a block of them.

    Parameters
    ----------
    n
        Galaxies of the training.
    row_bytes
        What the stored pixels of one take, in all bands of its file.
    """
    held = max(WINDOW_BYTES // row_bytes // BLOCK_ROWS, 1) * BLOCK_ROWS
    # The window that follows a whole set is the same pixels: no more than the set is ever held.
    whole = n <= WHOLE_ROWS and n * row_bytes <= 2 * WINDOW_BYTES
    return max(held, WHOLE_ROWS) if whole else held
