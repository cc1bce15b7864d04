"""Stage 7, evaluate: predictions, metrics with intervals, verdicts on claims.

REQUIRED INPUTS: <results>/runs/{run}/, <results>/datasets/{dataset}.parquet.
OUTPUTS: <results>/predictions/{run}.parquet, <results>/metrics/{study}/*.parquet,
<results>/studies/{study}/claims.parquet.
"""


rule predict_run:
    """Predict what a run is scored on, every split but the training one. Wildcards: run."""
    input:
        model="<results>/runs/{run}/weights.safetensors",
        card="<results>/runs/{run}/card.json",
        datasets=lambda wildcards: LADDER.tests_of(wildcards.run),
        trained_on=lambda wildcards: LADDER.trained_on(wildcards.run),
    output:
        predictions="<results>/predictions/{run}.parquet",
        sidecar="<results>/predictions/{run}.json",
    log:
        "<logs>/predict_run/{run}.log",
    benchmark:
        "<benchmarks>/predict_run/{run}.tsv"
    group:
        "predictions"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=30,
    params:
        code=CODE["predict_run"],
    message:
        "Predicting with {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/predict_run.py --model {input.model:q} --card {input.card:q}'
        " --datasets {input.datasets:q} --trained-on {input.trained_on:q} --predictions {output.predictions:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule score_study:
    """Score all runs of a study on the same galaxies, with intervals. Wildcards: study."""
    input:
        predictions=lambda wildcards: LADDER.predictions_of(wildcards.study),
    output:
        scores="<results>/metrics/{study}/scores.parquet",
        differences="<results>/metrics/{study}/differences.parquet",
        curves="<results>/metrics/{study}/curves.parquet",
        sidecar="<results>/metrics/{study}/scores.json",
    log:
        "<logs>/score_study/{study}.log",
    benchmark:
        "<benchmarks>/score_study/{study}.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=60,
    params:
        settings=lambda wildcards: LADDER.scoring(wildcards.study),
        code=CODE["score_study"],
    message:
        "Scoring the study {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/score_study.py --predictions {input.predictions:q}'
        " --settings {params.settings:q} --scores {output.scores:q}"
        " --differences {output.differences:q} --curves {output.curves:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule judge_claims:
    """Hold a study's results beside the published claims. Wildcards: study."""
    input:
        predictions=lambda wildcards: LADDER.predictions_of(wildcards.study),
    output:
        claims="<results>/studies/{study}/claims.parquet",
        sidecar="<results>/studies/{study}/claims.json",
    log:
        "<logs>/judge_claims/{study}.log",
    benchmark:
        "<benchmarks>/judge_claims/{study}.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=30,
    params:
        settings=lambda wildcards: LADDER.claims(wildcards.study),
        code=CODE["judge_claims"],
    message:
        "Judging the claims on {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/judge_claims.py --predictions {input.predictions:q}'
        " --settings {params.settings:q} --claims {output.claims:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
