"""Means of named cells over a simulated population, with the Monte-Carlo error of any contrast of them."""

from collections.abc import Mapping

import numpy as np

from models.simulation.innovations import Array

Cell = tuple[object, ...]


class Averages:
    """Running weighted means over antithetic pairs: women k and k + half mirror one another.

    `weight` is a woman's probability of entering the trial, so the means are those of women who entered.
    """

    def __init__(self) -> None:
        self.names: list[Cell] = []
        self.pairs = 0
        self.total = np.zeros(0)
        self.square = np.zeros((0, 0))

    def add(self, weight: Array, cells: Mapping[Cell, Array]) -> None:
        """Add one chunk of women: weight (woman,) and cells name → (woman,)."""
        rows = np.stack([weight, *(weight * values for values in cells.values())])
        half = rows.shape[1] // 2
        paired = 0.5 * (rows[:, :half] + rows[:, half:])
        if not self.names:
            self.names = list(cells)
            self.total, self.square = np.zeros(len(rows)), np.zeros((len(rows), len(rows)))
        self.pairs += half
        # Summed row by row: equal cells then have equal sums to the last bit, and null effects are exactly 0.
        self.total += np.array([row.sum() for row in paired])
        self.square += paired @ paired.T

    def means(self) -> dict[Cell, float]:
        """Return the weighted mean of every cell."""
        return dict(zip(self.names, (self.total[1:] / self.total[0]).tolist(), strict=True))

    def standard_error(self, contrast: Mapping[Cell, float]) -> float:
        """Return the standard error of Σ coefficient * mean, by linearisation of the weighted means."""
        mean, means = self.total / self.pairs, self.means()
        gradient = np.zeros(len(mean))
        for name, coefficient in contrast.items():
            gradient[1 + self.names.index(name)] += coefficient / mean[0]
            gradient[0] -= coefficient * means[name] / mean[0]
        covariance = self.square / self.pairs - np.outer(mean, mean)
        return float(np.sqrt(np.maximum(gradient @ covariance @ gradient, 0.0) / self.pairs))
