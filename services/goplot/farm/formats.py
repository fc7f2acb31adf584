"""Plot formats and their sizes."""

from dataclasses import dataclass

GIB = 1 << 30

# Sizes of finished plots in GiB by k and compression level: Chia's official table.
_TABLE_GIB: dict[int, dict[int, float]] = {
    32: {0: 101.4, 1: 87.5, 2: 86.0, 3: 84.5, 4: 82.9, 5: 81.3, 6: 79.6, 7: 78.0, 9: 75.2},
    33: {0: 208.8, 1: 179.6, 2: 176.6, 3: 173.4, 4: 170.2, 5: 167.0, 6: 163.8, 7: 160.6, 9: 154.1},
    34: {0: 429.9, 1: 368.2, 2: 362.1, 3: 355.9, 4: 349.4, 5: 343.0, 6: 336.6, 7: 330.2, 9: 315.5},
}

MIN_K = 18
MAX_K = 50


@dataclass(frozen=True, slots=True)
class PlotFormat:
    """A plot's k and compression level (0: not compressed)."""

    k: int
    compression: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for a format of unknown size."""
        if not MIN_K <= self.k <= MAX_K:
            raise ValueError(f"k is {self.k}; it must be from {MIN_K} to {MAX_K}")
        if self.compression and self.compression not in _TABLE_GIB.get(self.k, {}):
            raise ValueError(f"no known size for k{self.k} at compression {self.compression}")

    @property
    def name(self) -> str:
        """The format as plot files name it: `k32`, or `k32-c05` when compressed."""
        return f"k{self.k}-c{self.compression:02d}" if self.compression else f"k{self.k}"

    @property
    def expected_bytes(self) -> int:
        """The usual size of a finished plot.

        k32 to k34 as in the official table; else 0.78 x (2k + 1) x 2^(k - 1), Chia's own
        estimate of a plot's size times the share of it that is left after compression of tables.
        """
        table = _TABLE_GIB.get(self.k)
        if table is not None:
            return int(table[self.compression] * GIB)
        return int(0.78 * (2 * self.k + 1) * (1 << (self.k - 1)))

    @property
    def plot_bytes(self) -> int:
        """The maximum size of a finished plot: this is reserved for it."""
        return int(self.expected_bytes * (1 + _spread(self.k)))

    @property
    def least_bytes(self) -> int:
        """A file smaller than this is not a complete plot of this format."""
        return int(self.expected_bytes * (1 - _spread(self.k)))


def _spread(k: int) -> float:
    """How far a plot's size may be from the expected one, as a share of it.

    The smaller the plot, the more it varies: k18 by 17 % over 100 real plots, k25 by 1 %.
    """
    if k >= 32:
        return 0.02
    return 0.05 if k >= 22 else 0.30
