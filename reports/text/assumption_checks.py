"""What a run's checks say of an assumption: it is "checked" only where a check that can fail did not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.checks.gate_table import CheckName
from models.trial.data_check import absorbing
from reports.text import negative_control
from reports.text.facts import Facts
from reports.text.words import agreeing


class Basis(StrEnum):
    """What stands behind an assumption."""

    DESIGN = "by design"
    CHECKED = "checked"
    DOUBT = "in doubt"
    UNTESTABLE = "not testable"
    UNCHECKED = "not checked"


@dataclass(frozen=True)
class Standing:
    """How an assumption stands.

    Attributes
    ----------
    basis : Basis
        By design, checked where a check that can fail did not, in doubt where it did, not testable where no data of the
        trial can speak on it, not checked where they might.
    section : int or None
        Section of the page that tells more.
    detail : str
        What a check found, with its numbers.
    """

    basis: Basis
    section: int | None = None
    detail: str = ""

    @property
    def words(self) -> str:
        """Without the numbers: "checked in § 5", "in doubt, see § 8"."""
        if self.section is None:
            return str(self.basis)
        return f"{self.basis}{' in' if self.basis is Basis.CHECKED else ', see'} § {self.section}"

    def __str__(self) -> str:
        """Numbers and all."""
        return f"{self.words}: {self.detail}" if self.detail else self.words


DESIGN, UNTESTABLE, UNCHECKED = (Standing(basis) for basis in (Basis.DESIGN, Basis.UNTESTABLE, Basis.UNCHECKED))


def found_in(section: int, *, right: bool, detail: str = "") -> Standing:
    """By a check that can fail, and has failed or not."""
    return Standing(Basis.CHECKED if right else Basis.DOUBT, section, detail)


def by_gate(facts: Facts, section: int, name: CheckName) -> Standing:
    """By the gate's check of that name; not checked where the gate has made none."""
    check = facts.check(name)
    return found_in(section, right=check.passed) if check and check.applies else UNCHECKED


def predicted(facts: Facts, *names: str) -> Standing:
    """By predictive checks of these names, all of which must lie inside; not checked where there is none."""
    table = facts.run.predictive_checks
    inside = table["inside"][table["check"].isin(names)]
    return found_in(7, right=bool(inside.all())) if len(inside) else UNCHECKED


def early_difference(facts: Facts) -> Standing:
    """Where the negative control is looked at, with its numbers; checked only if it is precise enough."""
    if facts.withheld:
        return UNCHECKED
    wave = next(wave for wave in facts.contrasts if facts.role(wave) == "negative control")
    contrast = facts.estimate(facts.scale.difference, wave)
    if not contrast.identified:
        return Standing(Basis.UNCHECKED, detail="nobody was seen there")
    median = contrast.number("median").text
    reported = f"{median} {agreeing(median, facts.scale.points)} ({contrast.interval})"
    found = negative_control.found(facts, contrast)
    if found == negative_control.IMPRECISE:
        wide = f"{reported}, too wide to rule out a bias as large as the margin (§ 5)"
        return Standing(Basis.UNCHECKED, detail=wide)
    return found_in(5, right=found == negative_control.CLEAR, detail=reported)


def comes_back(facts: Facts) -> Standing:
    """By the data check, which asks whether as few as were seen without the outcome after it could be chance."""
    check = facts.check(CheckName.DATA)
    if check is None:
        return UNCHECKED
    return found_in(2, right={"finding": absorbing.KIND} not in check.where)


def worse(*standings: Standing) -> Standing:
    """The worst of what several checks found: in doubt before checked, and not checked only where none was made."""
    order = (Basis.DOUBT, Basis.CHECKED, Basis.UNCHECKED)
    return min(standings, key=lambda standing: order.index(standing.basis))
