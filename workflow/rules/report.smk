"""Stage 8, report: figures of what was found. The pages stand in report_pages.smk.

REQUIRED INPUTS: the predictions and metrics of each study (stage evaluate); samples; for galaxies
in colour the stamps of each image dataset (stage cutouts), for maps the encoders' features.
OUTPUTS: <results>/report/*.png, all shown by Snakemake's report (`make report`).
"""


rule plot_redshifts:
    """Draw z_phot against z_true for the methods of a study. Wildcards: study."""
    input:
        predictions=lambda wildcards: LADDER.predictions_of(wildcards.study),
        scores="<results>/metrics/{study}/scores.parquet",
        differences="<results>/metrics/{study}/differences.parquet",
    output:
        planes=report(
            "<results>/report/{study}.planes.png",
            caption="../report/planes.rst",
            category=lambda wildcards: LADDER.title_of(wildcards.study),
            labels={"page": "Redshift planes"},
        ),
        front="<results>/report/{study}.front.png",
        sidecar="<results>/report/{study}.planes.json",
    log:
        "<logs>/plot_redshifts/{study}.log",
    benchmark:
        "<benchmarks>/plot_redshifts/{study}.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        predictions=lambda wildcards, input: option("--predictions", input.predictions),
        settings=lambda wildcards: LADDER.about_study(wildcards.study, "title", "convention"),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_redshifts"],
    message:
        "Drawing the redshift planes of {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_redshifts.py {params.predictions}'
        " --scores {input.scores:q} --differences {input.differences:q}"
        " --settings {params.settings:q} --dpi {params.dpi} --planes {output.planes:q}"
        " --front {output.front:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule plot_residuals:
    """Draw the mean residuals of a study against z_true and z_phot. Wildcards: study."""
    input:
        curves="<results>/metrics/{study}/curves.parquet",
        scores="<results>/metrics/{study}/scores.parquet",
        differences="<results>/metrics/{study}/differences.parquet",
    output:
        figure=report(
            "<results>/report/{study}.residuals.png",
            caption="../report/residuals.rst",
            category=lambda wildcards: LADDER.title_of(wildcards.study),
            labels={"page": "Residual curves"},
        ),
        sidecar="<results>/report/{study}.residuals.json",
    log:
        "<logs>/plot_residuals/{study}.log",
    benchmark:
        "<benchmarks>/plot_residuals/{study}.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.about_study(wildcards.study, "title"),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_residuals"],
    message:
        "Drawing the residuals of {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_residuals.py --curves {input.curves:q} --scores {input.scores:q}'
        " --differences {input.differences:q} --settings {params.settings:q} --dpi {params.dpi}"
        " --figure {output.figure:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule plot_scores:
    """Draw every method of a study as a dot with its intervals. Wildcards: study."""
    input:
        scores="<results>/metrics/{study}/scores.parquet",
        differences="<results>/metrics/{study}/differences.parquet",
    output:
        figure=report(
            "<results>/report/{study}.intervals.png",
            caption="../report/intervals.rst",
            category=lambda wildcards: LADDER.title_of(wildcards.study),
            labels={"page": "Numbers at a glance"},
        ),
        sidecar="<results>/report/{study}.intervals.json",
    log:
        "<logs>/plot_scores/{study}.log",
    benchmark:
        "<benchmarks>/plot_scores/{study}.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.about_study(wildcards.study, "title", "convention"),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_scores"],
    message:
        "Drawing the scores of {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_scores.py --scores {input.scores:q}'
        " --differences {input.differences:q}"
        " --settings {params.settings:q} --dpi {params.dpi} --figure {output.figure:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule plot_sample:
    """Draw the redshifts, magnitudes and colours of a sample. Wildcards: sample."""
    input:
        sample="<results>/samples/{sample}.parquet",
    output:
        figure=report(
            "<results>/report/{sample}.sample.png",
            caption="../report/sample.rst",
            category="Samples",
            labels={"page": "{sample}"},
        ),
        sidecar="<results>/report/{sample}.sample.json",
    log:
        "<logs>/plot_sample/{sample}.log",
    benchmark:
        "<benchmarks>/plot_sample/{sample}.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.about_sample(wildcards.sample),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_sample"],
    message:
        "Drawing the sample {wildcards.sample}"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_sample.py --sample {input.sample:q} --settings {params.settings:q}'
        " --dpi {params.dpi} --figure {output.figure:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule plot_match:
    """Draw what the match behind a sample is worth. Wildcards: sample."""
    input:
        quality="<results>/catalogs/match/{sample}.quality.json",
    output:
        figure=report(
            "<results>/report/{sample}.match.png",
            caption="../report/match.rst",
            category="Samples",
            labels={"page": "{sample}, cross-match"},
        ),
        sidecar="<results>/report/{sample}.match.json",
    log:
        "<logs>/plot_match/{sample}.log",
    benchmark:
        "<benchmarks>/plot_match/{sample}.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.about_match(wildcards.sample),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_match"],
    message:
        "Drawing the match of {wildcards.sample}"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_match.py --quality {input.quality:q}'
        " --settings {params.settings:q} --dpi {params.dpi} --figure {output.figure:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule plot_wall:
    """Draw the galaxies of an image dataset in colour. Wildcards: dataset."""
    input:
        dataset="<results>/datasets/{dataset}.parquet",
        stamps=lambda wildcards: LADDER.stamps_of(wildcards.dataset),
    output:
        figure=report(
            "<results>/report/{dataset}.wall.png",
            caption="../report/wall.rst",
            category="Samples",
            labels={"page": "{dataset} in colour"},
        ),
        sidecar="<results>/report/{dataset}.wall.json",
    log:
        "<logs>/plot_wall/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_wall/{dataset}.tsv"
    wildcard_constraints:
        dataset=names_pattern(LADDER.image_datasets()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        stamps=lambda wildcards, input: option("--stamps", input.stamps),
        settings=lambda wildcards: LADDER.about_images(wildcards.dataset),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_wall"],
    message:
        "Hanging the galaxies of {wildcards.dataset}"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_wall.py --dataset {input.dataset:q} {params.stamps}'
        " --settings {params.settings:q} --dpi {params.dpi} --figure {output.figure:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule plot_labels:
    """Draw the error against the number of labels. Wildcards: study."""
    input:
        scores="<results>/metrics/{study}/scores.parquet",
        differences="<results>/metrics/{study}/differences.parquet",
        dataset=lambda wildcards: LADDER.ladder_dataset(wildcards.study),
    output:
        figure=report(
            "<results>/report/{study}.labels.png",
            caption="../report/labels.rst",
            category=lambda wildcards: LADDER.title_of(wildcards.study),
            labels={"page": "Label efficiency"},
        ),
        sidecar="<results>/report/{study}.labels.json",
    log:
        "<logs>/plot_labels/{study}.log",
    benchmark:
        "<benchmarks>/plot_labels/{study}.tsv"
    wildcard_constraints:
        study=names_pattern(LADDER.studies_on_ladder()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.about_ladder(wildcards.study),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_labels"],
    message:
        "Drawing the label efficiency of {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_labels.py --scores {input.scores:q} --differences {input.differences:q}'
        " --dataset {input.dataset:q}"
        " --settings {params.settings:q} --dpi {params.dpi} --figure {output.figure:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule plot_collapse:
    """Draw mode collapse against class-dependent residuals. Wildcards: study."""
    input:
        collapse="<results>/metrics/{study}/collapse.parquet",
        predictions=lambda wildcards: LADDER.predictions_of(wildcards.study),
        scores="<results>/metrics/{study}/scores.parquet",
        differences="<results>/metrics/{study}/differences.parquet",
    output:
        figure=report(
            "<results>/report/{study}.collapse.png",
            caption="../report/collapse.rst",
            category=lambda wildcards: LADDER.title_of(wildcards.study),
            labels={"page": "Mode collapse"},
        ),
        sidecar="<results>/report/{study}.collapse.json",
    log:
        "<logs>/plot_collapse/{study}.log",
    benchmark:
        "<benchmarks>/plot_collapse/{study}.tsv"
    wildcard_constraints:
        study=names_pattern(LADDER.collapsing_studies()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        predictions=lambda wildcards, input: option("--predictions", input.predictions),
        settings=lambda wildcards: LADDER.about_study(wildcards.study, "title"),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_collapse"],
    message:
        "Drawing the collapse of {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_collapse.py --collapse {input.collapse:q}'
        " {params.predictions} --scores {input.scores:q}"
        " --differences {input.differences:q}"
        " --settings {params.settings:q} --dpi {params.dpi} --figure {output.figure:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule plot_embeddings:
    """Draw what the encoders of a study see. Wildcards: study."""
    input:
        features=lambda wildcards: LADDER.encoder_features(wildcards.study),
        drift="<results>/metrics/{study}/drift.parquet",
        dataset=lambda wildcards: LADDER.embedded_dataset(wildcards.study),
        stamps=lambda wildcards: LADDER.embedded_stamps(wildcards.study),
    output:
        maps=report(
            "<results>/report/{study}.embeddings.png",
            caption="../report/embeddings.rst",
            category=lambda wildcards: LADDER.title_of(wildcards.study),
            labels={"page": "What the encoders see"},
        ),
        galaxies=report(
            "<results>/report/{study}.stamps.png",
            caption="../report/stamps.rst",
            category=lambda wildcards: LADDER.title_of(wildcards.study),
            labels={"page": "Galaxies in a map"},
        ),
        sidecar="<results>/report/{study}.embeddings.json",
    log:
        "<logs>/plot_embeddings/{study}.log",
    benchmark:
        "<benchmarks>/plot_embeddings/{study}.tsv"
    wildcard_constraints:
        study=names_pattern(LADDER.encoding_studies()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        features=lambda wildcards, input: option("--features", input.features),
        stamps=lambda wildcards, input: option("--stamps", input.stamps),
        settings=lambda wildcards: LADDER.about_maps(wildcards.study),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_embeddings"],
    message:
        "Drawing the maps of {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_embeddings.py {params.features}'
        " --drift {input.drift:q} --dataset {input.dataset:q} {params.stamps}"
        " --settings {params.settings:q} --dpi {params.dpi} --maps {output.maps:q}"
        " --galaxies {output.galaxies:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
