"""Stage 7, evaluate: what the mock sky alone can tell, for its truth is known.

REQUIRED INPUTS: <results>/survey/truth.parquet, <results>/samples/{sample}.parquet,
<results>/predictions/*, those of each study's oracle among them.
OUTPUTS: <results>/metrics/{study}/truth_scores.parquet, <results>/metrics/{study}/leaks.parquet,
<results>/metrics/{sample}/side_information.parquet. A leak stops nothing: the report tells of it.
"""


rule score_truth:
    """Score a study against the labels and against the true redshifts. Wildcards: study."""
    input:
        predictions=lambda wildcards: LADDER.predictions_of(wildcards.study),
        datasets=lambda wildcards: LADDER.tests_in(wildcards.study),
        truth="<results>/survey/truth.parquet",
    output:
        scores="<results>/metrics/{study}/truth_scores.parquet",
        sidecar="<results>/metrics/{study}/truth_scores.json",
    log:
        "<logs>/score_truth/{study}.log",
    benchmark:
        "<benchmarks>/score_truth/{study}.tsv"
    wildcard_constraints:
        study=names_pattern(LADDER.simulated_studies()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 60 * min(attempt, 3),
    params:
        predictions=lambda wildcards, input: option("--predictions", input.predictions),
        settings=lambda wildcards: LADDER.truth_scoring(wildcards.study),
        code=CODE["score_truth"],
    message:
        "Scoring the study {wildcards.study} against the truth"
    shell:
        'python "$ZLADDER_SCRIPTS"/score_truth.py {params.predictions}'
        " --datasets {input.datasets:q}"
        " --truth {input.truth:q} --settings {params.settings:q} --scores {output.scores:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule check_leaks:
    """Hold all models that see photometry against a study's oracle. Wildcards: study."""
    input:
        answers=lambda wildcards: LADDER.photometry_answers(wildcards.study),
        oracle="<results>/predictions/{study}.oracle-s0.parquet",
        oracle_pdfs="<results>/predictions/{study}.oracle-s0.pdf.h5",
        datasets=lambda wildcards: LADDER.tests_in(wildcards.study),
        truth="<results>/survey/truth.parquet",
    output:
        leaks="<results>/metrics/{study}/leaks.parquet",
        sidecar="<results>/metrics/{study}/leaks.json",
    log:
        "<logs>/check_leaks/{study}.log",
    benchmark:
        "<benchmarks>/check_leaks/{study}.tsv"
    wildcard_constraints:
        study=names_pattern(LADDER.checked_studies()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 6000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        answers=lambda wildcards, input: option("--answers", input.answers),
        settings=lambda wildcards: LADDER.leak_settings(wildcards.study),
        code=CODE["check_leaks"],
    message:
        "Looking for leaks in the study {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/check_leaks.py {params.answers}'
        " --datasets {input.datasets:q}"
        " --oracle {input.oracle:q} --oracle-pdfs {input.oracle_pdfs:q} --truth {input.truth:q}"
        " --settings {params.settings:q} --leaks {output.leaks:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule check_side_information:
    """Try to tell redshifts from identifiers, order, tile and position. Wildcards: sample."""
    input:
        sample="<results>/samples/{sample}.parquet",
    output:
        found="<results>/metrics/{sample}/side_information.parquet",
        sidecar="<results>/metrics/{sample}/side_information.json",
    log:
        "<logs>/check_side_information/{sample}.log",
    benchmark:
        "<benchmarks>/check_side_information/{sample}.tsv"
    wildcard_constraints:
        sample=names_pattern(LADDER.labelled_samples()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.side_settings(),
        code=CODE["check_side_information"],
    message:
        "Looking for redshifts in identifiers and positions of {wildcards.sample}"
    shell:
        'python "$ZLADDER_SCRIPTS"/check_side_information.py --sample {input.sample:q}'
        " --settings {params.settings:q} --found {output.found:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
