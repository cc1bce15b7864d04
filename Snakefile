"""zladder: from survey pixels and catalogues to galaxy redshifts.

Configures, validates, includes the stages and names the targets; everything else stands in
workflow/rules (the wiring), workflow/scripts (one program a rule) and src/zladder (the library).
"""

import os
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.25")

ROOT = Path(str(workflow.current_basedir))
SCRIPTS = ROOT / "workflow" / "scripts"
# In the rules as a variable of the shell: neither the text of a rule nor its params then change
# with the place of the checkout.
os.environ.update(ZLADDER_SCRIPTS=str(SCRIPTS))
# Jobs find this checkout's library and this Snakemake's interpreter, activated or not.
for variable, folder in (("PYTHONPATH", ROOT / "src"), ("PATH", Path(sys.executable).parent)):
    others = os.environ.get(variable)
    os.environ[variable] = os.pathsep.join([str(folder), *([others] if others else [])])
sys.path.insert(0, str(ROOT / "src"))

from zladder.config.wiring import code_of, names_pattern, option, wiring_or_exit


configfile: str(ROOT / "config" / "config.yaml")


LADDER = wiring_or_exit(ROOT, config)
CODE = code_of(SCRIPTS, spawned=not workflow.is_main_process)
# A variable too: how politely a file was asked for is no reason to fetch it again.
os.environ.update(ZLADDER_FETCHING=LADDER.fetching())


pathvars:
    results=f"results/{config['sky']}-{config['scale']}",
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


wildcard_constraints:
    survey=names_pattern(LADDER.plan.surveys),
    sample=names_pattern(LADDER.plan.samples),
    dataset=names_pattern(LADDER.plan.datasets),
    study=names_pattern(LADDER.plan.studies),
    run=names_pattern(LADDER.plan.cards),


report: "workflow/report/first_page.rst"


include: "workflow/rules/survey.smk"
include: "workflow/rules/catalogs.smk"
include: "workflow/rules/cutouts.smk"
include: "workflow/rules/datasets.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/evaluate_oracle.smk"
include: "workflow/rules/evaluate_truth.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/report_datasets.smk"
include: "workflow/rules/report_mock.smk"
include: "workflow/rules/report_pages.smk"


rule all:
    """Build every configured study and the report's pages."""
    default_target: True
    input:
        LADDER.report_pages(),
        LADDER.realism_tables(),
    localrule: True


for paper in LADDER.papers():

    rule:
        name:
            paper
        input:
            LADDER.paper_targets(paper),
        localrule: True


if not workflow.is_main_process:
    # Snakemake tells its jobs `--retries 0`, but the number of a rule overrides that: a training that
    # leaves before the end of its Slurm job would start again in what is left of the very same job.
    for known in workflow.rules:
        known.restart_times = 0
