import pytest

from fplbench import DEFAULT_SEED
from fplbench.config import load_config
from fplbench.reporting.captions import (
    figure_captions,
    figure_methods,
    labels_of,
    noise_levels,
    presentation,
    sheet_captions,
)
from fplbench.reporting.labels import Labels
from fplbench.reporting.sentences import sentences

FILTERS = {"datasets": ["lidc", "lits"], "noises": ["poisson"], "methods": ["noisy", "wiener", "nlm"], "feature_error": []}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("One.", "Two"), "One. Two."),
        (("Noise: Gauss.", ""), "Noise: Gauss."),
        (("", "  ", "Is it? ", " Yes!"), "Is it? Yes!"),
        (("(In brackets.)", 'He said "no."', "Not (here)"), '(In brackets.) He said "no." Not (here).'),
        ((), ""),
    ],
)
def test_every_sentence_ends_in_one_full_stop(parts, expected):
    assert sentences(*parts) == expected


def test_a_run_of_filters_has_no_figures_of_networks():
    assert figure_captions(load_config(FILTERS)) == {
        "noises": "One test image of LIDC with every noise.",
        "heat_map": "By how much each method raises the mean PSNR of the unprocessed images, for each noise and data set.",
        "ranks": "How often each method has which rank, by PSNR and by SSIM, and how many rows it wins.",
        "cost": "Mean PSNR over all noises, and the median time that a method takes for one image.",
        "lidc": "LIDC: one test image with Poisson Noise.",
        "lits": "LiTS: one test image with Poisson Noise.",
        "lidc_lesions": "LIDC: the largest annotated lesions in the test images, with Poisson Noise.",
        "lidc_recovery": "LIDC: contrast recovery of lesions; 1 is right, below 1 they fade.",
        "lidc_paper": "LIDC: published values and those of this run; the wrapped PSNR is for this comparison only.",
        "lits_lesions": "LiTS: the largest annotated lesions in the test images, with Poisson Noise.",
        "lits_recovery": "LiTS: contrast recovery of lesions; 1 is right, below 1 they fade.",
        "lits_paper": "LiTS: published values and those of this run; the wrapped PSNR is for this comparison only.",
    }


def test_inserted_lesions_have_a_figure_where_ct_images_have_them_with_the_noise_of_the_figures():
    config = {"datasets": ["lidc", "rsna"], "noises": ["gaussian", "poisson"], "methods": ["noisy", "nlm"], "feature_error": []}
    inserted = figure_captions(load_config({**config, "inserted": {"noises": ["gaussian"]}}))
    assert inserted["lidc_inserted"] == "LIDC: inserted lesions, with Gaussian Noise." and "rsna_inserted" not in inserted
    assert "lidc_inserted" not in figure_captions(load_config({**config, "inserted": {"noises": ["poisson"]}}))


def test_a_run_that_trains_fpl_has_figures_of_its_training_and_features():
    config = load_config(
        {"datasets": ["rsna"], "noises": ["poisson", "rician"], "methods": ["fpl"], "figures": {"noise": "rician"}}
    )
    assert figure_captions(config) == {
        "noises": "One test image of RSNA with every noise.",
        "heat_map": "Mean PSNR of each method, for each noise and data set.",
        "ranks": "How often each method has which rank, by PSNR and by SSIM, and how many rows it wins.",
        "cost": "Mean PSNR over all noises, and the median time that a method takes for one image.",
        "training": "Training of the FPL denoisers on Rician Noise.",
        "rsna": "RSNA: one test image with Rician Noise.",
        "rsna_lesions": "RSNA: the largest annotated lesions in the test images, with Rician Noise.",
        "rsna_recovery": "RSNA: contrast recovery of lesions; 1 is right, below 1 they fade.",
        "rsna_paper": "RSNA: published values and those of this run; the wrapped PSNR is for this comparison only.",
        "rsna_features": "RSNA: feature maps of one test image with Rician Noise.",
    }


def test_scored_features_have_a_figure_and_the_unprocessed_image_alone_has_none():
    explained = figure_captions(load_config(FILTERS | {"feature_error": ["poisson"]}))
    assert "lits_features" in explained
    assert "training" not in explained
    assert list(figure_captions(load_config(FILTERS | {"methods": ["noisy"], "feature_error": ["poisson"]}))) == ["noises"]


def test_no_caption_ends_in_two_full_stops():
    for noise in load_config({}).noises:
        for caption in figure_captions(load_config({"figures": {"noise": noise}})).values():
            assert caption.endswith(".")
            assert not caption.endswith("..")


def test_the_methods_of_a_figure_are_those_of_the_paper_or_the_first():
    assert figure_methods(load_config({})) == ["fpl", "dpir", "wavelet", "filter_combination"]
    assert figure_methods(load_config(FILTERS)) == ["wiener", "nlm"]
    assert figure_methods(load_config(FILTERS | {"methods": ["noisy", "wavelet", "fpl", "nlm"]})) == ["fpl", "wavelet"]


def test_labels_are_those_that_the_config_changes():
    methods = {"wiener": {}, "nlm": {"label": "Mine"}, "wavelet": {"tune": True}, "own": {"rule": True}}
    fair = {"protocol": "fair", "tune": False, "fair": {"methods": {"red_cnn": {}}}}
    labels = labels_of(load_config(FILTERS | fair | {"methods": methods}))
    assert labels.own == {"nlm": "Mine", "wavelet": "Wave. Den.†", "own": "own"}


def test_a_presentation_is_that_of_the_data_set():
    values = {"note": "A demo", "notes": {"lits": "Not LiTS."}, "seed": 5, "explanation": {"beta": 7}, "figures": {"image": 3}}
    config = load_config(FILTERS | values)
    assert presentation(config, "lits").note == "A demo. Not LiTS."
    assert presentation(config, "lidc").note == presentation(config).note == "A demo."
    shown = presentation(config, "lidc")
    assert (shown.seed, shown.image, shown.explanation["beta"]) == (5, 3, 7)


BEST = "are the best on training images of each noise"
MAPS = "maps are fitted for PSNR and can lower SSIM"
METHODS = {"noisy": {}, "noisy_grey_map": {}, "fpl": {}, "dpir": {}, "wiener": {}, "nlm": {}}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, f"Fair protocol: the options (†) and grey maps of filters and DPIR {BEST}; {MAPS}."),
        ({"grey_map": False}, f"Fair protocol: the options (†) of filters and DPIR {BEST}; methods have no grey maps."),
        ({"tune": False}, f"Fair protocol: the grey maps of filters and DPIR {BEST}; options are fixed; {MAPS}."),
        ({"tune": False, "grey_map": False}, "Fair protocol: methods have fixed options and no grey maps."),
        ({"tune": "both"}, f"Fair protocol: the options and grey maps of methods marked † {BEST}; {MAPS}."),
        (
            {"methods": METHODS | {"dpir": {"grey_map": False}}},
            f"Fair protocol: the options (†) of filters and DPIR and grey maps of filters {BEST}; {MAPS}.",
        ),
        (
            {"methods": METHODS | {"nlm": {"tune": False}}},
            f"Fair protocol: the options of methods marked † and grey maps of filters and DPIR {BEST}; {MAPS}.",
        ),
        (
            {"grey_map": False, "tune": False, "methods": METHODS | {"nlm": {"tune": True}}},
            f"Fair protocol: the options of methods marked † {BEST}; methods have no grey maps.",
        ),
        ({"methods": {"fpl": {}, "dpir": {}}}, f"Fair protocol: the options (†) and grey maps of DPIR {BEST}; {MAPS}."),
        ({"methods": {"noisy_grey_map": {}, "fpl": {}}}, "Fair protocol."),
        (
            {"protocol": "published", "methods": {"wiener": {}}},
            "Published protocol: every method has fixed options, as in the paper.",
        ),
    ],
)
def test_the_protocol_is_told_as_the_columns_have_it(values, expected):
    config = {"datasets": ["lidc"], "noises": ["gaussian", "poisson"], "methods": METHODS, "protocol": "fair"}
    fair = {"fair": {"noises": ["gaussian"]}}
    assert presentation(load_config(config | fair | values)).protocol == expected


def test_without_a_config_everything_has_its_default():
    shown = presentation(None)
    assert (shown.labels, shown.note, shown.seed, shown.image, shown.explanation) == (Labels(), "", DEFAULT_SEED, None, {})


def test_noises_have_the_levels_of_their_data_set():
    datasets = {"lidc": {}, "rsna": {"noises": {"gaussian": {"sigma": 0.3}}}}
    config = load_config({"datasets": datasets, "noises": {"gaussian": {"sigma": 0.2}, "poisson": {}}})
    assert noise_levels(config, "rsna")["gaussian"]["sigma"] == 0.3
    for dataset in ("lidc", "mine"):
        assert noise_levels(config, dataset)["gaussian"]["sigma"] == 0.2
        assert list(noise_levels(config, dataset)) == ["gaussian", "poisson"]


def test_captions_of_the_sheet_are_labels_with_notes():
    config = load_config(FILTERS | {"notes": {"lits": "CT, liver window"}})
    expected = {"lidc": "LIDC", "lits": "LiTS: CT, liver window", "mine": "mine"}
    assert sheet_captions(config, ["lidc", "lits", "mine"]) == expected
    assert sheet_captions(None, ["lidc", "mine"]) == {"lidc": "LIDC", "mine": "mine"}
