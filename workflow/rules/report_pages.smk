"""Stage 8, report: pages of what was found, and how it was made. The figures stand in report.smk.

REQUIRED INPUTS: the metrics and claims of each study (stage evaluate); the cut-flows of samples;
run cards; the sidecars of everything; the report's figures.
OUTPUTS: <results>/report/*.html, all shown by Snakemake's report (`make report`).
"""

# The report's menu sorts by name: the sign puts this entry first.
START_HERE = "▸ Start here"


rule tabulate_scores:
    """Write every metric of every method of a study, with intervals. Wildcards: study."""
    input:
        scores="<results>/metrics/{study}/scores.parquet",
        differences="<results>/metrics/{study}/differences.parquet",
        found=lambda wildcards: LADDER.found_of(wildcards.study),
    output:
        page=report(
            "<results>/report/{study}.numbers.html",
            caption="../report/numbers.rst",
            category=lambda wildcards: LADDER.title_of(wildcards.study),
            labels={"page": "Numbers"},
        ),
        sidecar="<results>/report/{study}.numbers.json",
    log:
        "<logs>/tabulate_scores/{study}.log",
    benchmark:
        "<benchmarks>/tabulate_scores/{study}.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=15,
    params:
        found=lambda wildcards, input: option("--found", input.get("found")),
        settings=lambda wildcards: LADDER.about_scores(wildcards.study),
        code=CODE["tabulate_scores"],
    message:
        "Writing the numbers of {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/tabulate_scores.py --scores {input.scores:q}'
        " --differences {input.differences:q} {params.found} --settings {params.settings:q}"
        " --page {output.page:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule tabulate_claims:
    """Write published numbers beside ours, with a verdict each, for all studies."""
    input:
        claims=collect("<results>/studies/{study}/claims.parquet", study=LADDER.plan.studies),
        records=LADDER.trained_sidecars(),
    output:
        page=report(
            "<results>/report/claims.html",
            caption="../report/claims.rst",
            category=START_HERE,
            labels={"page": "Claims"},
        ),
        sidecar="<results>/report/claims.json",
    log:
        "<logs>/tabulate_claims/all.log",
    benchmark:
        "<benchmarks>/tabulate_claims/all.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=15,
    params:
        records=lambda wildcards, input: option("--records", input.records),
        settings=lambda wildcards: LADDER.about_studies("title"),
        code=CODE["tabulate_claims"],
    message:
        "Writing the claims and their verdicts"
    shell:
        'python "$ZLADDER_SCRIPTS"/tabulate_claims.py --claims {input.claims:q}'
        " {params.records} --settings {params.settings:q}"
        " --page {output.page:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule tabulate_cutflow:
    """Write how many galaxies went in and out, from the catalogues to the splits."""
    input:
        cutflows=collect("<results>/samples/{sample}.cutflow.csv", sample=LADDER.plan.samples),
        records=LADDER.data_sidecars(),
    output:
        page=report(
            "<results>/report/counts.html",
            caption="../report/counts.rst",
            category="Samples",
            labels={"page": "Galaxies in and out"},
        ),
        sidecar="<results>/report/counts.json",
    log:
        "<logs>/tabulate_cutflow/all.log",
    benchmark:
        "<benchmarks>/tabulate_cutflow/all.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=15,
    params:
        records=lambda wildcards, input: option("--records", input.records),
        code=CODE["tabulate_cutflow"],
    message:
        "Writing the galaxies in and out"
    shell:
        'python "$ZLADDER_SCRIPTS"/tabulate_cutflow.py --cutflows {input.cutflows:q}'
        " {params.records}"
        " --page {output.page:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule tabulate_costs:
    """Write what each rule and each run cost."""
    input:
        records=LADDER.sidecars(),
    output:
        page=report(
            "<results>/report/costs.html",
            caption="../report/costs.rst",
            category="How it was made",
            labels={"page": "Costs"},
        ),
        sidecar="<results>/report/costs.json",
    log:
        "<logs>/tabulate_costs/all.log",
    benchmark:
        "<benchmarks>/tabulate_costs/all.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=15,
    params:
        records=lambda wildcards, input: option("--records", input.records),
        code=CODE["tabulate_costs"],
    message:
        "Writing the costs"
    shell:
        'python "$ZLADDER_SCRIPTS"/tabulate_costs.py {params.records} --page {output.page:q}'
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule write_provenance:
    """Write with what, from what and by which code every number was made."""
    input:
        records=LADDER.sidecars(),
        cards=LADDER.all_cards(),
    output:
        page=report(
            "<results>/report/provenance.html",
            caption="../report/provenance.rst",
            category="How it was made",
            labels={"page": "Provenance"},
        ),
        sidecar="<results>/report/provenance.json",
    log:
        "<logs>/write_provenance/all.log",
    benchmark:
        "<benchmarks>/write_provenance/all.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=15,
    params:
        records=lambda wildcards, input: option("--records", input.records),
        cards=lambda wildcards, input: option("--cards", input.cards),
        settings=lambda wildcards: LADDER.about_sky("sky", "scale", "master_seed"),
        code=CODE["write_provenance"],
    message:
        "Writing the provenance"
    shell:
        'python "$ZLADDER_SCRIPTS"/write_provenance.py {params.records} {params.cards}'
        " --settings {params.settings:q} --page {output.page:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule write_citations:
    """Write whom to cite for data, papers, methods and software."""
    output:
        page=report(
            "<results>/report/citations.html",
            caption="../report/citations.rst",
            category="How it was made",
            labels={"page": "Citations"},
        ),
        bibtex=report(
            "<results>/report/citations.bib",
            caption="../report/citations.rst",
            category="How it was made",
            labels={"page": "Citations (BibTeX)"},
        ),
        sidecar="<results>/report/citations.json",
    log:
        "<logs>/write_citations/all.log",
    benchmark:
        "<benchmarks>/write_citations/all.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=15,
    params:
        settings=lambda wildcards: LADDER.about_sources(),
        code=CODE["write_citations"],
    message:
        "Writing the citations"
    shell:
        'python "$ZLADDER_SCRIPTS"/write_citations.py --settings {params.settings:q} --page {output.page:q}'
        " --bibtex {output.bibtex:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule write_summary:
    """Write the page that a newcomer reads first, and its short form for the front page."""
    input:
        scores=collect("<results>/metrics/{study}/scores.parquet", study=LADDER.plan.studies),
        differences=collect(
            "<results>/metrics/{study}/differences.parquet", study=LADDER.plan.studies
        ),
        claims=collect("<results>/studies/{study}/claims.parquet", study=LADDER.plan.studies),
        figures=collect("<results>/report/{study}.front.png", study=LADDER.plan.studies),
        records=LADDER.data_sidecars(),
    output:
        page=report(
            "<results>/report/summary.html",
            caption="../report/summary.rst",
            category=START_HERE,
            labels={"page": "Summary"},
        ),
        front="<results>/report/front.html",
        sidecar="<results>/report/summary.json",
    log:
        "<logs>/write_summary/all.log",
    benchmark:
        "<benchmarks>/write_summary/all.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=15,
    params:
        records=lambda wildcards, input: option("--records", input.records),
        sky=lambda wildcards: LADDER.about_sky("sky", "scale"),
        studies=lambda wildcards: LADDER.about_studies("title", "question", "convention"),
        code=CODE["write_summary"],
    message:
        "Writing the summary"
    shell:
        'python "$ZLADDER_SCRIPTS"/write_summary.py --scores {input.scores:q}'
        " --differences {input.differences:q}"
        " --claims {input.claims:q} --figures {input.figures:q} {params.records}"
        " --sky {params.sky:q} --studies {params.studies:q} --page {output.page:q}"
        " --front {output.front:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule write_paper:
    """Write a paper's page: what it asks, what came out here, the verdicts. Wildcards: paper."""
    input:
        scores=lambda wildcards: LADDER.of_paper(
            wildcards.paper, "<results>/metrics/{study}/scores.parquet"
        ),
        differences=lambda wildcards: LADDER.of_paper(
            wildcards.paper, "<results>/metrics/{study}/differences.parquet"
        ),
        claims=lambda wildcards: LADDER.of_paper(
            wildcards.paper, "<results>/studies/{study}/claims.parquet"
        ),
        figures=lambda wildcards: LADDER.paper_figures(wildcards.paper),
        cards=lambda wildcards: LADDER.paper_cards(wildcards.paper),
        records=lambda wildcards: LADDER.paper_records(wildcards.paper),
        cutflows=lambda wildcards: LADDER.paper_cutflows(wildcards.paper),
    output:
        page=report(
            "<results>/report/{paper}.html",
            caption="../report/paper.rst",
            category=START_HERE,
            labels={"page": "{paper}"},
        ),
        sidecar="<results>/report/{paper}.json",
    log:
        "<logs>/write_paper/{paper}.log",
    benchmark:
        "<benchmarks>/write_paper/{paper}.tsv"
    wildcard_constraints:
        paper=names_pattern(LADDER.papers()),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=15,
    params:
        cards=lambda wildcards, input: option("--cards", input.cards),
        settings=lambda wildcards: LADDER.about_paper(wildcards.paper),
        code=CODE["write_paper"],
    message:
        "Writing the page of {wildcards.paper}"
    shell:
        'python "$ZLADDER_SCRIPTS"/write_paper.py --scores {input.scores:q}'
        " --differences {input.differences:q} --claims {input.claims:q}"
        " --figures {input.figures:q} {params.cards} --records {input.records:q}"
        " --cutflows {input.cutflows:q} --settings {params.settings:q} --page {output.page:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
