"""When the chain changes what plots earn: heights, times and factors. Pure.

Heights are those of the full node's RPC `get_constants` (Chia 2.7.2 and later), by the names of
chia/consensus/default_constants.py.
"""

from collections.abc import Mapping

#: Seconds between two blocks: Chia aims at 32 in ten minutes, 4608 a day.
BLOCK_SECONDS = 18.75
#: The days from now for which the factor of v1 plots is reported.
AHEAD_DAYS = (0, 30, 90, 256)
#: Blocks of three years (chia/consensus/block_rewards.py); the reward halves four times.
_HALVING_BLOCKS = 5_045_760
_HALVINGS = 4
# A height that is not decided is close to the largest one: 0xFFFFFFFA in Chia 2.7.5.
_UNDECIDED = 0xFFFF0000
_FORK = "HARD_FORK2_HEIGHT"
_FILTERS = {
    "v1_filter_128": "PLOT_FILTER_128_HEIGHT",
    "v1_filter_64": "PLOT_FILTER_64_HEIGHT",
    "v1_filter_32": "PLOT_FILTER_32_HEIGHT",
}
# Chia takes its probability from one byte of a hash (is_v1_phased_out).
_MOST_BITS = 8


def events_of(constants: Mapping[str, object], height: int) -> dict[str, int | None]:
    """The height of each change by its name; None is not yet set.

    `hard_fork` starts the next proof of space and the phase-out of v1 plots, which win nothing from
    `v1_end` on. At `v1_filter_128` and on, one v1 plot of so many passes the filter.
    `reward_halving` is the next one after `height`. What `constants` lack is left out.
    """
    found: dict[str, int | None] = {}
    fork = _natural(constants, _FORK)
    if fork is not None:
        found["hard_fork"] = _decided(fork)
        phase_out = _phase_out(constants)
        if phase_out is not None:
            epochs, blocks = phase_out
            found["v1_end"] = _decided(fork + (epochs - 1) * blocks)
    for name, constant in _FILTERS.items():
        there = _natural(constants, constant)
        if there is not None:
            found[name] = _decided(there)
    halvings = height // _HALVING_BLOCKS + 1
    if halvings <= _HALVINGS:
        found["reward_halving"] = halvings * _HALVING_BLOCKS
    return found


def seconds_until(event: int, height: int) -> float:
    """Seconds from one height to another at the rate that Chia aims at; negative when passed."""
    return (event - height) * BLOCK_SECONDS


def v1_win_ratio(constants: Mapping[str, object], height: int, days: int = 0) -> float | None:
    """The share of a v1 plot's proofs that still win so many days after `height`.

    1 until the hard fork; from there it falls with each epoch to 0 (is_v1_phased_out in
    chia/types/blockchain_format/proof_of_space.py). None while the hard fork's height is not set.
    """
    fork, phase_out = _natural(constants, _FORK), _phase_out(constants)
    if fork is None or phase_out is None or _decided(fork) is None:
        return None
    then = height + int(days * 86400 / BLOCK_SECONDS)
    if then < fork:
        return 1.0
    epochs, blocks = phase_out
    left = (fork + (epochs - 1) * blocks - then) // blocks
    return max(0, left) / epochs


def _phase_out(constants: Mapping[str, object]) -> tuple[int, int] | None:
    """By how many steps v1 plots are phased out, and the blocks of one; None if not known."""
    bits = _natural(constants, "PLOT_V1_PHASE_OUT_EPOCH_BITS")
    blocks = _natural(constants, "EPOCH_BLOCKS")
    if bits is None or not blocks or bits > _MOST_BITS:
        return None
    return 1 << bits, blocks


def _decided(height: int) -> int | None:
    return height if height < _UNDECIDED else None


def _natural(constants: Mapping[str, object], name: str) -> int | None:
    value = constants.get(name)
    return value if type(value) is int and value >= 0 else None
