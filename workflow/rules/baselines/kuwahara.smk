# A method in another language: the Kuwahara filter by ImageMagick (apt install imagemagick). Whatever can read the noisy
# stack and write the denoised one, with its index beside it, can stand here.


rule denoise_kuwahara:
    input:
        noisy="<results>/noisy/{dataset}/{noise}/test.npy",
        noisy_index="<results>/noisy/{dataset}/{noise}/test.csv",
        script=workflow.source_path("kuwahara.sh"),
    output:
        stack=DENOISED("<results>/denoised/{dataset}/{noise}/kuwahara.npy"),
        index="<results>/denoised/{dataset}/{noise}/kuwahara.csv",
    log:
        "<logs>/denoise/{dataset}/{noise}/kuwahara.log",
    benchmark:
        "<benchmarks>/denoise/{dataset}/{noise}/kuwahara.tsv"
    conda:
        "kuwahara.yaml"
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        radius=1,
    message:
        "Denoising {wildcards.noise} of {wildcards.dataset} with kuwahara"
    shell:
        "bash {input.script:q} {input.noisy:q} {output.stack:q} {params.radius} > {log:q} 2>&1"
