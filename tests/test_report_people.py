"""Section 3: losses in the flow, Table 1 with mediators and missing values, loss by the outcome of the wave before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from reports.page import build
from reports.sections import dropout
from reports.text.facts import Facts
from reports.text.people import ARMS
from tests.report_fixture import Recipe, make

MINIMUM = 5


def facts_of(folder: Path, missing: np.ndarray | None = None, **recipe) -> Facts:
    """Facts of a made-up run; `missing` (participant, wave) says whose outcome is made missing instead of its own."""
    run = make(folder, Recipe(**recipe))
    if missing is not None:
        group = run.tree["trial"].to_dataset()
        outcome = np.random.default_rng(3).integers(0, 2, missing.shape).astype(float)
        outcome[missing] = np.nan
        run.tree["trial"] = xr.DataTree(group.assign(outcome=(("participant", "wave"), outcome)))
    return Facts(run)


def lost(counts: tuple[int, ...]) -> np.ndarray:
    """Whose outcomes are missing: in each arm so many at each wave, for good."""
    found = np.zeros((107, 4), bool)
    for start in (0, 50):
        for wave, count in enumerate(counts):
            found[start : start + count, wave:] = True
    return found


def test_losses_are_counted_as_by_hand(tmp_path: Path) -> None:
    facts = facts_of(tmp_path)
    people = facts.people
    lines = {(wave, arm): pair for wave, arm, pair in dropout.reported(facts).lines}
    for code, arm in enumerate(ARMS):
        total = [[0, 0], [0, 0]]
        for place, wave in enumerate(people.waves[1:], 1):
            for value in (0, 1):
                before = [p for p in range(107) if people.arm[p] == code and people.outcome[p, place - 1] == value]
                gone = [p for p in before if np.isnan(people.outcome[p, place])]
                found = lines[wave, arm][value]
                assert (found.of, found.lost) == (len(before), len(gone))
                total[value][0] += len(before)
                total[value][1] += len(gone)
        assert [[one.of, one.lost] for one in lines[dropout.ALL, arm]] == total
    assert sum(pair[0].lost + pair[1].lost for pair in lines.values()) > 10


def test_how_many_are_missing_is_never_hidden(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, lost((0, 1, 2, 3)), minimum_cell=MINIMUM)
    section = next(one for one in build.compose(facts) if one.number == 3)
    last = section.tables["missing"].rows[-1]
    assert last["control_outcome missing"].text == "3 (6%)"
    assert {cell.kind for cell in facts.people.observed.values()} == {""}
    lines = {(wave, arm): pair for wave, arm, pair in dropout.reported(facts).lines}
    assert sum(loss.lost for loss in lines["6 months", "treated"]) == 1
    assert "Nobody" in dropout.reported(facts_of(tmp_path, lost((0, 0, 0, 0)))).reason


def test_losses_whose_denominators_are_hidden_are_not_told(tmp_path: Path) -> None:
    run = make(tmp_path, Recipe(minimum_cell=MINIMUM))
    group = run.tree["trial"].to_dataset()
    outcome = np.zeros((107, 4))
    outcome[::2] = 1.0
    outcome[:50, 1] = np.arange(50) < 3  # 3 of 50 in the control arm
    outcome[40:50, 2] = np.nan
    run.tree["trial"] = xr.DataTree(group.assign(outcome=(("participant", "wave"), outcome)))
    assert "small cells" in dropout.reported(Facts(run)).reason
    outcome[:50, 1] = np.arange(50) < MINIMUM
    run.tree["trial"] = xr.DataTree(group.assign(outcome=(("participant", "wave"), outcome)))
    assert dropout.reported(Facts(run)).lines


@pytest.mark.parametrize(("kind", "words"), [("count", "one or more"), ("continuous", "the median or less")])
def test_other_outcomes_are_split_at_zero_or_the_median(tmp_path: Path, kind: str, words: str) -> None:
    facts = facts_of(tmp_path, kind=kind)
    table = dropout.tables(facts)["dropout"]
    assert words in " ".join(column.head for column in table.columns)
    of = [pair for wave, _, pair in dropout.reported(facts).lines if wave == facts.study.waves[1].value]
    split = sum(pair[0].of for pair in of), sum(pair[1].of for pair in of)
    first = facts.people.outcome[:, 0]
    assert split[1] == int((first > (0 if kind == "count" else np.nanmedian(first))).sum())
    assert sum(split) == int((~np.isnan(first)).sum())


def test_table_one_has_mediators_what_is_missing_and_the_flow_who_was_not_seen(tmp_path: Path) -> None:
    run = make(tmp_path, Recipe(mediators=("continuous", "share", "binary")))
    rng, names = np.random.default_rng(2), [part.column for part in run.study.mediators]
    value = np.stack([rng.normal(50, 9, (107, 4)), rng.random((107, 4)), rng.integers(0, 2, (107, 4)).astype(float)])
    value[0, :9, 0] = np.nan
    known = run.tree["trial"].to_dataset()
    known = known.assign(mediator_value=(("mediator", "participant", "wave"), value)).assign_coords(mediator=names)
    run.tree["trial"] = xr.DataTree(known)
    section = next(one for one in build.compose(Facts(run)) if one.number == 3)
    rows = {str(row["variable"].value).casefold(): row for row in section.tables["baseline"].rows}
    labels = [part.label.casefold() for part in run.study.mediators]
    arm = known["arm"].to_numpy()
    first = value[0, arm == 0, 0]
    assert rows[labels[0]]["control"].text == f"{np.nanmean(first):.1f} ({np.nanstd(first, ddof=1):.1f})"
    assert rows[f"{labels[0]}: missing"]["control"].value == int(np.isnan(first).sum()) == 9
    share = 100 * value[1, arm == 1, 0]
    assert rows[labels[1]]["treated"].text == f"{share.mean():.1f} ({share.std(ddof=1):.1f})"
    assert f"{labels[1]}: missing" not in rows
    yes = value[2, arm == 1, 0]
    assert rows[labels[2]]["treated"].text == f"{yes.sum():.0f} ({100 * yes.mean():.1f}%)"
    flow = section.figures["flow"]
    for row in flow.rows:
        assert row[flow.columns.index("not_seen")] == row[2] - row[3]
