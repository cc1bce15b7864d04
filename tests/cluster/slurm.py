"""A real Slurm on the loopback interface, for as long as a test session lasts.

Debian's packages, an ordinary user or root, no systemd: munge, MariaDB with slurmdbd, slurmctld
and one slurmd for each node. Everything lies in one temporary folder and goes with it.

By hand: ``python -m tests.cluster.slurm`` starts one and prints how to use it, until Ctrl-C.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.cluster.daemons import TOKEN, Daemons, wait_until
from tests.cluster.slurm_files import ACCOUNTS, Site, write_site

SBIN = "/usr/sbin:/sbin"  # where the daemons are; not on every user's PATH
PROGRAMS = ("munged", "slurmctld", "slurmd", "slurmdbd", "mariadbd", "mariadb-install-db", "sbatch")
CLIENTS = (
    "sbatch", "srun", "squeue", "sinfo", "scancel", "scontrol", "sacct", "sacctmgr", "sshare",
)  # fmt: skip
INSTALL = "make install-slurm"


class Slurm:
    """A cluster that runs: its folder, its log files, its commands."""

    def __init__(self, site: Site, daemons: Daemons) -> None:
        self.site = site
        self.daemons = daemons

    @property
    def bin(self) -> Path:
        """Folder of the client commands; it belongs at the head of PATH."""
        return self.site.folder / "bin"

    def run(self, *command: str, seconds: float = 60.0) -> str:
        """Return the standard output of a client command."""
        done = subprocess.run(
            [str(self.bin / command[0]), *command[1:]], capture_output=True, text=True,
            check=False, timeout=seconds,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def jobs(self, form: str = "%i|%T|%k") -> list[list[str]]:
        """Return the fields of each job that waits or runs."""
        lines = self.run("squeue", "--noheader", f"--format={form}").splitlines()
        return [line.strip().split("|") for line in lines]

    def cancel_all(self) -> None:
        """Cancel every job and wait until none is left."""
        self.run("scancel", "--quiet", "--user", getpass.getuser())
        wait_until(lambda: not self.jobs("%i"), 60.0, "the queue to empty")


def missing() -> str | None:
    """Return why no Slurm can be started here, or None."""
    absent = [name for name in PROGRAMS if _program(name) is None]
    return f"not installed: {', '.join(absent)} ({INSTALL})" if absent else None


@contextmanager
def running_slurm() -> Iterator[Slurm]:
    """Start a cluster, give it, and stop exactly what was started."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # short: sockets
    site = Site(folder, _free_ports(), _version())
    write_site(site)
    folder.chmod(0o755)  # munge refuses folders that others may write, and closed ones
    daemons = Daemons(folder / "log")
    slurm = Slurm(site, daemons)
    earlier = signal.signal(signal.SIGTERM, _leave)  # a killed session, too, stops its daemons
    try:
        _write_clients(site, daemons.token)
        _start(slurm)
        yield slurm
        slurm.cancel_all()
    except TimeoutError as error:
        raise AssertionError(f"{error}; {_last_words(folder / 'log')}") from error
    finally:
        daemons.stop()
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, earlier)


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _start(slurm: Slurm) -> None:
    """Start all daemons in the order in which they need each other."""
    at, start = slurm.site.folder, slurm.daemons.start
    start(
        "munged", _need("munged"), "--foreground", f"--key-file={at}/munge.key",
        f"--socket={at}/munge.socket", f"--pid-file={at}/munged.pid",
        f"--log-file={at}/log/munged.log", f"--seed-file={at}/munge.seed",
    )  # fmt: skip
    wait_until((at / "munge.socket").exists, 20.0, "munge")
    _start_accounting(slurm)
    conf = {"SLURM_CONF": f"{at}/slurm.conf"}
    start("slurmctld", _need("slurmctld"), "-D", "-i", **conf)
    wait_until(lambda: _succeeds(slurm, "scontrol", "ping"), 30.0, "slurmctld")
    for node in slurm.site.nodes():
        start(f"slurmd-{node}", _need("slurmd"), "-D", "-N", node, **conf)
    wait_until(lambda: _idle(slurm), 60.0, "the nodes")
    assert not slurm.daemons.dead(), slurm.daemons.dead()


def _start_accounting(slurm: Slurm) -> None:
    """Start the database and its daemon, and enter cluster, accounts and user."""
    at, user, data = slurm.site.folder, getpass.getuser(), slurm.site.folder / "mysql"
    options = ["--no-defaults", f"--user={user}", f"--datadir={data}"]
    subprocess.run(
        [_need("mariadb-install-db"), *options, "--skip-test-db",
         "--auth-root-authentication-method=socket", f"--auth-root-socket-user={user}"],
        check=True, capture_output=True,
    )  # fmt: skip
    slurm.daemons.start(
        "mariadb", _need("mariadbd"), *options, "--skip-networking", f"--socket={at}/mysql.socket",
        f"--pid-file={at}/mysql.pid", "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=16M", "--innodb-lock-wait-timeout=900",
        "--innodb-flush-log-at-trx-commit=0",
    )  # fmt: skip
    query = [_need("mariadb"), "--no-defaults", f"--socket={at}/mysql.socket", f"--user={user}"]
    create = [*query, "--execute=create database accounting"]
    wait_until(
        lambda: subprocess.run(create, capture_output=True, check=False).returncode == 0,
        60.0, "MariaDB",
    )  # fmt: skip
    slurm.daemons.start(
        "slurmdbd", _need("slurmdbd"), "-D", "-s",
        SLURM_CONF=f"{at}/slurm.conf", MYSQL_UNIX_PORT=f"{at}/mysql.socket",
    )  # fmt: skip
    wait_until(lambda: _succeeds(slurm, "sacctmgr", "-n", "list", "cluster"), 30.0, "slurmdbd")
    cluster = "Cluster=toy"
    slurm.run("sacctmgr", "-i", "add", "cluster", "toy")
    slurm.run("sacctmgr", "-i", "add", "qos", "regular,shared")
    accounts = ",".join(ACCOUNTS)
    slurm.run("sacctmgr", "-i", "add", "account", accounts, cluster, "QOS=normal,regular,shared")
    slurm.run("sacctmgr", "-i", "add", "user", user, f"Account={accounts}", cluster)


def _write_clients(site: Site, token: str) -> None:
    """Write the client commands as small scripts that know their cluster.

    An environment variable alone would not do: inside a job, Snakemake's plugin removes those of
    Slurm before it calls srun.
    """
    for name in CLIENTS:
        path = site.folder / "bin" / name
        path.write_text(
            f"#!/bin/sh\nSLURM_CONF={site.folder}/slurm.conf {TOKEN}={token}\n"
            f'export SLURM_CONF {TOKEN}\nexec {_need(name)} "$@"\n',
            encoding="utf-8",
        )
        path.chmod(0o755)


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), SBIN]))


def _need(name: str) -> str:
    path = _program(name)
    assert path is not None, name
    return path


def _version() -> tuple[int, int]:
    said = subprocess.run([_need("slurmctld"), "-V"], capture_output=True, text=True, check=True)
    found = re.search(r"(\d+)\.(\d+)", said.stdout)
    assert found, said.stdout
    return int(found[1]), int(found[2])


def _free_ports(n_ports: int = 16) -> int:
    """Return the first of some ports on the loopback interface that nobody listens on."""
    for first in range(21000 + os.getpid() % 200 * 50, 32000, 50):
        if all(_is_free(first + i) for i in range(n_ports)):
            return first
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _succeeds(slurm: Slurm, *command: str) -> bool:
    path = str(slurm.bin / command[0])
    try:
        done = subprocess.run([path, *command[1:]], capture_output=True, check=False, timeout=10)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _idle(slurm: Slurm) -> bool:
    states = slurm.run("sinfo", "--noheader", "--Node", "--format=%T").split()
    return states == ["idle"] * len(slurm.site.nodes())


def _last_words(logs: Path) -> str:
    """Return the last lines of every log, for the message of a start that failed."""
    texts = [(path.name, path.read_text(errors="replace")) for path in sorted(logs.iterdir())]
    return "\n".join(f"== {name}\n{text[-600:]}" for name, text in texts if text)


if __name__ == "__main__":
    begin = time.monotonic()
    with running_slurm() as cluster:
        seconds = time.monotonic() - begin
        sys.stdout.write(f"up in {seconds:.1f} s: export PATH={cluster.bin}:$PATH\n")
        sys.stdout.flush()
        try:
            while True:
                time.sleep(60)
        except KeyboardInterrupt:
            pass
