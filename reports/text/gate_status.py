"""What the gates of a whole run come to: every fit has its own, and the run is as good as the worst of them."""

from __future__ import annotations

from dataclasses import dataclass

from models.checks.gate_table import Check, Status
from reports.text.check_words import WordedCheck
from reports.text.facts import Facts
from reports.text.words import clean


@dataclass(frozen=True)
class Judged:
    """A check with the model that it was made on: "effect", "mediation"."""

    model: str
    worded: WordedCheck

    @property
    def check(self) -> Check:
        """As the run holds it."""
        return self.worded.check


def checks(facts: Facts) -> list[Judged]:
    """Every check of every fit, the first fit's first."""
    return [Judged(name, check) for name, fit in fits(facts).items() for check in fit.checks]


def counted(facts: Facts) -> list[Judged]:
    """Checks that their fit has a use for."""
    return [one for one in checks(facts) if one.check.applies]


def fits(facts: Facts) -> dict[str, Facts]:
    """Facts of each fit by its model's name."""
    return {clean(facts.manifest["model"]): facts, **facts.further}


def status(facts: Facts) -> Status:
    """Worst status of all fits."""
    return facts.run.status


def worst(facts: Facts) -> list[Judged]:
    """The checks that made the run amber or red."""
    return [one for one in checks(facts) if not one.check.passed and one.check.status == status(facts)]


def named(facts: Facts, one: Judged) -> str:
    """Name of a check, with its model where there are several."""
    return f"{one.model} model, {one.check.name}" if facts.further else one.check.name


def reported(facts: Facts, one: Judged) -> str:
    """A check, its model where there are several, what was found, where it is worst and the limit."""
    return one.worded.reported(named(facts, one))


def closest(facts: Facts) -> Judged | None:
    """The check that used most of its limit, among those that passed and have a number; None where none has one."""
    last = max((one for one in counted(facts) if one.check.passed), key=_used, default=None)
    return last if last and _used(last) > 0 else None


def _used(one: Judged) -> float:
    limit = one.check.limit
    return limit.used(one.check.value) if limit else 0.0


def reason(facts: Facts) -> str:
    """The checks that made the run amber or red, each with the element that came out worst; empty where none did."""
    reported_of = [reported(facts, one) for one in worst(facts)]
    return (
        f"{'Failed' if status(facts) is Status.RED else 'To look at'}: {'; '.join(reported_of)}." if reported_of else ""
    )
