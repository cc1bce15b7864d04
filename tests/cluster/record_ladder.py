"""Write anew what the jobs of the ladder ask for: ``python -m tests.cluster.record_ladder``.

It climbs the ladder at scale `test` once (minutes, on a machine that does nothing else): see by
`git diff` that what changed is what was meant to change.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import yaml

from tests.checkout import Checkout
from tests.cluster.ladder import SCALE, TABLE, names_of_jobs, sizes_by_name
from tests.cluster.login import QUICK, Login, fresh_clone
from tests.cluster.slurm import missing, running_slurm

HEADER = """\
# What the jobs of the ladder at scale `test` ask Slurm for: time (minutes), memory (MB) and
# processors, and how many jobs ask so, by rule or group. The values of a group follow from its
# number of members. Written by `python -m tests.cluster.record_ladder`.

"""


def record() -> None:
    """Climb the ladder in a fresh clone and write the table."""
    with tempfile.TemporaryDirectory() as folder, running_slurm() as slurm:
        login = Login(fresh_clone(Path(folder) / "ladder"), slurm)
        names, _ = names_of_jobs(Checkout.of(login.folder).rules())
        code, said = login.snakemake("--profile", "slurm", *QUICK, *SCALE, seconds=900)
        assert code == 0, said[-6000:]
        table = sizes_by_name(login.submitted(), names)
    TABLE.write_text(HEADER + yaml.safe_dump(table, sort_keys=False, width=100), encoding="utf-8")


if __name__ == "__main__":
    why = missing()
    if why is not None:
        sys.exit(why)
    record()
