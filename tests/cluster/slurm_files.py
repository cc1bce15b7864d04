"""The configuration of a Slurm on one host: what it says of itself, its nodes and its rules.

The nodes claim more processors and memory than the host has (`config_overrides`); their GPUs are
links to the null device, which is a character device and therefore good enough for Slurm to count
it and to set CUDA_VISIBLE_DEVICES. Nothing is confined: no cgroups, no affinity.
"""

from __future__ import annotations

import getpass
import os
import platform
from dataclasses import dataclass
from pathlib import Path

ACCOUNTS = ("proj", "proj_g")


@dataclass(frozen=True)
class Site:
    """What the cluster looks like.

    `n_nodes` nodes of each kind, `n_cpus` processors and `memory_mb` on each, `n_gpus` on a GPU
    node; `port` is the first of the TCP ports on the loopback interface.
    """

    folder: Path
    port: int
    version: tuple[int, int]
    n_nodes: int = 2
    n_cpus: int = 128
    memory_mb: int = 200_000
    n_gpus: int = 4

    @property
    def n_ports(self) -> int:
        """Number of TCP ports: controller, database daemon, one for each node."""
        return 2 + 2 * self.n_nodes

    def nodes(self) -> list[str]:
        """Return the names of all nodes."""
        return [f"{kind}{i}" for kind in ("c", "g") for i in range(1, self.n_nodes + 1)]


def slurm_conf(site: Site) -> str:
    """Return slurm.conf."""
    at, user, host = site.folder, getpass.getuser(), platform.node().split(".")[0]
    lines = f"""
        ClusterName=toy
        SlurmctldHost={host}(127.0.0.1)
        SlurmctldPort={site.port}
        SlurmUser={user}
        SlurmdUser={user}
        AuthType=auth/munge
        AuthInfo=socket={at}/munge.socket
        CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
        StateSaveLocation={at}/state
        SlurmdSpoolDir={at}/spool/%n
        SlurmctldPidFile={at}/slurmctld.pid
        SlurmdPidFile={at}/slurmd-%n.pid
        SlurmctldLogFile={at}/log/slurmctld.log
        SlurmdLogFile={at}/log/slurmd-%n.log
        ProctrackType=proctrack/linuxproc
        TaskPlugin=task/none
        SwitchType=switch/none
        MpiDefault=none
        SelectType=select/cons_tres
        SelectTypeParameters=CR_Core_Memory
        DefMemPerCPU=1000
        GresTypes=gpu
        SlurmdParameters=config_overrides
        JobAcctGatherType=jobacct_gather/linux
        JobAcctGatherFrequency=task=2
        JobAcctGatherParams=OverMemoryKill
        AccountingStorageType=accounting_storage/slurmdbd
        AccountingStorageHost=127.0.0.1
        AccountingStoragePort={site.port + 1}
        AccountingStoragePass={at}/munge.socket
        AccountingStorageTRES=gres/gpu
        AccountingStorageEnforce=associations,limits,qos
        AccountingStoreFlags=job_comment
        JobSubmitPlugins=lua
        SchedulerType=sched/backfill
        SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=2
        PriorityType=priority/multifactor
        MinJobAge=300
        KillWait=5
        ReturnToService=2
    """
    settings = [line.strip() for line in lines.strip().splitlines()]
    return "\n".join([*settings, *_node_lines(site, host), *_partition_lines(site)]) + "\n"


def _node_lines(site: Site, host: str) -> list[str]:
    """Return one line for each node: CPU nodes are c1, c2, …, GPU nodes g1, g2, …."""
    shape = (
        f"NodeHostname={host} NodeAddr=127.0.0.1 CPUs={site.n_cpus} Boards=1 SocketsPerBoard=1"
        f" CoresPerSocket={site.n_cpus} ThreadsPerCore=1 RealMemory={site.memory_mb}"
    )
    features = {"c": "Feature=cpu", "g": f"Feature=gpu,a100 Gres=gpu:a100:{site.n_gpus}"}
    return [
        f"NodeName={name} Port={port} {shape} {features[name[0]]}"
        for port, name in enumerate(site.nodes(), start=site.port + 2)
    ]


def _partition_lines(site: Site) -> list[str]:
    """Return one partition for each kind of node; none is the default one."""
    limits = "MaxTime=1-00:00:00 DefaultTime=10 State=UP"
    return [
        f"PartitionName={name} Nodes={name[0]}[1-{site.n_nodes}] {limits}"
        for name in ("cpu", "gpu")
    ]


def gres_conf(site: Site) -> str:
    """Return gres.conf: with `File`, Slurm numbers the GPUs."""
    files = f"{site.folder}/dev/gpu[0-{site.n_gpus - 1}]"
    return f"NodeName=g[1-{site.n_nodes}] Name=gpu Type=a100 File={files}\n"


def slurmdbd_conf(site: Site) -> str:
    """Return slurmdbd.conf: the accounting database, reached through a socket."""
    at, user = site.folder, getpass.getuser()
    lines = f"""
        DbdHost=localhost
        DbdAddr=127.0.0.1
        DbdPort={site.port + 1}
        SlurmUser={user}
        AuthType=auth/munge
        AuthInfo=socket={at}/munge.socket
        CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
        StorageType=accounting_storage/mysql
        StorageHost=localhost
        StorageUser={user}
        StorageLoc=accounting
        LogFile={at}/log/slurmdbd.log
        PidFile={at}/slurmdbd.pid
    """
    return "\n".join(line.strip() for line in lines.strip().splitlines()) + "\n"


# As at NERSC: who gives no account or no kind of node is refused, and nobody names a partition.
JOB_SUBMIT = """
local function refuse(why)
  slurm.log_user(why)
  return slurm.ERROR
end

function slurm_job_submit(job, partitions, user)
  local nodes = job.features or ""
  local gpu = nodes:find("gpu") ~= nil
  if job.account == nil then return refuse("no account: give -A") end
  if not gpu and not nodes:find("cpu") then return refuse("no kind of node: give -C") end
  if gpu ~= (job.account == "proj_g") then return refuse("wrong account for these nodes") end
  if job.partition == nil then job.partition = gpu and "gpu" or "cpu" end
  return slurm.SUCCESS
end

function slurm_job_modify(job, record, partitions, user)
  return slurm.SUCCESS
end

return slurm.SUCCESS
"""


def write_site(site: Site) -> None:
    """Write all configuration files, keys and devices of a site."""
    for name in ("bin", "dev", "log", "spool", "state"):
        (site.folder / name).mkdir()
    for node in site.nodes():
        (site.folder / "spool" / node).mkdir()
    for i in range(site.n_gpus):
        (site.folder / "dev" / f"gpu{i}").symlink_to(os.devnull)
    files = {
        "slurm.conf": slurm_conf(site),
        "gres.conf": gres_conf(site),
        "job_submit.lua": JOB_SUBMIT,
        "slurmdbd.conf": slurmdbd_conf(site),
    }
    if site.version >= (23, 11):  # older ones do not know the word
        files["cgroup.conf"] = "CgroupPlugin=disabled\n"
    for name, text in files.items():
        (site.folder / name).write_text(text, encoding="utf-8")
    (site.folder / "slurmdbd.conf").chmod(0o600)
    key = site.folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
