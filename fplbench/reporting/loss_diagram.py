"""The data flow of the loss of FPL, with the names of the paper."""

from typing import TYPE_CHECKING, NamedTuple

from fplbench.reporting.diagram import DARK, arrow, box

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 9.0, 3.15  # inches
CLEAN, NOISY, RESIDUAL = 2.42, 1.57, 0.68  # heights of the middles of the three lines
BOTH = (CLEAN + NOISY) / 2
LOW, HIGH = 0.42, 1.35  # heights of boxes: of images and maps, and of what both lines pass
TRAINED, FROZEN, DATA, LOSS = "#CFE5F5", "#FBE3C8", "#F2F2F2", "white"
TITLE = "Loss: what a step of the training of FPL computes"


def symbol(name: str) -> str:
    """A name of the paper with its index, such as I_clean, for Matplotlib."""
    letter, _, index = name.partition("_")
    return rf"{letter}_{{\mathrm{{{index}}}}}"


class Node(NamedTuple):
    """A box: its left edge, middle, width and height in inches, colour, text, and whether it is dashed."""

    left: float
    middle: float
    width: float
    height: float
    fill: str
    text: str
    dashed: bool = False


def _image(left: float, middle: float, name: str, width: float = 0.95) -> Node:
    return Node(left, middle, width, LOW, DATA, f"${symbol(name)}$")


L_FP = rf"${symbol('L_FP')} =$" + "\n" + rf"$\Vert {symbol('F_denoised')} - {symbol('F_clean')}\Vert^2$"
RESIDUAL_IS = rf"$r = {symbol('I_noise')} - {symbol('I_denoised')}$"
L_RES = rf"${symbol('L_res')} = \Vert r - {symbol('M_noise')}\Vert^2$" + f"\n{RESIDUAL_IS}"
NODES = {
    "I_clean": _image(0.06, CLEAN, "I_clean"),
    "I_noise": _image(0.06, NOISY, "I_noise"),
    "M_noise": _image(0.06, RESIDUAL, "M_noise"),
    "denoiser": Node(1.35, NOISY, 0.95, 0.62, TRAINED, "Denoiser\n(trained)"),
    "I_denoised": _image(2.6, NOISY, "I_denoised"),
    "restoration": Node(3.85, BOTH, 1.0, HIGH, FROZEN, "Restoration\nnetwork\n(frozen)", dashed=True),
    "explanation": Node(5.05, BOTH, 1.0, HIGH, FROZEN, "Guided\nback-\npropagation", dashed=True),
    "F_clean": _image(6.25, CLEAN, "F_clean"),
    "F_denoised": _image(6.25, NOISY, "F_denoised"),
    "L_FP": Node(7.5, BOTH, 1.44, 0.66, LOSS, L_FP),
    "L_res": Node(3.85, RESIDUAL, 2.2, 0.62, LOSS, L_RES),
    "L": Node(7.5, RESIDUAL, 1.44, LOW, LOSS, rf"$L = {symbol('L_res')} + \lambda\,{symbol('L_FP')}$"),
}
FLOW = (
    ("I_noise", "denoiser"),
    ("denoiser", "I_denoised"),
    ("L_res", "L"),
)
NOTE = (
    rf"Only the denoiser is trained. The restoration network first learns to reproduce ${symbol('I_clean')}$ and is then frozen; "
    rf"${symbol('F_clean')}$ is computed once. $\lambda$ is feature_weight."
)


def draw_loss(axis: "Axes", size: float) -> None:
    """Draw how the two losses of FPL are computed from a clean image and its noise, in axes whose unit is an inch.

    Args:
        axis: where to draw it, from (0, 0) to (`WIDTH`, `HEIGHT`).
        size: of the lettering, points.
    """
    axis.text(NODES["I_clean"].left, HEIGHT - 0.05, TITLE, fontsize=size + 2, weight="bold", va="top")
    for node in NODES.values():
        place = (node.left, node.middle - node.height / 2, node.width, node.height)
        box(axis, place, node.fill, node.text, size + 2 if node.fill in (DATA, LOSS) else size, "--" if node.dashed else "-")
    for first, second in FLOW:
        arrow(axis, _right(first), _left(second))
    for name, line in (("clean", CLEAN), ("denoised", NOISY)):  # both pass the same frozen network
        for first, second in ((f"I_{name}", "restoration"), ("restoration", "explanation"), ("explanation", f"F_{name}")):
            arrow(axis, (_right(first)[0], line), (_left(second)[0], line))
    _draw_mixing(axis, size)
    _draw_losses(axis, size)
    axis.text(WIDTH / 2, 0.05, NOTE, fontsize=size, ha="center", va="bottom", color=DARK)


def _draw_mixing(axis: "Axes", size: float) -> None:
    """The noisy image is the clean one with noise added."""
    middle = NODES["I_noise"].left + NODES["I_noise"].width / 2
    arrow(axis, (middle, CLEAN - LOW / 2), (middle, NOISY + LOW / 2))
    arrow(axis, (middle, RESIDUAL + LOW / 2), (middle, NOISY - LOW / 2))
    axis.text(middle + 0.08, (NOISY + RESIDUAL) / 2, "+", fontsize=size + 3, va="center")


def _draw_losses(axis: "Axes", size: float) -> None:
    """What the two losses are computed from, and their sum."""
    above, below = RESIDUAL + 0.18, RESIDUAL - 0.14
    branch = (_right("I_noise")[0] + _left("denoiser")[0]) / 2
    target = _left("L_res")[0]
    arrow(axis, (branch, NOISY), (target, RESIDUAL + 0.02), corner="up first")
    axis.plot(branch, NOISY, "o", color=DARK, markersize=3.5)
    denoised = NODES["I_denoised"]
    arrow(axis, (denoised.left + denoised.width / 2, NOISY - LOW / 2), (target, above), corner="up first")
    arrow(axis, (_right("M_noise")[0], below), (target, below))
    for line, name in ((CLEAN, "F_clean"), (NOISY, "F_denoised")):
        edge = BOTH + (0.12 if line > BOTH else -0.12)
        arrow(axis, (_right(name)[0], line), (_left("L_FP")[0], edge), curved=True)
    middle = NODES["L_FP"].left + NODES["L_FP"].width / 2
    arrow(axis, (middle, BOTH - NODES["L_FP"].height / 2), (middle, RESIDUAL + LOW / 2))
    axis.text(middle + 0.06, (BOTH + RESIDUAL) / 2, r"$\lambda$", fontsize=size + 2, va="center")


def _right(name: str) -> tuple[float, float]:
    return NODES[name].left + NODES[name].width, NODES[name].middle


def _left(name: str) -> tuple[float, float]:
    return NODES[name].left, NODES[name].middle
