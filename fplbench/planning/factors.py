"""Measured factors of the memory and the time that jobs ask for.

They were measured on a CPU, as peak resident memory of jobs and of single steps. On a GPU, activations are in its own memory, and
the memory of the processor has the libraries of CUDA instead, which was not measured.
"""

# MB. A command without torch took 60 to 240, and one with torch 290 to 410 without activations. Each process of a method
# that runs in several took 125.
LIGHT, TORCH, CUDA, SAMPLING, PROCESS = 400, 700, 3500, 2000, 150
# Bytes of activations, in multiples of batch * pixels * width of the network * 4 bytes.
PLAIN, WITH_FEATURES, PEER, EXPLAINED, FORWARD = 25, 70, 150, 40, 12
SCORED_AT_ONCE, DENOISED_AT_ONCE = 16, 16
"""Images that go through a network at once when features are scored, and on a GPU."""
ROW = 2000
"""Bytes of a row of scores while a table is made."""
# Operations for each pixel in multiples of the width squared: one pass of a U-Net, of a block of DRUNet, and of a peer at most.
UNET, DRUNET_BLOCK, OTHER = 300, 260, 3000
SLOW_GPU, SLOW_CPU = 5e12, 1.5e10  # operations a second that even an old device reaches
FILTER, SCORE = 1.5, 1.0  # seconds for a million pixels that the slowest filter, and all scores of an image take on one core
COMPILING, COMPILER = 200, 800  # seconds, and MB with the C++ compiler, that torch.compile takes at most on a CPU
SAFETY, LEAST = 3, 30  # of the time; minutes
PROCESSES = 8
"""Cores of jobs that share their images among processes; more jobs at once use further cores better."""


def megabytes(base: int, held: float) -> int:
    """Memory of a job, MB: what every command of its kind takes, and the bytes that it holds."""
    return base + int(held / 2**20) + 1


def limit(seconds: float) -> int:
    """The limit of time of a job that is expected to take so long, minutes."""
    return LEAST + int(SAFETY * seconds / 60)
