"""What a made-up run should look like, or a small real one, and its study file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from models.checks.gate_table import Status
from models.trial.study_file.study import Study, parse


@dataclass(frozen=True)
class Recipe:
    """What the run should look like; a real one (`report_job`) takes from it what goes in, a made-up one all."""

    kind: str = "binary"
    better: str = "lower"
    effect: float = -0.25
    """Of the programme on the outcome, on the link scale."""
    status: str = Status.GREEN
    """Of the effect model's gate, where it is made up."""
    minimum_cell: int = 0
    baseline: bool = True
    negative_control: bool = True
    covariates: bool = True
    several_waves: bool = True
    simulated: bool = True
    seed: int = 7
    texts: dict[str, str] = field(default_factory=dict)
    mediators: tuple[str, ...] = ()
    """Kinds of the mediators that the study names."""
    mediation: str | None = Status.GREEN
    """Status of the mediation fit's gate; None where it was not run."""
    interaction: bool = False
    one_sign: bool = False
    outside: tuple[str, ...] = ()
    """Columns of mediators whose transforms leave their band, where they are made up."""
    lag: int = 1
    asked: str = "all"
    """What was asked of the assumptions: "all", "little" (most of it not run) or "none" (an older run)."""
    slopes: bool = False
    """Whether a real run tries random slopes: a fit more."""
    further: tuple[str, ...] = ()
    """Kinds of the further outcomes; the last of several is post hoc."""
    blank: int | None = None
    """Place of the further outcome of which nobody has a value."""

    @property
    def hides(self) -> bool:
        """Whether small cells of the outcome are hidden too."""
        return self.minimum_cell > 0

    def text(self, key: str, default: str) -> str:
        return self.texts.get(key, default)


def study(recipe: Recipe) -> Study:
    """The study, read."""
    return parse(content(recipe))


def content(recipe: Recipe) -> dict[str, Any]:
    """Study file with two follow-ups; `texts` may replace any label."""
    waves = [
        {
            "value": "post-test",
            "label": recipe.text("wave1", "after the training"),
            "month": 1,
            "role": "negative control",
        },
        {
            "value": "3 months",
            "label": recipe.text("wave2", "3 months after the programme"),
            "month": 11,
            "role": "follow-up",
        },
        {
            "value": "6 months",
            "label": recipe.text("wave3", "6 months after the programme"),
            "month": 14,
            "role": "follow-up",
        },
    ]
    if not recipe.negative_control:
        waves = waves[1:]
    if not recipe.several_waves:
        waves = waves[-1:]
    if recipe.baseline:
        waves.insert(
            0,
            {
                "value": "baseline",
                "label": recipe.text("wave0", "before the programme"),
                "month": 0,
                "role": "baseline",
            },
        )
    covariates = [
        {"column": "age", "kind": "continuous", "label": recipe.text("covariate", "age, years")},
        {
            "column": "education",
            "kind": "categorical",
            "label": "education",
            "levels": ["primary or none", "secondary", "more"],
        },
    ]
    label, margin = {
        "binary": ("violence from customers in the past 90 days", 0.10),
        "count": ("number of violent episodes in the past 90 days", 0.5),
        "continuous": ("depression score", 0.5),
    }[recipe.kind]
    return {
        "title": recipe.text("title", "A made-up trial"),
        # nothing of simulated data is hidden
        "simulated": recipe.simulated and not recipe.minimum_cell,
        "seed": 1,
        "primary_wave": "6 months",
        "question": recipe.text(
            "question", "Did adding savings to training change women's risk of violence from customers?"
        ),
        "description": recipe.text("description", "Numbers from a seeded generator; they describe nobody."),
        "data": {"file": "data.csv"},
        "columns": {"participant": "participant", "wave": "wave", "arm": "arm"},
        "arms": {
            "control": {"value": "control", "label": recipe.text("control", "training"), "randomised": 50},
            "treated": {
                "value": "savings",
                "label": recipe.text("treated", "training plus microsavings"),
                "randomised": 57,
            },
        },
        "waves": waves,
        "covariates": covariates if recipe.covariates else [],
        "outcome": {
            "column": "violence",
            "kind": recipe.kind,
            "label": recipe.text("outcome", label),
            "better": recipe.better,
            "margin": margin,
            "margin_reason": recipe.text("margin_reason", "Agreed with the study's advisory board."),
        },
        "further_outcomes": [_further(recipe, place) for place in range(len(recipe.further))],
        "privacy": {"minimum_cell": recipe.minimum_cell, "hide_outcome_counts": recipe.hides},
        **_mediation(recipe),
        "author": {"registration": recipe.text("author", "none"), "funding": "none"},
    }


def _further(recipe: Recipe, place: int) -> dict[str, object]:
    kind = recipe.further[place]
    return {
        "column": f"further_{place}",
        "kind": kind,
        "label": recipe.text(f"further{place}", f"further {kind} outcome"),
        "better": recipe.better,
        "margin": 0.1 if kind == "binary" else 0.5,
        "margin_reason": "Made up.",
        "prespecified": place == 0 or place < len(recipe.further) - 1,
    }


LABELS = ("social support score", "share of income from sex work", "has a bank account", "hope score")
COLUMNS = ("social_support", "income_share", "bank_account", "hope")


def _mediation(recipe: Recipe) -> dict[str, object]:
    """Mediators of the study file; the first one's slope may differ by arm."""
    if not recipe.mediators:
        return {}
    mediators = [
        {
            "column": COLUMNS[place],
            "kind": kind,
            "label": recipe.text(f"mediator{place}", LABELS[place]),
            "interaction": recipe.interaction and place == 0,
        }
        for place, kind in enumerate(recipe.mediators)
    ]
    return {"mediators": mediators, "add_on": True, "lag": recipe.lag}
