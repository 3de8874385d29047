"""A named set of priors, read from one TOML table; a user's own file works like those that ship."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from priors.prior import ARGUMENTS, Prior

FOLDER = Path(__file__).parent
DEFAULT = "weakly_informative"
_TEXTS = {"distribution", "why", "source"}
AFTER_THE_FIT = (
    *("change_without_training", "training_share", "delta_difference"),
    *("sensitivity", "specificity", "confounding"),
)
"""Rows that belong to no model: they are drawn after the fit, and a calibration does not depend on them."""


class InvalidPriors(ValueError):  # noqa: N818 - the name says what it is, as in a sentence
    """A prior file that cannot be used; the message lists every fault and how to correct it."""


@dataclass(frozen=True)
class PriorSet:
    """Priors of every parameter.

    Attributes
    ----------
    name, why : str
        What the set is called and the belief that it stands for.
    priors : mapping of str to Prior
        Keyed by parameter name.
    path : Path
        The file that it was read from.
    informed : bool
        Whether it stands on other trials (`informed = true` in the file), beside broad and default sets.
    """

    name: str
    why: str
    priors: Mapping[str, Prior]
    path: Path
    informed: bool = False

    def __getitem__(self, parameter: str) -> Prior:
        """Prior of one parameter; `InvalidPriors` names a missing row and the file to add it to."""
        if parameter not in self.priors:
            raise InvalidPriors(f"{self.path}: no row [parameters.{parameter}]. Copy it from {FOLDER / DEFAULT}.toml.")
        return self.priors[parameter]

    def lacking(self, *parameters: str) -> str:
        """Why an analysis that needs these rows cannot be run; empty where all are there."""
        try:
            for parameter in parameters:
                self[parameter]
        except InvalidPriors as error:
            return f"the prior set has no row for it. {error}"
        return ""

    def scaled(self, factor: float, only: Collection[str] = (), what: str = "SDs") -> PriorSet:
        """The same beliefs held more loosely or firmly: every SD times `factor`.

        Parameters
        ----------
        factor : float
            Above 1: more loosely.
        only : collection of str
            Parameters to which that is confined; empty: all.
        what : str
            In words, what is multiplied.
        """

        def loosened(prior: Prior) -> Prior:
            if only and prior.parameter not in only:
                return prior
            wider = {name: factor * prior.arguments[name] for name in ("sd", "scale") if name in prior.arguments}
            return replace(prior, arguments={**prior.arguments, **wider})

        priors = {name: loosened(prior) for name, prior in self.priors.items()}
        return replace(self, name=f"{self.name}, {what} × {factor:g}", priors=priors)

    def rows(self) -> list[dict[str, str]]:
        """Every row in words, for a manifest: parameter, distribution, why, source."""
        return [
            {"parameter": prior.parameter, "distribution": prior.describe(), "why": prior.why, "source": prior.source}
            for prior in self.priors.values()
        ]


_POSITIVE = ("half_normal", "gamma")
_ANY = ("normal", "student_t", "exchangeable_normal", *_POSITIVE)
ALLOWED: Mapping[str, tuple[str, ...]] = {
    "normal": _ANY,
    "student_t": _ANY,
    "exchangeable_normal": _ANY,
    "half_normal": _POSITIVE,
    "gamma": _POSITIVE,
    "lkj": ("lkj",),
    "beta": ("beta",),
}
"""By a parameter's distribution in the default set, those that another set may give it: none with other values."""


def of_fits(rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Distribution of every parameter that a fit may use, from `PriorSet.rows`: two sets that share these fit alike."""
    return {row["parameter"]: row["distribution"] for row in rows if row["parameter"] not in AFTER_THE_FIT}


def shipped() -> list[str]:
    """Names of the sets in this folder, the default first."""
    return sorted((path.stem for path in FOLDER.glob("*.toml")), key=lambda name: (name != DEFAULT, name))


def load(name: str | Path = DEFAULT) -> PriorSet:
    """Read a prior set by name (`weakly_informative`) or path (`my/priors.toml`).

    Raises
    ------
    InvalidPriors
        If there is no such set, or a row lacks its reason, names an unknown distribution or holds an impossible number.
    """
    path = Path(name) if str(name).endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidPriors(
            f"There is no prior set {str(name)!r}. Shipped: {', '.join(shipped())}; or give the path of a .toml file."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidPriors(f"{path} cannot be read as TOML: {error}.") from None
    rows = table.get("parameters", {})
    if not isinstance(rows, dict) or not rows:
        raise InvalidPriors(f"{path} holds no [parameters.NAME] rows. Copy {FOLDER / DEFAULT}.toml and change it.")
    faults = [fault for parameter, row in rows.items() for fault in _faults(parameter, row)]
    if not isinstance(table.get("informed", False), bool):
        faults.append(f"informed: must be true or false, not {table['informed']!r}")
    if faults:
        raise InvalidPriors(f"{path} has {len(faults)} fault(s):\n" + "\n".join(f"  - {fault}" for fault in faults))
    name = str(table.get("name", path.stem))
    if name in shipped() and path.resolve().parent != FOLDER:
        raise InvalidPriors(
            f'{path}: the name "{name}" is that of a set that ships. Give your own set its own name and why.'
        )
    priors = {parameter: _prior(parameter, row) for parameter, row in rows.items()}
    return PriorSet(name, str(table.get("why", "")), priors, path, table.get("informed", False))


def _prior(parameter: str, row: Mapping[str, object]) -> Prior:
    arguments = {name: float(row[name]) for name in ARGUMENTS[str(row["distribution"])]}  # type: ignore[arg-type]
    return Prior(parameter, str(row["distribution"]), arguments, str(row["why"]), str(row.get("source", "")))


def _faults(parameter: str, row: object) -> list[str]:
    if not isinstance(row, dict):
        return [f"{parameter}: must be a table [parameters.{parameter}]"]
    distribution = str(row.get("distribution"))
    if distribution not in ARGUMENTS:
        return [f"{parameter}: distribution {distribution!r} is not one of {', '.join(ARGUMENTS)}"]
    found = []
    if allowed := _may_be(parameter, distribution):
        found.append(f"{parameter}: distribution {distribution!r} is not one that it may have: {', '.join(allowed)}")
    if not str(row.get("why", "")).strip():
        found.append(f'{parameter}: say why, in one sentence (why = "…")')
    for unknown in sorted(set(row) - _TEXTS - set(ARGUMENTS[distribution])):
        found.append(f"{parameter}: {unknown!r} is not a number of {distribution}")
    for name in ARGUMENTS[distribution]:
        found += [f"{parameter}: {name} {fault}" for fault in _number_faults(name, row.get(name))]
    return found


def _may_be(parameter: str, distribution: str) -> tuple[str, ...]:
    """Distributions that a parameter may have, where this is none of them: an SD is positive, a correlation below 1."""
    usual = _usual().get(parameter, distribution)
    allowed = ALLOWED[usual]
    return () if distribution in allowed else allowed


@cache
def _usual() -> Mapping[str, str]:
    """Distribution of each parameter in the default set."""
    rows = tomllib.loads((FOLDER / f"{DEFAULT}.toml").read_text(encoding="utf-8"))["parameters"]
    return {parameter: row["distribution"] for parameter, row in rows.items()}


def _number_faults(name: str, value: object) -> list[str]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return [f"must be a finite number, not {value!r}"]
    if name in ("sd", "scale", "df", "shape", "rate", "a", "b") and value <= 0:
        return [f"must be above 0, not {value}"]
    if name == "correlation" and not 0 <= value < 1:
        return [f"must be in [0, 1), not {value}"]
    return []
