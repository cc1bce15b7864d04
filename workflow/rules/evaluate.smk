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
    wildcard_constraints:
        run=names_pattern(LADDER.plan.tasks("catalogue", "control")),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        code=CODE["predict_run"],
    message:
        "Predicting with {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/predict_run.py --model {input.model:q} --card {input.card:q}'
        " --datasets {input.datasets:q} --trained-on {input.trained_on:q} --predictions {output.predictions:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule predict_images:
    """Predict with a regression network on images. Wildcards: run."""
    input:
        model="<results>/runs/{run}/weights.safetensors",
        card="<results>/runs/{run}/card.json",
        stamps=lambda wildcards: LADDER.tested_stamps(wildcards.run),
        datasets=lambda wildcards: LADDER.tests_of(wildcards.run),
        trained_on=lambda wildcards: LADDER.trained_on(wildcards.run),
    output:
        predictions="<results>/predictions/{run}.parquet",
        sidecar="<results>/predictions/{run}.json",
    log:
        "<logs>/predict_images/{run}.log",
    benchmark:
        "<benchmarks>/predict_images/{run}.tsv"
    wildcard_constraints:
        run=names_pattern(LADDER.plan.regressing("image")),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 6000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        stamps=lambda wildcards, input: option("--stamps", input.stamps),
        code=CODE["predict_images"],
    message:
        "Predicting with {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/predict_images.py --model {input.model:q} --card {input.card:q}'
        " {params.stamps} --datasets {input.datasets:q}"
        " --trained-on {input.trained_on:q} --threads {threads}"
        " --predictions {output.predictions:q} --sidecar {output.sidecar:q} --log {log:q}"
        " --code-digest {params.code}"


rule predict_probe:
    """Predict with a linear probe on cached features. Wildcards: run."""
    input:
        model="<results>/runs/{run}/weights.safetensors",
        card="<results>/runs/{run}/card.json",
        features=lambda wildcards: LADDER.features_of(wildcards.run),
        datasets=lambda wildcards: LADDER.tests_of(wildcards.run),
        trained_on=lambda wildcards: LADDER.trained_on(wildcards.run),
    output:
        predictions="<results>/predictions/{run}.parquet",
        sidecar="<results>/predictions/{run}.json",
    log:
        "<logs>/predict_probe/{run}.log",
    benchmark:
        "<benchmarks>/predict_probe/{run}.tsv"
    wildcard_constraints:
        run=names_pattern(LADDER.plan.tasks("probe")),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        code=CODE["predict_probe"],
    message:
        "Predicting with {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/predict_probe.py --model {input.model:q} --card {input.card:q}'
        " --features {input.features:q} --datasets {input.datasets:q}"
        " --trained-on {input.trained_on:q} --predictions {output.predictions:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule predict_classes:
    """Predict with a classifier on images or features: estimates and PDFs. Wildcards: run."""
    input:
        model="<results>/runs/{run}/weights.safetensors",
        card="<results>/runs/{run}/card.json",
        source=lambda wildcards: LADDER.class_inputs(wildcards.run),
        datasets=lambda wildcards: LADDER.tests_of(wildcards.run),
        trained_on=lambda wildcards: LADDER.trained_on(wildcards.run),
    output:
        predictions="<results>/predictions/{run}.parquet",
        pdfs="<results>/predictions/{run}.pdf.h5",
        sidecar="<results>/predictions/{run}.json",
    log:
        "<logs>/predict_classes/{run}.log",
    benchmark:
        "<benchmarks>/predict_classes/{run}.tsv"
    wildcard_constraints:
        run=names_pattern(LADDER.plan.classifiers()),
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 6000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        source=lambda wildcards, input: option(LADDER.class_option(wildcards.run), input.source),
        code=CODE["predict_classes"],
    message:
        "Predicting with {wildcards.run}"
    shell:
        'python "$ZLADDER_SCRIPTS"/predict_classes.py --model {input.model:q} --card {input.card:q}'
        " {params.source} --datasets {input.datasets:q}"
        " --trained-on {input.trained_on:q} --threads {threads}"
        " --predictions {output.predictions:q} --pdfs {output.pdfs:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule score_study:
    """Score all runs of a study on the same galaxies, with intervals. Wildcards: study."""
    input:
        predictions=lambda wildcards: LADDER.predictions_of(wildcards.study),
        datasets=lambda wildcards: LADDER.tests_in(wildcards.study),
        oracles=lambda wildcards: LADDER.oracles_of(wildcards.study),
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
        runtime=lambda wildcards, attempt: 60 * min(attempt, 3),
    params:
        predictions=lambda wildcards, input: option("--predictions", input.predictions),
        oracles=lambda wildcards, input: option("--oracles", input.get("oracles")),
        settings=lambda wildcards: LADDER.scoring(wildcards.study),
        code=CODE["score_study"],
    message:
        "Scoring the study {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/score_study.py {params.predictions} {params.oracles}'
        " --datasets {input.datasets:q}"
        " --settings {params.settings:q} --scores {output.scores:q}"
        " --differences {output.differences:q} --curves {output.curves:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule measure_collapse:
    """Measure mode collapse and residual slope of all runs of a study. Wildcards: study."""
    input:
        predictions=lambda wildcards: LADDER.predictions_of(wildcards.study),
        datasets=lambda wildcards: LADDER.tests_in(wildcards.study),
    output:
        collapse="<results>/metrics/{study}/collapse.parquet",
        sidecar="<results>/metrics/{study}/collapse.json",
    log:
        "<logs>/measure_collapse/{study}.log",
    benchmark:
        "<benchmarks>/measure_collapse/{study}.tsv"
    wildcard_constraints:
        study=names_pattern(LADDER.collapsing_studies()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        predictions=lambda wildcards, input: option("--predictions", input.predictions),
        settings=lambda wildcards: LADDER.collapse(wildcards.study),
        code=CODE["measure_collapse"],
    message:
        "Measuring mode collapse in the study {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/measure_collapse.py {params.predictions}'
        " --datasets {input.datasets:q}"
        " --settings {params.settings:q} --collapse {output.collapse:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule measure_drift:
    """Measure how far dust moves galaxies in a study's encoders. Wildcards: study."""
    input:
        features=lambda wildcards: LADDER.encoder_features(wildcards.study),
        dataset=lambda wildcards: LADDER.embedded_dataset(wildcards.study),
    output:
        drift="<results>/metrics/{study}/drift.parquet",
        galaxies="<results>/metrics/{study}/drift_galaxies.parquet",
        sidecar="<results>/metrics/{study}/drift.json",
    log:
        "<logs>/measure_drift/{study}.log",
    benchmark:
        "<benchmarks>/measure_drift/{study}.tsv"
    wildcard_constraints:
        study=names_pattern(LADDER.encoding_studies()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        features=lambda wildcards, input: option("--features", input.features),
        settings=lambda wildcards: LADDER.drifting(wildcards.study),
        code=CODE["measure_drift"],
    message:
        "Measuring the drift with dust in the study {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/measure_drift.py {params.features}'
        " --dataset {input.dataset:q} --settings {params.settings:q} --drift {output.drift:q}"
        " --galaxies {output.galaxies:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule measure_realism:
    """Hold the samples of the mock sky beside numbers that were measured on the real one."""
    input:
        samples=collect("<results>/samples/{sample}.parquet", sample=LADDER.realism_samples()),
    output:
        realism="<results>/metrics/realism.parquet",
        sidecar="<results>/metrics/realism.json",
    log:
        "<logs>/measure_realism.log",
    benchmark:
        "<benchmarks>/measure_realism.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=30,
    params:
        names=lambda wildcards: LADDER.realism_samples(),
        references=lambda wildcards: LADDER.realism(),
        code=CODE["measure_realism"],
    message:
        "Measuring how real the mock sky looks"
    shell:
        'python "$ZLADDER_SCRIPTS"/measure_realism.py --samples {input.samples:q}'
        " --names {params.names:q} --references {params.references:q}"
        " --realism {output.realism:q} --sidecar {output.sidecar:q} --log {log:q}"
        " --code-digest {params.code}"


rule compare_labels:
    """Compare the mock sky's many-band labels with the truth, with and without shared noise."""
    input:
        catalogue="<results>/survey/cosmos.fits",
        photometry="<results>/survey/hsc.csv",
        other_noise="<results>/survey/cosmos_other_noise.parquet",
        truth="<results>/survey/truth.parquet",
    output:
        labels="<results>/metrics/labels.parquet",
        sidecar="<results>/metrics/labels.json",
    log:
        "<logs>/compare_labels.log",
    benchmark:
        "<benchmarks>/compare_labels.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.comparing_labels(),
        code=CODE["compare_labels"],
    message:
        "Comparing the many-band labels with the truth"
    shell:
        'python "$ZLADDER_SCRIPTS"/compare_labels.py --catalogue {input.catalogue:q}'
        " --photometry {input.photometry:q}"
        " --other-noise {input.other_noise:q} --truth {input.truth:q}"
        " --settings {params.settings:q} --labels {output.labels:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule judge_claims:
    """Hold a study's results beside the published claims. Wildcards: study."""
    input:
        predictions=lambda wildcards: LADDER.predictions_of(wildcards.study),
        datasets=lambda wildcards: LADDER.tests_in(wildcards.study),
        drifts=lambda wildcards: LADDER.drifts_of(wildcards.study),
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
        runtime=lambda wildcards, attempt: 30 * min(attempt, 3),
    params:
        predictions=lambda wildcards, input: option("--predictions", input.predictions),
        drifts=lambda wildcards, input: option("--drifts", input.get("drifts")),
        settings=lambda wildcards: LADDER.claims(wildcards.study),
        code=CODE["judge_claims"],
    message:
        "Judging the claims on {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/judge_claims.py {params.predictions} {params.drifts}'
        " --datasets {input.datasets:q}"
        " --settings {params.settings:q} --claims {output.claims:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
