"""Parameters and estimands of the mediation model in words: `slope[support]` is "slope of the outcome on support"."""

from __future__ import annotations

WORDS = {
    "slope": "slope of the outcome on {mediator}",
    "interaction": "how far the slope on {mediator} differs by arm",
    "mediator_mu_0": "level of {mediator} at the first wave",
    "mediator_step": "change in {mediator} from a wave to the next",
    "mediator_theta": "effect on {mediator}",
    "mediator_theta_negative_control": "contrast in {mediator} at the negative control",
    "mediator_gamma": "slope of {mediator} on a baseline variable",
    "mediator_tau": "spread of {mediator} between participants",
    "mediator_residual_sd": "spread of {mediator} around what is expected of a participant",
    "mediator_nu": "degrees of freedom of {mediator}",
    "mediator_precision": "precision of {mediator} between its ends",
    "cutpoint_low": "cutpoint of {mediator} at 0",
    "cutpoint_gap": "distance between the cutpoints of {mediator}",
    "cutpoint_high": "cutpoint of {mediator} at 1",
    "partial_correlation": "correlation of lasting levels",
    "mediator_trait": "lasting level of a mediator of one participant",
    "total": "total effect, by the mediation model",
    "natural_direct": "natural direct effect",
    "natural_indirect": "natural indirect effect",
    "natural_direct_total": "total natural direct effect",
    "natural_indirect_pure": "pure natural indirect effect",
    "interventional_direct": "interventional direct effect",
    "interventional_via": "effect via {mediator}",
    "interventional_via_reversed": "effect via {mediator}, mediators switched in the other order",
    "dependence": "effect through the dependence between mediators",
    "controlled_direct": "controlled direct effect",
    "mediator_mean": "mean of {mediator}",
    "mediator_difference": "difference in {mediator}",
    "common_change": "change since baseline",
    "change_via": "change that moves with {mediator}",
    "change_remainder": "remainder of the change",
    "change_training": "remainder less the change that would have come anyway",
    "change_training_share": "share w of the remainder",
}
"""In words; `{mediator}` stands for the label of the mediator among the coordinates."""

SYMBOLS = {
    "slope": ("β", "slope of the outcome on a mediator, per SD of it"),
    "interaction": ("κ", "how far that slope differs by arm"),
    "mediator_mu_0": ("μ₀ᴹ", "level of a mediator at the first wave"),
    "mediator_step": ("sᴹ", "change in a mediator from a wave to the next, both arms"),
    "mediator_theta": ("θᴹ", "effect of the treated arm on a mediator at each follow-up"),
    "mediator_theta_negative_control": ("θ₁ᴹ", "contrast in a mediator at the negative control"),
    "mediator_gamma": ("γᴹ", "slope of a mediator on a baseline variable, per SD"),
    "mediator_tau": ("τᴹ", "spread of a mediator between participants"),
    "mediator_residual_sd": ("σᴹ", "spread of a continuous mediator around what is expected"),
    "mediator_nu": ("ν", "degrees of freedom of a Student-t mediator"),
    "mediator_precision": ("φ", "precision of a share between its ends"),
    "cutpoint_low": ("c₁", "cutpoint of a share at exactly 0"),
    "cutpoint_gap": ("c₂ − c₁", "distance to its cutpoint at exactly 1"),
    "cutpoint_high": ("c₂", "cutpoint of a share at exactly 1, where 0 was never seen"),
    "partial_correlation": ("Ω", "correlation of lasting levels of mediators and outcome"),
}
"""Symbol and meaning of each parameter of the mediators and of the outcome's slopes on them."""
