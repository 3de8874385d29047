"""What a scenario is made of, possible or not: `scenario_rules` says what is possible.

The module belongs to the independent oracle: numpy and the standard library only, no other part of the project.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CONTROL, TREATED = 0, 1
ARMS = ("control", "treated")


@dataclass(frozen=True)
class Wave:
    """One interview: its value in the data, its printed label, months since baseline and its role.

    `exposed` is of a negative control: how much of the programme came before it ("none", "partly"; "": not said).
    """

    value: str
    label: str = ""
    month: float = 0.0
    role: str = "follow-up"
    exposed: str = ""


@dataclass(frozen=True)
class Arm:
    """One arm: its value in the data, its printed label and the number of women randomised to it."""

    value: str
    label: str = ""
    participants: int = 100


@dataclass(frozen=True)
class Covariate:
    """A baseline variable.

    Continuous: normal(mean, sd), cut to [minimum, maximum], whole numbers on request; its effects are per `sd`
    around `mean`. Categorical: `levels` with probabilities `shares`. If `control` and `treated` are given, exactly
    these values (categorical: so many women of each level) are dealt at random to the women of each arm (covariates
    of one `deck` by one shuffle, so that they stay paired); other numbers of women draw from both arms' together.
    """

    column: str
    label: str = ""
    kind: str = "continuous"
    adjust: bool = True
    mean: float = 0.0
    sd: float = 1.0
    minimum: float = float("-inf")
    maximum: float = float("inf")
    whole: bool = False
    decimals: int = 2
    levels: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    control: tuple[int, ...] = ()
    treated: tuple[int, ...] = ()
    deck: str = ""

    @property
    def dealt(self) -> tuple[list[int], list[int]]:
        """The values to deal in each arm, control first; level numbers if categorical; empty if there are none."""
        if self.kind == "continuous":
            return list(self.control), list(self.treated)
        arms = [[level for level, n in enumerate(counts) for _ in range(n)] for counts in (self.control, self.treated)]
        return arms[0], arms[1]


@dataclass(frozen=True)
class Mediator:
    """A mediator M_t = intercept_t + arm_effect_t x_t + trait + covariates + paths + confounder U_t + noise.

    `continuous`: the sum itself with residual SD `residual_sd`. `binary`: probability logit⁻¹(sum). `share`: ordered
    beta (Kubinec 2022) with P(0) = 1 - logit⁻¹(sum - c1), P(1) = logit⁻¹(sum - c2), else Beta(μφ, (1 - μ)φ),
    μ = logit⁻¹(sum), φ = `precision`, (c1, c2) = `cutpoints`. Paths multiply (source - its `centre`): `previous` from
    the wave before (its own column is allowed), `same_wave` from a mediator listed earlier. `family` and `interaction`
    go to the study file as they are: how the trial is analysed, whatever made it.
    """

    column: str
    label: str = ""
    kind: str = "continuous"
    intercepts: tuple[float, ...] = ()
    arm_effects: tuple[float, ...] = ()
    trait_sd: float = 0.0
    residual_sd: float = 1.0
    cutpoints: tuple[float, ...] = (-3.0, 3.0)
    precision: float = 10.0
    centre: float = 0.0
    previous: Mapping[str, float] = field(default_factory=dict)
    same_wave: Mapping[str, float] = field(default_factory=dict)
    covariates: Mapping[str, Any] = field(default_factory=dict)
    confounder: float = 0.0
    decimals: int = 4
    family: str = "normal"
    interaction: bool = False


@dataclass(frozen=True)
class Grouping:
    """Groups that participants share, of equal size but for one.

    kind `randomised`: whole groups are allocated, `groups` (control, treated); `site`: arms cross within `groups`
    (all,); `delivery`: `groups` (treated,), whose levels are felt at follow-ups and partly exposed waves alone. `sds`
    and `wave_sds` are by column of an outcome or mediator: SDs of the groups' lasting levels, and of those of a wave.
    """

    column: str
    kind: str
    groups: tuple[int, ...]
    label: str = ""
    sds: Mapping[str, float] = field(default_factory=dict)
    wave_sds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Exposure:
    """What a count arises over at each wave: 0 with probability `none`, else uniform between `least` and `most`.

    These two are (control, treated), at a baseline control's for both. Means are compared at the amount `at`, which
    `per` names: "12 months followed".
    """

    column: str
    per: str
    at: float = 1.0
    least: tuple[float, ...] = (1.0, 1.0)
    most: tuple[float, ...] = (1.0, 1.0)
    none: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """An outcome with linear predictor η_t; arms enter as x_t = ±1/2, and x_t = 0 at a baseline wave.

    η_t = intercept_t + arm_effect_t x_t + Σ (mediators_m + interactions_m x_t)(M_{t-lag} - centre) + covariates
    + trait + shock_t + confounder U_{t-lag}; where t < lag U is absent, and `Scenario` says what M is.
    Interactions begin with a follow-up. `binary`: link⁻¹(η);
    `count`: mean exp(η), variance mean + dispersion mean², a 0 raised to 1 at waves whose `floor` is 1; `continuous`:
    η with `residual_sd`. `union_of`: 1 if any of these binary outcomes is 1 (then no equation of its own).
    `gated_by`: a count that forces a 0 where it is 0.
    `sensitivity`, `specificity`: of reporting, (control, treated); before randomisation both arms report as control.
    `exposure`: over what a count arises; exp(η) is then its mean at the amount `at`.
    """

    column: str
    label: str = ""
    kind: str = "binary"
    link: str = "logit"
    better: str = "lower"
    margin: float | None = None
    margin_reason: str = ""
    intercepts: tuple[float, ...] = ()
    arm_effects: tuple[float, ...] = ()
    trait_sd: float = 0.0
    shock_sd: float = 0.0
    residual_sd: float = 1.0
    dispersion: float = 0.0
    floor: tuple[int, ...] = ()
    mediators: Mapping[str, float] = field(default_factory=dict)
    interactions: Mapping[str, float] = field(default_factory=dict)
    covariates: Mapping[str, Any] = field(default_factory=dict)
    confounder: float = 0.0
    union_of: tuple[str, ...] = ()
    gated_by: str = ""
    sensitivity: tuple[float, ...] = (1.0, 1.0)
    specificity: tuple[float, ...] = (1.0, 1.0)
    exposure: Exposure | None = None


@dataclass(frozen=True)
class Correlation:
    """The correlation of two traits, each named by the column of its outcome or mediator."""

    first: str
    second: str
    value: float


@dataclass(frozen=True)
class Confounder:
    """Unmeasured U_t: SD 1, AR(1) with `persistence`, shifted by `arm_effect` x_t at follow-up; on M_t and Y_{t+1}."""

    persistence: float = 0.0
    arm_effect: float = 0.0


@dataclass(frozen=True)
class Selection:
    """Entry into the trial with probability logit⁻¹(intercept + trait + shock of `outcome` at the first wave)."""

    outcome: str
    intercept: float


@dataclass(frozen=True)
class Missingness:
    """A mechanism of missing data with log-odds logit(rate_t) + the terms below.

    kind `dropout`: that visit and all later ones; `intermittent`: that visit, or only `columns` of it. `rates`: for a
    woman with all terms 0. `arm` multiplies x_t; `last_outcome` the last observed value of the primary outcome and
    `last_mediators` the last observed value minus its centre (missing at random); `current_outcome`, (control,
    treated), multiplies the value itself (not at random; for a binary outcome it is exactly the log odds ratio δ
    between women not seen and women seen).
    """

    kind: str
    rates: tuple[float, ...]
    arm: float = 0.0
    last_outcome: float = 0.0
    last_mediators: Mapping[str, float] = field(default_factory=dict)
    current_outcome: tuple[float, ...] = (0.0, 0.0)
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attendance:
    """Sessions attended: beta-binomial of those `offered`, with `mean` share and `precision`, (control, treated)."""

    column: str
    offered: tuple[int, ...]
    mean: tuple[float, ...]
    precision: float = 5.0


@dataclass(frozen=True)
class Description:
    """The values of a scenario; `outcomes[0]` is the primary outcome."""

    name: str
    title: str
    waves: tuple[Wave, ...]
    primary_wave: str
    control: Arm
    treated: Arm
    outcomes: tuple[Outcome, ...]
    question: str = ""
    description: str = ""
    add_on: bool = False
    lag: int = 1
    acts_at_baseline: bool = True
    mediators: tuple[Mediator, ...] = ()
    covariates: tuple[Covariate, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    confounder: Confounder | None = None
    selection: Selection | None = None
    missingness: tuple[Missingness, ...] = ()
    attendance: Attendance | None = None
    groupings: tuple[Grouping, ...] = ()
    minimum_cell: int = 0
    author: Mapping[str, str] = field(default_factory=dict)

    @property
    def equations(self) -> "tuple[Outcome | Mediator, ...]":
        """Everything measured at each wave: outcomes, then mediators."""
        return (*self.outcomes, *self.mediators)

    @property
    def outcome(self) -> Outcome:
        """The primary outcome."""
        return self.outcomes[0]

    @property
    def arms(self) -> tuple[Arm, Arm]:
        """The two arms, control first."""
        return (self.control, self.treated)

    @property
    def participants(self) -> int:
        """Number of women in both arms."""
        return self.control.participants + self.treated.participants

    @property
    def arm_moves_mediators(self) -> bool:
        """Whether the arm has an effect on any mediator."""
        return any(any(each.arm_effects) for each in self.mediators)

    @property
    def parts(self) -> tuple[Outcome, ...]:
        """Outcomes with an equation that the primary one follows from: itself or, of a union, its parts."""
        wanted = self.outcome.union_of or (self.outcome.column,)
        return tuple(each for each in self.outcomes if each.column in wanted)
