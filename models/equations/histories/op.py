"""The compiled likelihood as an operation of PyTensor, so that it stands inside a PyMC model and NUTS has its slope."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_and_cache_key

from models.equations.histories import integrals
from models.equations.histories.compiled import CODE


class LogLikelihood(Op):
    """Log likelihood of a trial over distinct histories, with its slopes in the predictors, τ and the dispersion.

    Inputs are those of `integrals.each` from `eta` to `count`; outputs the log likelihood and the three slopes.

    Parameters
    ----------
    kind : int
        `Family.number`.
    """

    __props__ = ("kind",)

    def __init__(self, kind: int) -> None:
        self.kind = kind

    def make_node(self, *inputs: Any) -> Apply:
        """Node of the graph: one vector and two numbers that vary, seven arrays that do not."""
        given = [pt.as_tensor_variable(value) for value in inputs]
        outputs = [pt.dscalar(), pt.dvector(), pt.dscalar(), pt.dscalar()]
        return Apply(self, given, outputs)

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:  # noqa: ARG002 - the interface of PyTensor
        """Run the kernel, where PyTensor does not compile it into its own."""
        eta, count = inputs[0], inputs[-1]
        slopes = np.empty(eta.size)
        found = integrals.each(self.kind, 1.0, *_floats(inputs), np.empty(count.size), slopes)
        for place, value in zip(outputs, (found[0], slopes, found[1], found[2]), strict=True):
            place[0] = np.asarray(value, dtype=float)

    def infer_shape(self, node: Apply, shapes: Any) -> list[tuple]:  # noqa: ARG002
        """Shapes of the outputs."""
        return [(), shapes[0], (), ()]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Slopes are for the gradient only: nothing is differentiated through them, and data have no slope."""
        return [[place < 3, False, False, False] for place in range(len(node.inputs))]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient of the log likelihood, from the slopes that were computed with it."""
        scale = cotangents[0]
        if isinstance(scale.type, DisconnectedType):
            scale = pt.zeros(())
        none = [DisconnectedType()() for _ in inputs[3:]]
        return [scale * outputs[1], scale * outputs[2], scale * outputs[3], *none]


def _floats(inputs: Any) -> list[Any]:
    eta, tau, dispersion, *structure = inputs
    return [np.asarray(eta), float(tau), float(dispersion), *structure]


@register_funcify_and_cache_key(LogLikelihood)
def _compiled(op: LogLikelihood, **_: Any) -> tuple[Any, str]:
    kind, each = op.kind, integrals.each

    @numba_njit
    def run(eta, tau, dispersion, grid, value, cells, histories, member, begin, count):  # type: ignore[no-untyped-def]
        slopes = np.empty(eta.size)
        logs = np.empty(count.size)
        fixed = (grid, value, cells, histories, member, begin, count)
        total, by_tau, by_dispersion = each(kind, 1.0, eta, tau.item(), dispersion.item(), *fixed, logs, slopes)
        return np.asarray(total), slopes, np.asarray(by_tau), np.asarray(by_dispersion)

    # PyTensor keeps compiled functions on disk: another kernel must have another key
    return run, f"{__name__}.{type(op).__name__}({kind}) {CODE}"
