"""The text that a model bundle carries with it, for people who open it."""

import textwrap
from collections.abc import Collection, Iterator

from fplbench.applying.models.bundle import CARD, CONFIG, EXPECTED, EXPECTED_HASH, MANIFEST, ONNX, PHANTOM, RESTORATION, WEIGHTS
from fplbench.networks.card import Card
from fplbench.networks.card_text import NOT_CLINICAL, describe_training
from fplbench.reporting.labels import METRICS, heading
from fplbench.reporting.lesion_scores import INSERTED
from fplbench.reporting.sentences import sentences

WIDTH = 100
USE = """\
    fplbench check-model BUNDLE.zip               does it work as it did where it was made?
    fplbench apply BUNDLE.zip INPUT OUTPUT        a DICOM file or folder, or a NIfTI file
    fplbench.load_denoiser("BUNDLE.zip")(image)   in Python"""
FILES = {
    CARD: "what it was trained on, and its scores",
    WEIGHTS: "the weights",
    CONFIG: "the config of the run that trained it",
    RESTORATION: "the network that explains its images, for --features",
    ONNX: "the same denoiser for ONNX runtimes: float32 (1, 1, H, W) in [0, 1] to the same",
    PHANTOM: "a generated image, of no patient, float32",
    EXPECTED: "that image, denoised, in 8 bit",
    EXPECTED_HASH: "SHA-256 of the pixels of that",
    MANIFEST: "SHA-256 of every file",
}


def describe_bundle(card: Card, members: Collection[str]) -> str:
    """The README of a bundle: what the denoiser is for, how to use it, and under which licence its images are.

    Args:
        card: its card.
        members: names of the files of the bundle.
    """
    noise = f" for {card.noise_title or card.noise}" if card.noise else ""
    title = f"{card.label}{noise}: a denoiser trained with fplbench {card.version}"
    files = "\n".join(f"    {name:<24}{text}" for name, text in FILES.items() if name in members or name == MANIFEST)
    blocks = [
        f"{title}\n{'=' * len(title)}",
        f"{NOT_CLINICAL.upper()} What it removes may be anatomy: look at the difference before you trust a denoised image.",
        describe_training(card),
        *_scores(card),
        f"How to use it, with fplbench {card.version} or later:",
        USE,
        "Files:",
        files,
        sentences(
            f"Licence of the training images: {card.licence or 'not stated'}", "Ask their owner before you pass on the weights"
        ),
    ]
    return "\n\n".join(block if "\n" in block else textwrap.fill(block, WIDTH) for block in blocks) + "\n"


def _scores(card: Card) -> Iterator[str]:
    """Its scores, a line each, if there are any."""
    if not card.scores:
        return
    yield "Means over its test images, with 95 % intervals where there are enough units for them:"
    lines = []
    for name, score in card.scores.items():
        metric = name.removeprefix(INSERTED)
        label = f"{heading(metric) if metric in METRICS else metric}{', inserted lesions' if name != metric else ''}"
        ends = f"{score.low:.4g} to {score.high:.4g}, " if score.low is not None else ""
        units = score.over if score.units != 1 else score.over.removesuffix("s")
        lines.append(f"    {label:<38}{score.mean:<8.4g}({ends}{score.units} {units})")
    yield "\n".join(lines)
