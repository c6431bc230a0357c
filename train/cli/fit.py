"""Train a model from a recipe, or resume a run that was stopped.

Ctrl-C finishes the step, writes last.ckpt and exits; the same command then resumes the run as if it had never stopped.
The run's folder contains last.ckpt, best.ckpt, the logs, and the recipe with all defaults written out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

SUMMARY: Final = "train a model from a recipe, or resume a stopped run"
EXAMPLES: Final = """\
  python -m train fit configs/tiny.yaml runs/mine                 # minutes on a laptop
  python -m train fit configs/piano.yaml runs/piano --from piano.safetensors
                                                                  # start from exported weights
  python -m train fit configs/piano-gpu.yaml runs/large --devices 4
                                                                  # four GPUs
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `fit`."""
    parser.add_argument(
        "recipe", type=Path, help="a YAML file such as those in configs/; docs/training.md lists its settings"
    )
    parser.add_argument("run", type=Path, help="folder of the run: checkpoints, logs, the resolved recipe")
    parser.add_argument(
        "--from",
        dest="initial",
        type=Path,
        metavar="MODEL",
        help="exported .safetensors of the same shape, whose weights a new run starts from",
    )
    parser.add_argument(
        "--devices",
        type=int,
        default=1,
        metavar="N",
        help="number of GPUs, or of processes on a machine without GPUs [1]",
    )
    parser.add_argument(
        "--strategy",
        choices=["ddp", "deepspeed"],
        default="ddp",
        help="how several GPUs share the work: ddp keeps the whole model on each, deepspeed divides the optimizer's "
        "state (ZeRO stage 2) [ddp]",
    )
    parser.add_argument("--wandb", metavar="PROJECT", help="also log to this project of Weights & Biases")


def run(arguments: argparse.Namespace) -> None:
    """Train, and print the path of the last checkpoint. Exit as a shell expects after SIGINT or SIGTERM."""
    from train.loop.recipe import load

    recipe = load(arguments.recipe)  # before torch is imported, so that mistakes are reported immediately

    from train.loop.checkpointing import StoppedError
    from train.loop.fit import fit

    try:
        checkpoint = fit(
            recipe,
            arguments.run,
            initial=arguments.initial,
            devices=arguments.devices,
            strategy=arguments.strategy,
            wandb=arguments.wandb,
        )
    except StoppedError as stopped:
        print(stopped, file=sys.stderr)
        raise SystemExit(128 + stopped.signal) from None
    print(checkpoint)
