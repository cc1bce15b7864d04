"""Stage 1, survey: skies that are simulated, or fetched from where they are published.

REQUIRED INPUTS: none.
OUTPUTS: <results>/survey/photometry.h5, what each filter sees of each spectrum;
<results>/survey/*, the native tables of the mock sky; <results>/survey/frames/*, its frames, with
an index of each shard; <results>/survey/cfhtls/* and <results>/survey/hsc/*, tiles and cutouts of
its deep part, with an index each; data/fetched/{survey}/{part} for surveys whose parts an archive has
(`snakemake fetch_sdss_mgs`); data/fetched/{survey}/frames/* for surveys whose frames an archive has,
with an index of each shard in <results>/survey/fetched/{survey}. What lies below ZLADDER_DATA needs no rule.
"""


rule tabulate_photometry:
    """Integrate the spectra of the mock sky through the filters of every instrument, once."""
    output:
        photometry="<results>/survey/photometry.h5",
        sidecar="<results>/survey/photometry.json",
    log:
        "<logs>/tabulate_photometry.log",
    benchmark:
        "<benchmarks>/tabulate_photometry.tsv"
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        settings=lambda wildcards: LADDER.tabulation(),
        code=CODE["tabulate_photometry"],
    message:
        "Tabulating what each filter sees of each spectrum"
    shell:
        'python "$ZLADDER_SCRIPTS"/tabulate_photometry.py --settings {params.settings:q}'
        " --photometry {output.photometry:q} --sidecar {output.sidecar:q} --log {log:q}"
        " --code-digest {params.code}"


rule simulate_sky:
    """Simulate the mock sky and write its catalogues in the native formats of real surveys."""
    input:
        photometry="<results>/survey/photometry.h5",
    output:
        hsc="<results>/survey/hsc.csv",
        galaxiesml="<results>/survey/galaxiesml.csv",
        cosmos="<results>/survey/cosmos.fits",
        cfhtls="<results>/survey/cfhtls.cat",
        sdss="<results>/survey/sdss.csv",
        sdss_deep="<results>/survey/sdss_deep.csv",
        scene="<results>/survey/scene.parquet",
        scene_cfhtls="<results>/survey/scene_cfhtls.parquet",
        scene_hsc="<results>/survey/scene_hsc.parquet",
        stamps_hsc="<results>/survey/stamps_hsc.parquet",
        selection="<results>/survey/selection.csv",
        truth="<results>/survey/truth.parquet",
        dust="<results>/survey/dust.parquet",
        selection_photoz="<results>/survey/selection_photoz.parquet",
        cosmos_other_noise="<results>/survey/cosmos_other_noise.parquet",
        sidecar="<results>/survey/sky.json",
    log:
        "<logs>/simulate_sky.log",
    benchmark:
        "<benchmarks>/simulate_sky.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 60 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.simulation(),
        code=CODE["simulate_sky"],
    message:
        "Simulating the mock sky"
    shell:
        'python "$ZLADDER_SCRIPTS"/simulate_sky.py --photometry {input.photometry:q}'
        " --settings {params.settings:q} --hsc {output.hsc:q}"
        " --galaxiesml {output.galaxiesml:q} --cosmos {output.cosmos:q} --cfhtls {output.cfhtls:q}"
        " --sdss {output.sdss:q} --sdss-deep {output.sdss_deep:q} --scene {output.scene:q}"
        " --scene-cfhtls {output.scene_cfhtls:q} --scene-hsc {output.scene_hsc:q}"
        " --stamps-hsc {output.stamps_hsc:q} --selection {output.selection:q} --truth {output.truth:q}"
        " --dust {output.dust:q} --selection-photoz {output.selection_photoz:q}"
        " --cosmos-other-noise {output.cosmos_other_noise:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule render_frames:
    """Paint one shard of the imaging fields, five FITS frames each. Wildcards: shard (number)."""
    input:
        scene="<results>/survey/scene.parquet",
    output:
        index="<results>/survey/frames/{shard}.parquet",
        sidecar="<results>/survey/frames/{shard}.json",
    log:
        "<logs>/render_frames/{shard}.log",
    benchmark:
        "<benchmarks>/render_frames/{shard}.tsv"
    wildcard_constraints:
        shard=r"\d+",
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 120 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.rendering(),
        n_shards=LADDER.settings["cutouts"]["n_shards"],
        code=CODE["render_frames"],
    message:
        "Rendering the frames of shard {wildcards.shard}"
    shell:
        'python "$ZLADDER_SCRIPTS"/render_frames.py --scene {input.scene:q}'
        " --settings {params.settings:q} --shard {wildcards.shard} --n-shards {params.n_shards}"
        " --threads {threads} --index {output.index:q} --sidecar {output.sidecar:q} --log {log:q}"
        " --code-digest {params.code}"


rule measure_frames:
    """Measure the fluxes of listed objects on the frames of one shard. Wildcards: shard (number)."""
    input:
        index="<results>/survey/frames/{shard}.parquet",
        catalogs=["<results>/survey/sdss.csv", "<results>/survey/sdss_deep.csv"],
    output:
        measured="<results>/survey/measured/{shard}.parquet",
        sidecar="<results>/survey/measured/{shard}.json",
    log:
        "<logs>/measure_frames/{shard}.log",
    benchmark:
        "<benchmarks>/measure_frames/{shard}.tsv"
    wildcard_constraints:
        shard=r"\d+",
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 120 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.measuring(),
        code=CODE["measure_frames"],
    message:
        "Measuring the frames of shard {wildcards.shard}"
    shell:
        'python "$ZLADDER_SCRIPTS"/measure_frames.py --index {input.index:q}'
        " --catalogs {input.catalogs:q} --settings {params.settings:q} --threads {threads}"
        " --measured {output.measured:q} --sidecar {output.sidecar:q} --log {log:q}"
        " --code-digest {params.code}"


rule merge_measured:
    """Put the magnitudes measured on the frames into the SDSS-like catalogue."""
    input:
        catalog="<results>/survey/sdss.csv",
        measured=[f"<results>/survey/measured/{shard}.parquet" for shard in LADDER.shards()],
    output:
        merged="<results>/survey/sdss_measured.csv",
        sidecar="<results>/survey/sdss_measured.json",
    log:
        "<logs>/merge_measured.log",
    benchmark:
        "<benchmarks>/merge_measured.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * min(attempt, 3),
        runtime=30,
    params:
        measured=lambda wildcards, input: option("--measured", input.measured),
        code=CODE["merge_measured"],
    message:
        "Merging what was measured on the frames"
    shell:
        'python "$ZLADDER_SCRIPTS"/merge_measured.py --catalog {input.catalog:q}'
        " {params.measured} --merged {output.merged:q} --sidecar {output.sidecar:q}"
        " --log {log:q} --code-digest {params.code}"


rule render_cfhtls:
    """Paint the CFHTLS-like tiles of the mock sky, a FITS image a layer and band."""
    input:
        scene="<results>/survey/scene_cfhtls.parquet",
    output:
        index="<results>/survey/cfhtls/index.parquet",
        sidecar="<results>/survey/cfhtls/index.json",
    log:
        "<logs>/render_cfhtls.log",
    benchmark:
        "<benchmarks>/render_cfhtls.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 120 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.tiling(),
        code=CODE["render_cfhtls"],
    message:
        "Rendering the CFHTLS-like tiles"
    shell:
        'python "$ZLADDER_SCRIPTS"/render_cfhtls.py --scene {input.scene:q}'
        " --settings {params.settings:q} --threads {threads} --index {output.index:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule render_hsc:
    """Paint the HSC-like cutouts of the mock sky: FITS files, and two HDF5 training sets."""
    input:
        scene="<results>/survey/scene_hsc.parquet",
        targets="<results>/survey/stamps_hsc.parquet",
    output:
        index="<results>/survey/hsc/index.parquet",
        specz="<results>/survey/hsc/galaxiesml.hdf5",
        photoz="<results>/survey/hsc/transferz.h5",
        sidecar="<results>/survey/hsc/index.json",
    log:
        "<logs>/render_hsc.log",
    benchmark:
        "<benchmarks>/render_hsc.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * min(attempt, 3),
        runtime=lambda wildcards, attempt: 120 * min(attempt, 3),
    params:
        settings=lambda wildcards: LADDER.stamping(),
        code=CODE["render_hsc"],
    message:
        "Rendering the HSC-like cutouts"
    shell:
        'python "$ZLADDER_SCRIPTS"/render_hsc.py --scene {input.scene:q} --targets {input.targets:q}'
        " --settings {params.settings:q} --threads {threads} --index {output.index:q}"
        " --specz {output.specz:q} --photoz {output.photoz:q}"
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule fetch_file:
    """Fetch one published file and check its SHA-256. Wildcards: fetched (survey/part)."""
    output:
        file="data/fetched/{fetched}",
        sidecar="data/fetched/{fetched}.json",
    log:
        "data/fetched/{fetched}.log",
    benchmark:
        "<benchmarks>/fetch_file/{fetched}.tsv"
    wildcard_constraints:
        fetched=names_pattern(LADDER.fetched_places("file")),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=1440,
    params:
        archive=lambda wildcards: LADDER.archive(wildcards.fetched),
        code=CODE["fetch_file"],
    message:
        "Fetching {wildcards.fetched}"
    shell:
        'python "$ZLADDER_SCRIPTS"/fetch_file.py --archive {params.archive:q}'
        ' --manners "$ZLADDER_FETCHING" --beside {output.file:q} --file {output.file:q}'
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule fetch_query:
    """Fetch the result of a query, in counted pages, as CSV. Wildcards: fetched (survey/part)."""
    output:
        file="data/fetched/{fetched}",
        sidecar="data/fetched/{fetched}.json",
    log:
        "data/fetched/{fetched}.log",
    benchmark:
        "<benchmarks>/fetch_query/{fetched}.tsv"
    wildcard_constraints:
        fetched=names_pattern(LADDER.fetched_places("sql")),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=1440,
    params:
        archive=lambda wildcards: LADDER.archive(wildcards.fetched),
        code=CODE["fetch_query"],
    message:
        "Querying for {wildcards.fetched}"
    shell:
        'python "$ZLADDER_SCRIPTS"/fetch_query.py --archive {params.archive:q}'
        ' --manners "$ZLADDER_FETCHING" --beside {output.file:q} --file {output.file:q}'
        " --sidecar {output.sidecar:q} --log {log:q} --code-digest {params.code}"


rule fetch_frames:
    """Fetch the frames of one shard of a survey's galaxies, all bands. Wildcards: survey, shard."""
    input:
        catalog="<results>/catalogs/{survey}.parquet",
    output:
        index="<results>/survey/fetched/{survey}/{shard}.parquet",
        sidecar="<results>/survey/fetched/{survey}/{shard}.json",
    log:
        "<logs>/fetch_frames/{survey}.{shard}.log",
    benchmark:
        "<benchmarks>/fetch_frames/{survey}.{shard}.tsv"
    wildcard_constraints:
        survey=names_pattern(LADDER.framed_surveys()),
        shard=r"\d+",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=1440,
    params:
        archive=lambda wildcards: LADDER.frames_archive(wildcards.survey),
        bands=lambda wildcards: LADDER.bands(wildcards.survey),
        n_shards=LADDER.settings["cutouts"]["n_shards"],
        reach=lambda wildcards: option("--reach-rows", LADDER.reach_rows(wildcards.survey)),
        frames=lambda wildcards: LADDER.fetched_frames(wildcards.survey),
        code=CODE["fetch_frames"],
    message:
        "Fetching the frames of {wildcards.survey}, shard {wildcards.shard}"
    shell:
        'python "$ZLADDER_SCRIPTS"/fetch_frames.py --catalog {input.catalog:q}'
        ' --archive {params.archive:q} --manners "$ZLADDER_FETCHING" --bands {params.bands:q}'
        " --shard {wildcards.shard} --n-shards {params.n_shards} {params.reach}"
        " --frames {params.frames:q} --index {output.index:q} --sidecar {output.sidecar:q} --log {log:q}"
        " --code-digest {params.code}"


for survey_name, survey_targets in LADDER.fetch_targets().items():

    rule:
        name:
            f"fetch_{survey_name}"
        input:
            survey_targets,
        localrule: True
