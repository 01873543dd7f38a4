"""Seconds of DRUNet for an image of 256x256 on the processor, beside deepinv's, in one run with the same weights.

    pip install --constraint envs/constraints.txt deepinv   # or with --no-deps and what it misses, to keep the torch you have
    python benchmarks/baselines_drunet.py [--threads 1] [--rounds 5]

The two take turns, so that whatever else the machine does falls on both; the median and the least of each are printed.
"""

import argparse
import time

import numpy as np
import torch

from fplbench.networks import DRUNet


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    from deepinv.models import DRUNet as DeepinvDRUNet

    peer = DeepinvDRUNet(in_channels=1, out_channels=1, pretrained=None).eval()
    network = DRUNet().eval()
    network.load_state_dict(peer.state_dict())
    network.to(memory_format=torch.channels_last)  # as fplbench.networks.inference.load_network does
    image, level = torch.rand(1, 1, 256, 256), 15 / 255
    runs = {
        "fplbench": lambda: network(image, torch.full((1, 1, 1, 1), level)),
        "deepinv": lambda: peer(image, sigma=level),
    }
    seconds = {name: [] for name in runs}
    with torch.inference_mode():
        ours, theirs = (run() for run in runs.values())
        difference = ((ours - theirs).abs().max() / theirs.abs().max()).item()
        for _ in range(arguments.rounds):
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                seconds[name].append(time.perf_counter() - start)
    for name, values in seconds.items():
        print(f"{name:10} median {np.median(values):.2f} s, least {min(values):.2f} s an image")
    print(f"largest difference of the two results, relative to the largest value: {difference:.1e}")


if __name__ == "__main__":
    main()
