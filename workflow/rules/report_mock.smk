"""Stage 8, report: the mock sky, and how it stands beside the real one. Nothing on a real sky.

REQUIRED INPUTS: the truth, the dust and the frames of the simulated sky (stage survey); samples; an
image dataset with its stamps; the oracle's predictions of each study that has them.
OUTPUTS: <results>/report/mock_sky.*, {study}.oracle.png, shown by Snakemake's report, and
{study}.pit.parquet.
"""

THE_MOCK_SKY = "The mock sky"


rule plot_mock_sky:
    """Draw samples beside the real ones, colours by type and the dust of the mock sky."""
    input:
        truth="<results>/survey/truth.parquet",
        dust="<results>/survey/dust.parquet",
        samples=collect("<results>/samples/{sample}.parquet", sample=LADDER.held_samples()),
    output:
        compared="<results>/report/mock_sky.quantiles.parquet",
        samples=report(
            "<results>/report/mock_sky.samples.png",
            caption="../report/mock_samples.rst",
            category=THE_MOCK_SKY,
            labels={"page": "Samples beside the real ones"},
        ),
        tracks=report(
            "<results>/report/mock_sky.tracks.png",
            caption="../report/mock_tracks.rst",
            category=THE_MOCK_SKY,
            labels={"page": "Colours by type"},
        ),
        dust=report(
            "<results>/report/mock_sky.dust.png",
            caption="../report/mock_dust.rst",
            category=THE_MOCK_SKY,
            labels={"page": "Dust"},
        ),
        sidecar="<results>/report/mock_sky.samples.json",
    log:
        "<logs>/plot_mock_sky.log",
    benchmark:
        "<benchmarks>/plot_mock_sky.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        quantiles=lambda wildcards: LADDER.quantiles(),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_mock_sky"],
    message:
        "Drawing the mock sky"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_mock_sky.py --truth {input.truth:q} --dust {input.dust:q}'
        " --samples {input.samples:q} --quantiles {params.quantiles:q} --dpi {params.dpi}"
        " --compared {output.compared:q} --samples-figure {output.samples:q}"
        " --tracks {output.tracks:q} --dust-figure {output.dust:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule plot_frames:
    """Measure noise, PSF and depth of some frames back, and draw them beside what was put in."""
    input:
        index=LADDER.frame_indices(),
        truth="<results>/survey/truth.parquet",
    output:
        measured="<results>/report/mock_sky.frames.parquet",
        figure=report(
            "<results>/report/mock_sky.frames.png",
            caption="../report/mock_frames.rst",
            category=THE_MOCK_SKY,
            labels={"page": "Frames, measured back"},
        ),
        sidecar="<results>/report/mock_sky.frames.json",
    log:
        "<logs>/plot_frames.log",
    benchmark:
        "<benchmarks>/plot_frames.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        index=lambda wildcards, input: option("--index", input.index),
        settings=lambda wildcards: LADDER.about_frames(),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_frames"],
    message:
        "Measuring frames back"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_frames.py {params.index} --truth {input.truth:q}'
        " --settings {params.settings:q} --dpi {params.dpi} --measured {output.measured:q}"
        " --figure {output.figure:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule plot_types:
    """Draw galaxies of the mock sky in colour, by their true type and redshift."""
    input:
        dataset=collect("<results>/datasets/{dataset}.parquet", dataset=LADDER.typed_dataset()),
        stamps=LADDER.typed_stamps(),
        truth="<results>/survey/truth.parquet",
    output:
        figure=report(
            "<results>/report/mock_sky.wall.png",
            caption="../report/mock_wall.rst",
            category=THE_MOCK_SKY,
            labels={"page": "Galaxies by type and redshift"},
        ),
        sidecar="<results>/report/mock_sky.wall.json",
    log:
        "<logs>/plot_types.log",
    benchmark:
        "<benchmarks>/plot_types.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        stamps=lambda wildcards, input: option("--stamps", input.stamps),
        settings=lambda wildcards: LADDER.about_types(),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_types"],
    message:
        "Hanging the galaxies of the mock sky by type"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_types.py --dataset {input.dataset:q} {params.stamps}'
        " --truth {input.truth:q} --settings {params.settings:q} --dpi {params.dpi}"
        " --figure {output.figure:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule plot_oracle:
    """Draw a study's oracle against the true redshift, and its PIT. Wildcards: study."""
    input:
        predictions="<results>/predictions/{study}.oracle-s0.parquet",
        pdfs="<results>/predictions/{study}.oracle-s0.pdf.h5",
        truth="<results>/survey/truth.parquet",
    output:
        figure=report(
            "<results>/report/{study}.oracle.png",
            caption="../report/mock_oracle.rst",
            category=THE_MOCK_SKY,
            labels={"page": "The oracle of {study}"},
        ),
        calibration="<results>/report/{study}.pit.parquet",
        sidecar="<results>/report/{study}.oracle.json",
    log:
        "<logs>/plot_oracle/{study}.log",
    benchmark:
        "<benchmarks>/plot_oracle/{study}.tsv"
    wildcard_constraints:
        study=names_pattern(LADDER.oracle_studies()),
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 15 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.about_study(wildcards.study, "title", "convention"),
        dpi=LADDER.settings["report"]["figure_dpi"],
        code=CODE["plot_oracle"],
    message:
        "Drawing the oracle of {wildcards.study}"
    shell:
        'python "$ZLADDER_SCRIPTS"/plot_oracle.py --predictions {input.predictions:q}'
        " --pdfs {input.pdfs:q} --truth {input.truth:q} --settings {params.settings:q}"
        " --dpi {params.dpi} --figure {output.figure:q} --calibration {output.calibration:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule write_mock_sky:
    """Write the page of the mock sky: its figures, its numbers beside published ones."""
    input:
        figures=LADDER.mock_figures(),
        tables=LADDER.mock_tables(),
    output:
        page=report(
            "<results>/report/mock_sky.html",
            caption="../report/mock_sky.rst",
            category=THE_MOCK_SKY,
            labels={"page": "▸ The mock sky"},
        ),
        sidecar="<results>/report/mock_sky.json",
    log:
        "<logs>/write_mock_sky.log",
    benchmark:
        "<benchmarks>/write_mock_sky.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=15,
    params:
        settings=lambda wildcards: LADDER.about_mock_sky(),
        code=CODE["write_mock_sky"],
    message:
        "Writing the page of the mock sky"
    shell:
        'python "$ZLADDER_SCRIPTS"/write_mock_sky.py --figures {input.figures:q} --tables {input.tables:q}'
        " --settings {params.settings:q} --page {output.page:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"
