"""Scores that cannot belong into a table: numbers that are not finite, and lesions of images that were not scored."""

from collections.abc import Mapping

import numpy as np

from fplbench.errors import InputError
from fplbench.reporting.lesion_scores import LesionScores
from fplbench.reporting.scores import NoiseScores


def check_finite(dataset: str, noise: str, metric: str, scores: NoiseScores) -> None:
    """Raise InputError where a score of a metric is infinite. NaN is allowed, for images that a metric is not defined for."""
    for method, values in scores.values[metric].items():
        infinite = np.flatnonzero(np.isinf(values))
        if infinite.size:
            where = f"{metric} of {method!r} on {noise!r} of {dataset} is infinite for {scores.image_ids[infinite[0]]!r}"
            raise InputError(f"{where}, so that it has no mean: score the images again.")


def check_lesions(dataset: str, scores: Mapping[str, NoiseScores], lesions: Mapping[str, LesionScores], inserted: bool) -> None:
    """Raise InputError where lesions are in images that were not scored.

    Inserted lesions are in copies of the test images, which have names of their own, so that the patients are compared.

    Args:
        dataset: name of the data set.
        scores: scores of images by noise.
        lesions: scores of lesions by noise.
        inserted: whether these are the inserted ones.
    """
    for noise, found in lesions.items():
        if noise not in scores:
            continue
        patients, images = set(scores[noise].patients), set(zip(scores[noise].image_ids, scores[noise].patients, strict=True))
        for image, patient in sorted(found.places):
            if (patient not in patients) if inserted else ((image, patient) not in images):
                raise InputError(
                    f"The scores of {'inserted ' if inserted else ''}lesions on {noise!r} are of image {image!r} of patient "
                    f"{patient!r}, which is not among the scored images of {dataset}: give the lesion scores of the same run."
                )
