"""How far what goes through the mediators leans on the priors, as a table of section 8, and what was not run."""

from __future__ import annotations

from models.estimands.coordinates import VARIABLE
from reports.text import mediated
from reports.text.elements import worded
from reports.text.facts import Facts
from reports.text.numbers import Number, Unit, rounded, show
from reports.text.parts import Cell, Column, Table
from reports.text.words import capital

SCALING, REFITS = "Power-scaling of direct and indirect effects", "Refits of direct and indirect effects"
NO_REFITS = "the mediation model was fitted once, under the priors of § 4; other ones need runs of their own."


def not_run(facts: Facts) -> dict[str, str]:
    """What this section cannot show of the mediation model, each with the reason."""
    reason = mediated.not_run(facts)
    if reason:
        return {"path_power_scaling_reason": f"{SCALING}. {reason}"}
    found = {"path_refits_reason": f"{REFITS} under other priors. Not run: {NO_REFITS}"}
    withheld = facts.paths is not None and facts.paths.withheld
    if withheld:
        return {"path_power_scaling_reason": f"{SCALING}. Not printed: the mediation model’s gate is red."} | found
    if not _records(facts):
        return {"path_power_scaling_reason": f"{SCALING}. Not run: the run holds none."} | found
    return found


def _records(facts: Facts) -> list[dict]:
    table = None if facts.paths is None else facts.paths.run.path_power_scaling
    return [] if table is None else table.to_dict("records")


def scaling(facts: Facts) -> Table | None:
    """Power-scaling of direct and indirect effects at the primary wave; None where there is none to print."""
    if "path_power_scaling_reason" in not_run(facts):
        return None
    columns = (
        Column("quantity", "Quantity"),
        Column("prior", "Prior", "sensitivity index", number=True),
        Column("likelihood", "Likelihood", "sensitivity index", number=True),
        Column("shift", "Shift of the median", facts.scale.points, number=True),
        Column("flag", "Verdict"),
    )
    rows = []
    for row in _records(facts):
        where = {dim: row[dim] for dim in ("mediator", "arm") if row[dim]}
        words = worded({VARIABLE: row["estimand"], **where}, facts.study)
        shift = signed(float(row["shift"]), facts.scale.difference_unit, 1)
        rows.append(
            {
                "quantity": Cell(capital(words), str(row["element"])),
                "prior": Cell(show(float(row["prior"])).text, float(row["prior"])),
                "likelihood": Cell(show(float(row["likelihood"])).text, float(row["likelihood"])),
                "shift": Cell(shift.text, float(row["shift"])),
                "flag": Cell("! Look" if row["flag"] else "✓ Pass", bool(row["flag"]), "nowrap"),
            }
        )
    caption = (
        f"The same for what goes directly and through the mediators, {facts.wave(facts.primary)}, and for the parts of "
        f"the change in the {facts.arm('control', 40).text} arm (§ 6)"
    )
    return Table("path_power_scaling", caption, columns, tuple(rows))


def signed(value: float, unit: Unit, digits: int) -> Number:
    """Shift with its sign, a plus as well."""
    shift = show(value, unit, digits)
    return Number(shift.value, f"+{shift.text}" if rounded(value * unit.factor, digits) > 0 else shift.text)
