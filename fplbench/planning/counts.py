"""Counted floating-point operations, by the precision in which they are computed."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Operations:
    """Floating-point operations by the precision in which a GPU computes them.

    Attributes:
        half: in bfloat16, where trainings allow it.
        single: in float32, or TF32 if the config says so: L_FP, features, and every network once it is trained.
    """

    half: float = 0.0
    single: float = 0.0

    def __add__(self, other: "Operations") -> "Operations":
        return Operations(self.half + other.half, self.single + other.single)

    def __mul__(self, factor: float) -> "Operations":
        return Operations(self.half * factor, self.single * factor)

    @property
    def total(self) -> float:
        """Both together."""
        return self.half + self.single


@dataclass(frozen=True)
class TrainingCost:
    """What one network of a training takes.

    Attributes:
        parameters: trainable numbers.
        forward: operations of its network for one image.
        plain: operations of a step without features, for one image.
        feature: operations of a step with features, for one image; those of `plain` where there are none.
        steps: number of steps without features, and with them.
        all: operations of the whole training, its scores on validation images included.
    """

    parameters: int
    forward: float
    plain: Operations
    feature: Operations
    steps: tuple[int, int]
    all: Operations


@dataclass(frozen=True)
class Counts:
    """What a run computes with networks.

    Attributes:
        trainings: what one network of each training takes, by the name of the training's files; networks that keep their random
            weights are left out.
        features: operations of the features of the run, by the rule that finds them.
        methods: operations of each column that is a network, for one image.
    """

    trainings: Mapping[str, TrainingCost]
    features: Mapping[str, Operations]
    methods: Mapping[str, float]
