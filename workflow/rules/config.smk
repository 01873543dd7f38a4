# The config with all defaults filled in -> config.json, which reporting reads.


rule write_config:
    output:
        "<results>/config.json",
    log:
        "<logs>/config.log",
    params:
        config=json.dumps(CONFIG.resolved(), indent=1),
    message:
        "Writing the resolved config"
    shell:
        "printf '%s\\n' {params.config:q} > {output:q} 2> {log:q}"
