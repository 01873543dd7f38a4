# Clean and denoised stack -> one row an image; all rows -> scores.csv.


rule score:
    input:
        clean="<results>/data/{dataset}/test.npy",
        denoised="<results>/denoised/{dataset}/{noise}/{method}.npy",
        code=code("scoring.py"),
    output:
        "<results>/scores/{dataset}/{noise}/{method}.csv",
    log:
        "<logs>/score/{dataset}/{noise}/{method}.log",
    benchmark:
        "<benchmarks>/score/{dataset}/{noise}/{method}.tsv"
    resources:
        mem_mb=1000,
    message:
        "Scoring {wildcards.method} on {wildcards.noise} of {wildcards.dataset}"
    shell:
        "fplbench score {input.clean:q} {input.denoised:q} {output:q} > {log:q} 2>&1"


rule collate_dataset:
    input:
        scores=expand("<results>/scores/{{dataset}}/{noise}/{method}.csv", noise=CONFIG.noises, method=CONFIG.methods),
        code=code("reporting/scores.py"),
    output:
        "<results>/scores/{dataset}.csv",
    log:
        "<logs>/collate/{dataset}.log",
    benchmark:
        "<benchmarks>/collate/{dataset}.tsv"
    resources:
        mem_mb=1000,
    message:
        "Collating the scores of {wildcards.dataset}"
    shell:
        "fplbench collate {output:q} {input.scores:q} > {log:q} 2>&1"
