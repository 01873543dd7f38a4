# The variants of the ablation: their explanations, and the files of their runs.

ABLATION = CONFIG.ablation
VARIANTS = CONFIG.ablation_variants()
ABLATION_CONTROLS = [name for name in ABLATION.always if name in VARIANTS]
# The folder of the images that variants are scored on; with several draws of the noise they are repeated.
DRAWN = "<results>/ablation/draws" if ABLATION.draws > 1 else "<results>"
ABLATION_NOISE = ABLATION.noises[0] if ABLATION.noises else ""  # that of the figure of feature maps
DRAWN_SPLITS = "(inserted_)?(validation|test)"
ABLATION_CONTROL = SAME_SECONDS if SAME_SECONDS in VARIANTS else SAME_STEPS
ABLATION_CELLS = {"dataset": ABLATION.datasets, "noise": ABLATION.noises}
SCREENED_CELLS = {"dataset": ABLATION.datasets, "noise": ABLATION.screened_on or ABLATION.noises}
EXPLANATIONS |= {variant.explanation_name: variant.explanation for variant in VARIANTS.values() if variant.explanation}
ALIGNED = {
    variant.explanation_name: variant.explanation
    for variant in VARIANTS.values()
    if variant.compares and ExplanationOptions(**variant.explanation).has_gradient
}
ABLATION_FEATURES = "<results>/ablation/features/{dataset}/{explanation}/train.npy"
# Whose maps are compared between clean, noisy and denoised images: guided back-propagation, and what else could be meant.
COMPARED = {
    "guided": {"activation": "relu"},
    "guided_lesion": LESION_EXPLANATION,
    **{name: {"feature": name} for name in ("gradient", "grad_cam", "smoothgrad", "integrated_gradients")},
}
JOINED_INPUTS = {
    "clean": "<results>/data/{dataset}/joined_train.npy",
    "noisy": "<results>/noisy/{dataset}/{noise}/joined_train.npy",
    "validation_clean": "<results>/data/{dataset}/joined_validation.npy",
    "validation_noisy": "<results>/noisy/{dataset}/{noise}/joined_validation.npy",
}


def network_of(explanation):
    """The weight file of the network that an explanation is of; none where it needs none."""
    options = ExplanationOptions(**EXPLANATIONS[explanation])
    return [f"<results>/models/{{dataset}}/{options.network}.safetensors"] if options.needs_network else []


def networks_by_role(wildcards, input):
    """Explained networks as the command line takes them."""
    return [f"--network={Path(path).stem}={path}" for path in input.networks]


def explained_by(wildcards):
    """The network that a variant explains in training: a weight needs none, as it is made before."""
    variant = VARIANTS[wildcards.variant]
    return network_of(variant.explanation_name) if variant.explanation else []


def features_of(wildcards):
    """The feature maps that a variant is trained with."""
    name = VARIANTS[wildcards.variant].explanation_name
    return expand(ABLATION_FEATURES, explanation=name, allow_missing=True) if name else []


def chosen_for(stage):
    """The file that says which variants are trained for a stage; none where all are."""
    if stage != "screening" and ABLATION.keep is not None:
        return [checkpoints.screen_variants.get().output[0]]
    return [checkpoints.align_variants.get().output[0]] if ABLATION.least_cosine is not None else []


def variants_of(stage, noise):
    """The variants that are trained for a stage; where none are screened, without the control that the other one replaces."""
    chosen = list(VARIANTS)
    for path in chosen_for(stage):
        with open(path) as file:
            chosen = json.load(file)["variants"]
    return [name for name in chosen if name != SAME_STEPS or noise in SCREENED_CELLS["noise"] or ABLATION_CONTROL == SAME_STEPS]


def runs_of_stage(stage, noise):
    """Variants with their seeds, as files are named: the first seed alone for the screening."""
    seeds = ABLATION.seeds[:1] if stage == "screening" else ABLATION.seeds
    return [f"{variant}-{seed}" for variant in variants_of(stage, noise) for seed in seeds]


def images_of(stage):
    """The images that a stage is scored on."""
    return "test" if stage == "test" else "validation"


def scored_clean(split):
    """The clean images that `split` names for a stage, with their index and lesions."""
    path = f"{DRAWN}/data/{{{{dataset}}}}/{{name}}{{kind}}"
    return lambda wildcards: expand(path, name=split_of(split, wildcards), kind=LESION_KINDS)


def scored_noisy(split):
    """The noisy images that `split` names for a stage."""
    path = f"{DRAWN}/noisy/{{{{dataset}}}}/{{{{noise}}}}/{{name}}.npy"
    return lambda wildcards: expand(path, name=split_of(split, wildcards))


def split_of(split, wildcards):
    """The name of the stack that `split` is for a stage; none of inserted lesions where the data set has none."""
    missing = split.startswith("inserted") and wildcards.dataset not in CONFIG.inserted.datasets
    return [] if missing else [split.format(images=images_of(wildcards.get("stage", "test")))]


def weights_of_stage(wildcards):
    """The weight files of a stage."""
    stage = wildcards.get("stage", "test")
    return expand(
        "<results>/ablation/models/{dataset}/{noise}/{run}.safetensors",
        run=runs_of_stage(stage, wildcards.noise),
        allow_missing=True,
    )


def runs_as_methods(wildcards, input):
    """The denoisers of a stage as methods of the command line, by run."""
    return as_json({Path(path).stem: {"method": "fpl", "weights": path} for path in input.weights})


def ablation_tables(kind, stages=("validation", "test"), datasets=ABLATION.datasets):
    """The tables of scores of the stages."""
    path = "<results>/ablation/{stage}/{kind}/{dataset}/{noise}.csv"
    return expand(path, stage=stages, kind=kind, dataset=datasets, noise=ABLATION.noises)
