"""Section 3: losses in the flow, Table 1 with mediators and missing values, loss by the outcome of the wave before."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from reports import page
from reports.facts import Facts
from reports.people import ARMS
from reports.privacy import SUPPRESSED
from reports.sections import dropout
from tests.report_fixture import Recipe, make

MINIMUM = 5


def facts_of(folder: Path, missing: np.ndarray | None = None, **recipe) -> Facts:
    """Facts of a made-up run; `missing` (participant, wave) says whose outcome is made missing instead of its own."""
    run = make(folder, Recipe(**recipe))
    if missing is not None:
        group = run.core["observed_data"].to_dataset()
        outcome = np.random.default_rng(3).integers(0, 2, missing.shape).astype(float)
        outcome[missing] = np.nan
        run.core["observed_data"] = xr.DataTree(group.assign(outcome=(("participant", "wave"), outcome)))
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
    lines = {(wave, arm): pair for wave, arm, pair in dropout.told(facts).lines}
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


def test_one_small_cell_hides_every_wave(tmp_path: Path) -> None:
    # 5, 15 and 25 lost by wave: every number observed may be told, losses by outcome at the second wave may not
    facts = facts_of(tmp_path, lost((5, 10, 25, 40)), minimum_cell=MINIMUM)
    assert not [cell for cell in facts.people.observed.values() if cell.kind == SUPPRESSED]
    found = dropout.told(facts)
    assert {wave for wave, _, _ in found.lines} == {dropout.ALL}
    assert not found.coarse
    assert (
        min(number for _, _, pair in found.lines for loss in pair for number in (loss.lost, loss.of - loss.lost)) >= 5
    )
    unlimited = dropout.told(facts_of(tmp_path, lost((5, 10, 25, 40))))
    assert len(unlimited.lines) == 8
    assert any(loss.lost < MINIMUM for _, _, pair in unlimited.lines for loss in pair)


def test_beside_a_hidden_number_shares_have_steps_of_five_points_and_no_counts(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, lost((0, 3, 16, 28)), minimum_cell=MINIMUM)
    assert [cell for cell in facts.people.observed.values() if cell.kind == SUPPRESSED]
    found = dropout.told(facts)
    assert found.coarse
    page.build(facts.run)
    rows = list(csv.DictReader((tmp_path / "tables" / "dropout.csv").read_text(encoding="utf-8").splitlines()))
    for row in rows:
        assert {row[f"after_{k}_{what}"] for k in ("lower", "higher") for what in ("lost", "of")} == {SUPPRESSED}
        for key in ("after_lower", "after_higher"):
            assert float(row[key]) / 0.05 == pytest.approx(round(float(row[key]) / 0.05))


def test_where_too_few_are_lost_nothing_is_told_not_even_that_nobody_is(tmp_path: Path) -> None:
    told = [
        dropout.told(facts_of(tmp_path, lost(counts), minimum_cell=MINIMUM)).reason
        for counts in ((0, 0, 0, 0), (0, 1, 2, 3), (0, 0, 0, 2))
    ]
    assert len(set(told)) == 1
    assert "Not shown" in told[0]
    assert "Nobody" in dropout.told(facts_of(tmp_path, lost((0, 0, 0, 0)))).reason


@pytest.mark.parametrize(("kind", "words"), [("count", "one or more"), ("continuous", "the median or less")])
def test_other_outcomes_are_split_at_zero_or_the_median(tmp_path: Path, kind: str, words: str) -> None:
    facts = facts_of(tmp_path, kind=kind)
    table = dropout.tables(facts)["dropout"]
    assert words in " ".join(column.head for column in table.columns)
    of = [pair for wave, _, pair in dropout.told(facts).lines if wave == facts.study.waves[1].value]
    split = sum(pair[0].of for pair in of), sum(pair[1].of for pair in of)
    first = facts.people.outcome[:, 0]
    assert split[1] == int((first > (0 if kind == "count" else np.nanmedian(first))).sum())
    assert sum(split) == int((~np.isnan(first)).sum())


def test_table_one_has_mediators_what_is_missing_and_the_flow_who_was_not_seen(tmp_path: Path) -> None:
    run = make(tmp_path, Recipe(mediators=("continuous", "share", "binary")))
    rng, names = np.random.default_rng(2), [part.column for part in run.study.mediators]
    value = np.stack([rng.normal(50, 9, (107, 4)), rng.random((107, 4)), rng.integers(0, 2, (107, 4)).astype(float)])
    value[0, :9, 0] = np.nan
    known = run.core["constant_data"].to_dataset()
    known = known.assign(mediator_value=(("mediator", "participant", "wave"), value)).assign_coords(mediator=names)
    run.core["constant_data"] = xr.DataTree(known)
    section = next(one for one in page.compose(Facts(run)) if one.number == 3)
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
    assert rows[labels[2]]["treated"].text == f"{yes.sum():.0f} ({100 * yes.mean():.0f}%)"
    flow = section.figures["flow"]
    for row in flow.rows:
        assert row[flow.columns.index("not_seen")] == row[2] - row[3]


def test_a_cell_is_small_by_who_left_and_by_who_stayed(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, minimum_cell=MINIMUM)
    assert dropout._small(facts, dropout.Loss(20, 4))
    assert dropout._small(facts, dropout.Loss(20, 16))
    assert not dropout._small(facts, dropout.Loss(20, 15))
