"""The one place that knows Snakemake's API: which jobs would run, and touching them all.

Run as a program in a checkout, so that the checkout's own library is imported:
``python snakemake_jobs.py touch|dryrun [--config KEY=VALUE …] [--target NAME …]``.
Both print a JSON list of {rule, wildcards, output, threads, resources, reason}.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
)


def planned_jobs(mode: str, config: dict[str, Any], targets: list[str]) -> list[dict[str, Any]]:
    """Touch or dry-run the workflow of the working directory; return the jobs that (would) run."""
    output = OutputSettings(quiet={Quietness.ALL})
    with SnakemakeApi(output) as api:
        workflow_api = api.workflow(
            resource_settings=ResourceSettings(cores=64),
            config_settings=ConfigSettings(config=config),
            snakefile=Path("Snakefile"),
        )
        # Without force only some jobs would be touched: those that look older than their inputs.
        forced = mode == "touch"
        dag_api = workflow_api.dag(DAGSettings(targets=set(targets), forceall=forced))
        dag_api.execute_workflow(executor="local", pseudo_executor=mode)
        dag = workflow_api._workflow.dag  # no public way to the jobs
        return [_described(dag, job) for job in dag.jobs if dag.needrun(job)]


def _described(dag: Any, job: Any) -> dict[str, Any]:
    return {
        "rule": job.rule.name,
        "wildcards": dict(job.wildcards_dict),
        "output": [str(file) for file in job.output],
        "threads": job.threads,
        "resources": {key: job.resources[key] for key in dict(job.resources) if key[0] != "_"},
        "reason": str(dag.reason(job)),
    }


def main() -> int:
    """Print the jobs as JSON on standard output; Snakemake's own talk goes to standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["touch", "dryrun"])
    parser.add_argument("--config", nargs="*", default=[])
    parser.add_argument("--target", nargs="*", default=[])
    options = parser.parse_args()
    pairs = (entry.split("=", 1) for entry in options.config)
    config = {key: yaml.safe_load(value) for key, value in pairs}
    talk = io.StringIO()
    with redirect_stdout(talk), redirect_stderr(sys.stderr):
        jobs = planned_jobs(options.mode, config, options.target)
    sys.stdout.write(json.dumps(jobs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
