"""The whole content of the loopback archive, made once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from tests.archive_content.deep import write_deep
from tests.archive_content.shallow import write_shallow
from tests.archive_content.small_sky import make_sky


def make_content(served: Path) -> dict[str, Path]:
    """Write everything that the archive serves below a folder; return {what: path}.

    ``main``, ``deep``: answers of SkyServer; ``frames``: above RUN/CAMCOL; ``release``: the
    self-supervised HDF5; ``hsc``, ``cosmos``, ``cfhtls``, ``galaxiesml``: catalogues;
    ``galaxiesml_images``, ``transferz_images``: HDF5.
    """
    served.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    with TemporaryDirectory() as name:
        work = Path(name)
        settings, tables = make_sky(work)
        deep = write_deep(work, settings, tables, served)
        return {**write_shallow(work, settings, served), **deep}
