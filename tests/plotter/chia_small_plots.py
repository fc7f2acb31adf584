#!/usr/bin/env python3
"""A plotter for tests: real, small Chia plots in about a second.

Takes the arguments of `chia plots create` and drives chiapos through Chia's own library, with
parameters that suit k18 to k24, which Chia's command line refuses. Must be run by a Python that
has chia-blockchain (`PYTHON chia_small_plots.py plots create -k 18 ...`); no CHIA_ROOT is needed.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from chia.plotting.create_plots import create_plots, resolve_plot_keys
from chia.plotting.util import Params


def parse(arguments: list[str]) -> argparse.Namespace:
    """The arguments of `chia plots create` that mean something for a small plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plots", choices=["plots"])
    parser.add_argument("create", choices=["create"])
    parser.add_argument("-k", "--size", type=int, default=18)
    parser.add_argument("--override-k", action="store_true")
    parser.add_argument("-n", "--num", type=int, default=1)
    parser.add_argument("-b", "--buffer", type=int, default=100)
    parser.add_argument("-r", "--num_threads", type=int, default=2)
    parser.add_argument("-u", "--buckets", type=int, default=0)
    parser.add_argument("-c", "--pool_contract_address")
    parser.add_argument("-f", "--farmer_public_key", required=True)
    parser.add_argument("-p", "--pool_public_key")
    parser.add_argument("-t", "--tmp_dir", type=Path, required=True)
    parser.add_argument("-2", "--tmp2_dir", type=Path)
    parser.add_argument("-d", "--final_dir", type=Path, required=True)
    parser.add_argument("-e", "--nobitfield", action="store_true")
    parser.add_argument("-x", "--exclude_final_dir", action="store_true")
    return parser.parse_args(arguments)


async def plot(options: argparse.Namespace) -> None:
    """Make the plots that the arguments ask for."""
    import logging

    keys = await resolve_plot_keys(
        options.farmer_public_key,
        None,
        options.pool_public_key,
        options.pool_contract_address,
        Path("/nonexistent"),
        logging.getLogger(),
    )
    parameters = Params(
        size=options.size,
        num=options.num,
        buffer=options.buffer,
        num_threads=options.num_threads,
        buckets=options.buckets,
        tmp_dir=options.tmp_dir,
        tmp2_dir=options.tmp2_dir,
        final_dir=options.final_dir,
        plotid=None,
        memo=None,
        nobitfield=options.nobitfield,
        # The default stripe fails below k21.
        stripe_size=2000 if options.size < 21 else 65536,
    )
    await create_plots(parameters, keys)


if __name__ == "__main__":
    asyncio.run(plot(parse(sys.argv[1:])))
