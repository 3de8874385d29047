"""What only a study's author can say: the keys of `[author]` that reporting guidelines ask for, and what each is."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

KEYS = {
    "title": "title of the article: that the trial is randomised, and that mediation is analysed where it is",
    "abstract": "structured summary of design, methods, results and conclusions",
    "registration": "registry, number and date",
    "protocol": "where the protocol and the statistical analysis plan can be read",
    "changes": "changes after the trial began, and outcomes or analyses that were not planned",
    "data_sharing": "whether, where and how data, code and materials can be had",
    "funding": "who paid, and the funder's part in the trial",
    "conflicts": "authors' financial and other interests",
    "ethics": "who approved the trial, and how consent was given",
    "rationale": "what was known, and why the trial was needed",
    "mechanism": "why the treatment could change each mediator, and each mediator the outcome",
    "objectives": "benefits and harms asked about; whether effects are estimated or tested",
    "involvement": "part that patients or the public had in design, conduct and reporting",
    "design": "kind of trial, and the report of it if the data come from another",
    "allocation": "ratio in which arms were allocated, and whether superiority, equivalence or another aim was set",
    "setting": "places and kinds of site",
    "dates": "when recruitment and follow-up began and ended",
    "participants": "who could take part",
    "providers": "who could be a site or deliver the treatment",
    "interventions": "what each arm received, closely enough to repeat it",
    "measurement": "how, when and by whom outcomes and mediators were measured, and how well",
    "harms": "which harms were looked for, and how",
    "harms_found": "every harm that was found, by arm",
    "sample_size": "how the number of participants was reasoned",
    "interim": "planned interim analyses and rules for stopping",
    "randomisation": "who made the random sequence, how, and with what restriction",
    "concealment": "how the sequence was hidden until assignment; who enrolled, who assigned, and who could see it",
    "blinding": "who did not know the arm, and how that was kept up",
    "losses": "why participants were lost or excluded, by arm",
    "stopping": "why the trial ended when it did",
    "delivery": "how the treatment was delivered and taken up, and what else participants received",
    "limitations": "sources of bias and imprecision, and to whom the results apply",
    "interpretation": "what the results mean beside other evidence, benefits weighed against harms",
    "implications": "what follows for practice, policy or research",
    "why_bayesian": "why a Bayesian analysis was chosen",
}
"""Keys of `[author]` that the report's checklist reads, with what to write under each; other keys may stand beside."""


def stated(author: Mapping[str, str]) -> dict[str, str]:
    """Entries that say something, without the space around them; "" or "…" says nothing."""
    return {key: text.strip() for key, text in author.items() if any(sign.isalnum() for sign in text)}


def unwritten(author: Mapping[str, str]) -> list[str]:
    """Keys of the checklist for which the author says nothing, in its order."""
    given = stated(author)
    return [key for key in KEYS if key not in given]


def unread(author: Mapping[str, str]) -> dict[str, str]:
    """Keys that no reporting item reads, each with the one that was perhaps meant, or ""."""
    waiting = unwritten(author)
    other = [key for key in author if key not in KEYS]
    return {key: next(iter(difflib.get_close_matches(key.casefold(), waiting, n=1, cutoff=0.75)), "") for key in other}


def doubts(author: Mapping[str, str]) -> list[str]:
    """One note for each key that nothing reads: it is perhaps misspelt."""
    pairs = unread(author).items()
    return [
        f"[author] {key}: no reporting item reads this key{f'; did you mean {near}?' if near else '.'}"
        for key, near in pairs
    ]


def notes(author: Mapping[str, str]) -> list[str]:
    """What to tell an author who checks a study file."""
    waiting = unwritten(author)
    if not waiting:
        return doubts(author)
    told = f"[author]: the report's checklist will list {len(waiting)} of {len(KEYS)} entries as missing: "
    return [*doubts(author), f"{told}{', '.join(waiting)}. docs/study_file.md says what each is."]
