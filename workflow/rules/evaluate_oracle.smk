"""Stage 7, evaluate: the oracle of the mock sky, which knows how it was drawn.

REQUIRED INPUTS: <results>/samples/{sample}.parquet, <results>/datasets/{dataset}.parquet,
<results>/survey/selection.csv, <results>/survey/selection_photoz.parquet.
OUTPUTS: <results>/oracle/{sample}*.pdf.h5, <results>/predictions/{study}.{oracle}-s0.parquet and
.pdf.h5.
"""


rule compute_oracle:
    """Compute p(z | data) under the population that was simulated. Wildcards: sample."""
    input:
        sample="<results>/samples/{sample}.parquet",
        datasets=lambda wildcards: LADDER.held_out_of(wildcards.sample),
        selection=lambda wildcards: LADDER.selection_of(wildcards.sample),
    output:
        pdfs="<results>/oracle/{sample}.pdf.h5",
        structure_pdfs="<results>/oracle/{sample}.structure.pdf.h5",
        sidecar="<results>/oracle/{sample}.json",
    log:
        "<logs>/compute_oracle/{sample}.log",
    benchmark:
        "<benchmarks>/compute_oracle/{sample}.tsv"
    wildcard_constraints:
        sample=names_pattern(LADDER.oracle_samples()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 120 * min(attempt, 3),
    params:
        selection=lambda wildcards, input: option("--selection", input.get("selection")),
        settings=lambda wildcards: LADDER.oracle_settings(wildcards.sample),
        code=CODE["compute_oracle"],
    message:
        "Computing the oracle of {wildcards.sample}"
    shell:
        'python "$ZLADDER_SCRIPTS"/compute_oracle.py --sample {input.sample:q}'
        " --datasets {input.datasets:q} {params.selection}"
        " --settings {params.settings:q} --pdfs {output.pdfs:q}"
        " --structure-pdfs {output.structure_pdfs:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule predict_oracle:
    """Put an oracle's answers beside those of a study's runs. Wildcards: study, oracle."""
    input:
        oracles=lambda wildcards: LADDER.oracle_answers(wildcards.study, wildcards.oracle),
        datasets=lambda wildcards: LADDER.tests_in(wildcards.study),
    output:
        predictions="<results>/predictions/{study}.{oracle}-s0.parquet",
        pdfs="<results>/predictions/{study}.{oracle}-s0.pdf.h5",
        sidecar="<results>/predictions/{study}.{oracle}-s0.json",
    log:
        "<logs>/predict_oracle/{study}.{oracle}.log",
    benchmark:
        "<benchmarks>/predict_oracle/{study}.{oracle}.tsv"
    wildcard_constraints:
        study=names_pattern(LADDER.oracle_studies()),
        oracle="oracle|oracle_structure",
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        code=CODE["predict_oracle"],
    message:
        "Predicting with {wildcards.oracle} for the study {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/predict_oracle.py --oracle {wildcards.oracle} --oracles {input.oracles:q}'
        " --datasets {input.datasets:q} --predictions {output.predictions:q} --pdfs {output.pdfs:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
