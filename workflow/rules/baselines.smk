# Noisy test stack -> denoised stack: one rule for each method of the registry, named after it. A method in another language
# is a rule file in baselines/, with the same output path and its own name in the place of {method}.


def weights_of(method):
    """The weight file of a method, where the workflow trains it."""
    if BASELINES[method].weights == "fpl":
        return {"weights": "<results>/models/{dataset}/{noise}/fpl.safetensors"}
    if BASELINES[method].weights == "drunet" and CONFIG.drunet is not None:
        return {"weights": "<results>/models/{dataset}/drunet.safetensors"}
    return {}


def weights_argument(method):
    """The weight file as the command line takes it: trained here, or named in the config."""
    given = CONFIG.methods[method].get("weights")

    def argument(wildcards, input):
        path = input.get("weights", given)
        return f"--weights {path}" if path else ""

    return argument


for method in CONFIG.methods:

    rule:
        name:
            f"denoise_{method}"
        input:
            **weights_of(method),
            noisy="<results>/noisy/{dataset}/{noise}/test.npy",
        output:
            stack=DENOISED(f"<results>/denoised/{{dataset}}/{{noise}}/{method}.npy"),
            index=DENOISED(f"<results>/denoised/{{dataset}}/{{noise}}/{method}.csv"),
        log:
            f"<logs>/denoise/{{dataset}}/{{noise}}/{method}.log",
        benchmark:
            f"<benchmarks>/denoise/{{dataset}}/{{noise}}/{method}.tsv"
        resources:
            gpu=int(BASELINES[method].gpu),
            mem_mb=4000 if BASELINES[method].gpu else 1000,
        params:
            code=code("baselines"),
            method=method,
            options=as_json(CONFIG.method_options(method)),
            weights=weights_argument(method),
            device=device,
        message:
            "Denoising {wildcards.noise} of {wildcards.dataset} with {params.method}"
        shell:
            "fplbench denoise {params.method} {input.noisy:q} {output.stack:q} --options {params.options:q}"
            " {params.weights} --device {params.device} --threads {threads} > {log:q} 2>&1"
