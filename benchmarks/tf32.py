"""What `numerics: {tf32: true}` would change, emulated on the CPU: no GPU is needed, and none is measured.

    python benchmarks/tf32.py [--configfile config/demo.yaml] [--noises gaussian structured] [--seeds 1 2 3 4 5]

A GPU that multiplies in TF32 rounds both factors to 10 bits of the mantissa and adds up in float32. Here the inputs of every
convolution and matrix product, forwards and backwards and with biases, are rounded in that way, those of the denoiser too,
which on a GPU computes most steps in bfloat16. Everything else is as in the finished run of the config: for each noise and
seed, FPL is trained in float32 and in emulated TF32, on the maps of that arithmetic, and the validation images are denoised in
it. Printed are the difference of the maps, the mean PSNR of both, and their difference with its standard deviation over seeds;
beside it the standard deviation over seeds of float32 alone, which is what another seed does.
"""

import argparse
import tempfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fplbench.config import read_yaml
from fplbench.explaining.maps import write_features
from fplbench.methods import denoise
from fplbench.scoring import psnr
from fplbench.stacks import open_stack
from fplbench.training import train

PRODUCTS = ("convolution", "convolution_backward", "mm", "addmm", "bmm", "baddbmm")


def rounded(value):
    """A float32 tensor with 10 bits of mantissa, halves to even, as a tensor core reads it; anything else as it is."""
    if not isinstance(value, torch.Tensor) or value.dtype != torch.float32:
        return value
    bits = value.view(torch.int32)
    return ((bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF).view(torch.float32)


class Tf32(TorchDispatchMode):
    """Context in which products have rounded factors."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Round the factors of a product; let everything else pass."""
        if function.overloadpacket.__name__ in PRODUCTS:
            args = tuple(map(rounded, args))
        return function(*args, **(kwargs or {}))


def trained(folder: Path, out: Path, config, dataset: str, noise: str, seed: int, mode) -> float:
    """Mean PSNR of the validation images, denoised by an FPL that was trained in an arithmetic."""
    inputs = {
        "clean": folder / "data" / dataset / "train.npy",
        "noisy": folder / "noisy" / dataset / noise / "train.npy",
        "explained": folder / "models" / dataset / "restoration.safetensors",
        "features": out / "maps.npy",
    }
    weights = out / f"{noise}-{seed}.safetensors"
    with mode():
        train("fpl", inputs, weights, dict(config.fits["fpl"].options), seed=seed, device="cpu")
        noisy = open_stack(folder / "noisy" / dataset / noise / "validation.npy")
        denoised = denoise("fpl", noisy, weights=str(weights), device="cpu")
    return float(psnr(open_stack(folder / "data" / dataset / "validation.npy"), denoised).mean())


def arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", type=Path, default=Path("config/demo.yaml"), help="config of a finished run")
    parser.add_argument("--dataset", default="lidc", help="one of its data sets")
    parser.add_argument("--noises", nargs="+", default=["gaussian", "structured"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    return parser.parse_args()


def main() -> None:
    """Print the tables."""
    given = arguments()
    torch.set_num_threads(1)
    config = read_yaml(given.configfile)
    results = Path(config.results)
    network = results / "models" / given.dataset / "restoration.safetensors"
    clean = results / "data" / given.dataset / "train.npy"
    if not (network.exists() and clean.exists()):
        raise SystemExit(f"{results} has no finished run of {given.configfile} with {given.dataset}: snakemake makes it.")
    modes, maps = {"float32": nullcontext, "tf32": Tf32}, {}
    with tempfile.TemporaryDirectory() as temporary:
        folders = {name: Path(temporary) / name for name in modes}
        for name, mode in modes.items():
            folders[name].mkdir()
            with mode():
                write_features(network, clean, folders[name] / "maps.npy", "cpu", **config.explanation.model_dump())
            maps[name] = np.load(folders[name] / "maps.npy").astype(np.float32)
        error = np.linalg.norm(maps["tf32"] - maps["float32"]) / np.linalg.norm(maps["float32"])
        print(f"Maps of the clean images: relative difference {error:.2g}")
        print(f"{'noise':<16}{'float32':>9}{'tf32':>9}{'tf32 - float32':>20}{'sd over seeds':>16}")
        for noise in given.noises:
            found = {
                name: np.array(
                    [trained(results, folders[name], config, given.dataset, noise, seed, mode) for seed in given.seeds]
                )
                for name, mode in modes.items()
            }
            float32, tf32 = found["float32"], found["tf32"]
            difference = f"{(tf32 - float32).mean():>+12.3f} +- {(tf32 - float32).std(ddof=1):.3f}"
            print(f"{noise:<16}{float32.mean():>9.2f}{tf32.mean():>9.2f}{difference}{float32.std(ddof=1):>16.3f}", flush=True)


if __name__ == "__main__":
    main()
