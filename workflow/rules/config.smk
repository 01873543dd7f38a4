# The config with all defaults filled in -> config.json, which reporting reads.
#
# When the config has changed, onstart refreshes the file before any job runs. It does not go through this rule: Snakemake
# would then not look any further at the parameters of the rules that read the file, which say which of them to run again.


rule write_config:
    output:
        "<results>/config.json",
    log:
        "<logs>/config.log",
    params:
        config=lambda wildcards, output: RESOLVED_CONFIG,
    message:
        "Writing the resolved config"
    shell:
        "printf '%s' {params.config:q} > {output:q} 2> {log:q}"
