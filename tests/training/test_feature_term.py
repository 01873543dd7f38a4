"""L_FP as a term: the gradient that it hands to the denoiser, what it measures, and the weight that balances it."""

import math

import numpy as np
import pytest
import torch

from fplbench.networks import weights
from fplbench.training.denoiser import DenoiserLoss, DenoiserOptions
from fplbench.training.explained import Explained
from fplbench.training.feature_term import FeatureTerm
from fplbench.training.loop.balance import Balance
from fplbench.training.loop.meter import total_loss
from fplbench.training.loop.run import load_images
from fplbench.training.loop.surrogate import with_gradient
from tests.helpers.training import EXPLANATION, train_fpl
from tests.training.test_denoiser import CPU, Scaled

POSITIONS = torch.arange(4)


class Distance:
    """In place of an explained network: L_FP is a multiple of |image - clean|^2."""

    def __init__(self, clean: torch.Tensor, factor: float = 1.0):
        self.clean, self.factor = clean, factor

    def frozen(self):
        return self

    def loss(self, images, positions, normalise):
        return self.factor * (images - self.clean[positions]).square().sum() / len(images)


class Nothing(Distance):
    """An L_FP that does not depend on the images."""

    def loss(self, images, positions, normalise):
        return torch.tensor(3.0)


@pytest.fixture
def pairs():
    random = torch.Generator().manual_seed(0)
    clean = torch.rand(4, 1, 8, 8, generator=random)
    return clean, clean + 0.1 * torch.randn(4, 1, 8, 8, generator=random)


@pytest.fixture
def explained(stacks):
    restoration, _ = weights.load(stacks / "restoration.safetensors")
    return Explained(restoration, torch.from_numpy(np.load(stacks / "features.npy")), EXPLANATION)


def options(**values):
    return DenoiserOptions(features=True, batch=4, **values)


def test_a_loss_with_a_known_gradient_has_that_value_and_that_gradient():
    images = torch.rand(2, 1, 4, 4, requires_grad=True)
    gradient = torch.rand(2, 1, 4, 4)
    term = with_gradient(images, torch.tensor(7.0), 0.3 * gradient, 0.3)
    assert float(term.detach()) == 7
    (found,) = torch.autograd.grad(0.3 * term, images)
    torch.testing.assert_close(found, 0.3 * gradient)


@pytest.mark.parametrize("normalise", [True, False])
def test_the_gradient_for_the_denoiser_is_that_of_the_loss_differentiated_directly(stacks, explained, normalise):
    """With respect to the one parameter of a network, through noise, flips, and the whole of L_FP."""
    clean, noisy = (load_images(stacks / f"{name}.npy", CPU) for name in ("clean", "noisy"))
    chosen = options(feature_weight=1e-3, feature_interval=2, normalise=normalise)
    network = Scaled(0.9)
    term, weight = DenoiserLoss(network, "image", clean, noisy, chosen, explained=explained)(POSITIONS, 0)["feature"]
    assert weight == 2e-3
    (found,) = torch.autograd.grad(weight * term, network.factor)
    images = 0.9 * noisy[POSITIONS].unsqueeze(1).float() / 255
    factor = torch.tensor(1.0, requires_grad=True)
    direct = explained.frozen().loss(factor * images, POSITIONS, normalise)
    (expected,) = torch.autograd.grad(2e-3 * direct, factor)
    torch.testing.assert_close(term, direct)
    torch.testing.assert_close(found * 0.9, expected, rtol=1e-4, atol=0)


def test_the_squared_distance_from_the_clean_image_points_straight_at_it(pairs):
    """And with the weight 0.25 its gradient is a quarter of that of the residual loss, which is the same distance."""
    clean, images = pairs
    term = FeatureTerm(Distance(clean), options(feature_weight=0.25, feature_interval=3), CPU)
    term(images.requires_grad_(), clean, POSITIONS)
    assert float(term.measured["cosine_feature"]) == pytest.approx(1, abs=1e-6)
    assert float(term.measured["gradient_ratio_feature"]) == pytest.approx(0.25, rel=1e-5)
    assert term.gauges == list(term.measured)


def test_the_cosine_is_the_mean_over_the_images_by_hand():
    """Towards the clean image in the first, at right angles in the second, away from it in the third: (1 + 0 - 1) / 3."""
    denoised, clean = torch.zeros(3, 1, 1, 2), torch.tensor([[1.0, 0.0]]).expand(3, 1, 1, 2)
    goal = torch.tensor([[2.0, 0.0], [0.0, 5.0], [-3.0, 0.0]]).view(3, 1, 1, 2)
    term = FeatureTerm(Distance(goal), options(), CPU)
    term(denoised.requires_grad_(), clean, torch.arange(3))
    assert float(term.measured["cosine_feature"]) == pytest.approx(0, abs=1e-9)
    term = FeatureTerm(Distance(torch.tensor([[3.0, 4.0]]).expand(3, 1, 1, 2)), options(), CPU)
    term(denoised, clean, torch.arange(3))
    assert float(term.measured["cosine_feature"]) == pytest.approx(0.6)


def test_with_the_absolute_loss_the_ratio_is_to_its_gradient(pairs):
    """A sign for each of 64 pixels, so a norm of 8 for each of four images."""
    clean, images = pairs
    term = FeatureTerm(Distance(clean), options(feature_weight=1.0, loss="absolute"), CPU)
    term(images.requires_grad_(), clean, POSITIONS)
    expected = 2 * float((images - clean).detach().norm()) / 16
    assert float(term.measured["gradient_ratio_feature"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("interval", [1, 4])
def test_the_balance_gives_the_gradient_the_norm_that_it_says(pairs, interval):
    clean, images = pairs
    term = FeatureTerm(Distance(clean, 1e-5), options(balance=0.5, feature_interval=interval), CPU)
    loss, weight = term(images.requires_grad_(), clean, POSITIONS)
    (found,) = torch.autograd.grad(weight * loss, images)
    residual = 2 * (images - clean) / 4
    torch.testing.assert_close(found, 0.5 * interval * residual, rtol=1e-4, atol=1e-7)
    measured = {name: float(value) for name, value in term.measured.items()}
    assert measured["gradient_ratio_feature"] == pytest.approx(0.5, rel=1e-6)
    assert measured["feature_weight"] == pytest.approx(0.5 / 1e-5, rel=1e-5)


def test_the_running_mean_by_hand():
    """Ratios of 2, then 8: the mean of the logarithms, weighted 0.9 to 1, is log 2 (0.9 + 3) / 1.9."""
    balance = Balance(0.5, CPU)
    one = torch.tensor(1.0)
    assert float(balance(2 * one, one)) == pytest.approx(1)
    assert float(balance(8 * one, one)) == pytest.approx(0.5 * 2 ** (3.9 / 1.9))


def test_the_parts_of_a_batch_count_as_much_as_the_whole():
    whole, parts, one = Balance(1.0, CPU), Balance(1.0, CPU), torch.tensor(1.0)
    for ratio in (3.0, 7.0, 2.0):
        whole(ratio * one, one)
        for _ in range(2):
            parts(ratio * one, one, 0.5)
    assert float(parts.total) == pytest.approx(float(whole.total)) and float(parts.count) == pytest.approx(1 - 0.9**3)


@pytest.mark.parametrize(("residual", "feature"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_without_a_gradient_the_weight_is_zero_and_the_mean_stays(residual, feature):
    balance = Balance(0.5, CPU)
    norms = torch.tensor(residual), torch.tensor(feature)
    assert float(balance(*norms)) == 0
    balance(torch.tensor(2.0), torch.tensor(1.0))
    before = balance.state()
    assert float(balance(*norms)) == 0
    assert balance.state() == before


@pytest.mark.parametrize("kind", [Distance, Nothing])
def test_a_perfect_image_and_a_loss_without_gradient_give_no_nan(pairs, kind):
    clean, images = pairs
    images = clean.clone() if kind is Distance else images
    term = FeatureTerm(kind(clean), options(balance=0.5), CPU)
    loss, weight = term(images.requires_grad_(), clean, POSITIONS)
    (found,) = torch.autograd.grad(weight * loss, images)
    assert torch.count_nonzero(found) == 0
    assert [float(value) for value in term.measured.values()] == [0, 0, 0]


def test_a_balance_goes_on_from_its_state():
    first, second, one = Balance(0.5, CPU), Balance(0.5, CPU), torch.tensor(1.0)
    first(3 * one, one)
    second.load(first.state())
    assert float(second(5 * one, one)) == float(first(5 * one, one))


def rows_of(out):
    return np.genfromtxt(out.with_suffix(".csv"), delimiter=",", names=True)


def test_the_log_has_what_was_measured_in_the_steps_with_l_fp(stacks, tmp_path):
    """L_FP in every second step from the fifth on: nothing in the first two rows of two steps."""
    out = tmp_path / "fpl.safetensors"
    train_fpl(stacks, out, feature_interval=2, feature_start=4, balance=0.5)
    rows = rows_of(out)
    for name in ("cosine_feature", "gradient_ratio_feature", "feature_weight"):
        assert list(np.isnan(rows[name])) == [True, True, False]
    assert rows["gradient_ratio_feature"][-1] == pytest.approx(0.5, rel=1e-5)
    assert abs(rows["cosine_feature"][-1]) <= 1
    train_fpl(stacks, out, balance=None)
    columns = set(rows_of(out).dtype.names)
    assert {"cosine_feature", "gradient_ratio_feature"} <= columns and "feature_weight" not in columns
    train_fpl(stacks, out, feature_use="weight")
    assert not {"cosine_feature", "gradient_ratio_feature", "loss_feature"} & set(rows_of(out).dtype.names)


@pytest.mark.slow
def test_a_training_holds_the_ratio(stacks, tmp_path):
    """Exactly in its first step, and to within 20 % on average later, though the norms change by far more."""
    out = tmp_path / "fpl.safetensors"
    train_fpl(stacks, out, steps=80, width=4, balance=0.5, learning_rate=4e-3, log_every=1, batch=4)
    rows = rows_of(out)
    assert rows["gradient_ratio_feature"][0] == pytest.approx(0.5, rel=1e-5)
    later = rows["gradient_ratio_feature"].reshape(-1, 20)[1:]
    assert np.exp(np.log(later).mean(axis=1)) == pytest.approx(0.5, rel=0.2)
    assert math.log(rows["feature_weight"].max() / rows["feature_weight"].min()) > 0.2


def test_micro_batches_of_a_balanced_loss_have_finite_gradients(stacks, explained):
    clean, noisy = (load_images(stacks / f"{name}.npy", CPU) for name in ("clean", "noisy"))
    network = Scaled(0.9)
    loss = DenoiserLoss(network, "image", clean, noisy, options(balance=0.5), explained=explained)
    for part in POSITIONS.split(2):
        (total_loss(loss(part, 0)) / 2).backward()
    assert torch.isfinite(network.factor.grad)
