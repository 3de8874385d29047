"""README.md and docs/ are held true: commands, options, exit codes, keys, links and the code that they show."""

from __future__ import annotations

import importlib
import re
import shlex
import tomllib
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import pandas as pd
import pytest
import typer

from models.trial.study_file import author
from models.trial.study_file import study as studies
from priors import prior, prior_set
from scripts import console
from tests.command_line import TINY, run
from tests.small_trial import REMOVED, changed, written

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "MODEL.md", *(ROOT / "docs").glob("*.md")])
TEXT = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
README = TEXT["README.md"]
STUDY_FILE = TEXT["docs/study_file.md"]
COMMAND_LINE = TEXT["docs/command_line.md"]
SCRIPTS = {
    path.stem: importlib.import_module(f"scripts.{path.stem}")
    for path in sorted((ROOT / "scripts").glob("*.py"))
    if re.search(r"^app = typer\.Typer", path.read_text(encoding="utf-8"), re.MULTILINE)
}
"""Scripts that a person runs, by name."""
COMMANDS = {name: typer.main.get_command(module.app) for name, module in SCRIPTS.items()}
OPTIONS = {
    name: {sign for entry in command.params for sign in entry.opts if sign.startswith("--")}
    for name, command in COMMANDS.items()
}


def blocks(text: str, language: str) -> list[str]:
    """Fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    level = heading.split(" ")[0]
    after = text.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"\n#{{1,{len(level)}}} ", after, maxsplit=1)[0]


def rows(text: str) -> dict[str, list[str]]:
    """Rows of the first table in a text, by their first cell without code marks."""
    table = re.search(r"(?:^\|.+\|\n)+", text, re.MULTILINE)
    assert table, "there is no table"
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table[0].splitlines()[2:]]
    assert len({row[0] for row in cells}) == len(cells), "a row stands twice"
    return {row[0].strip("` "): row[1:] for row in cells}


def prose(text: str) -> str:
    """Text without fenced blocks."""
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


# README


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_the_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)", README))
    assert set(TEXT) - {"README.md"} <= linked


def test_set_up_is_the_same_line_everywhere() -> None:
    line = next(line for line in README.splitlines() if line.startswith("uv venv"))
    assert "--require-hashes requirements.lock" in line
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"setup:\n\t{line}\n" in makefile
    script = (ROOT / ".ci/run").read_text(encoding="utf-8").replace(" --quiet", "")
    assert "\n".join(line.split(" && ")) in script
    # each other page sends its reader to this one line
    assert not [name for name, text in TEXT.items() if name != "README.md" and "pip sync" in text]


def test_uv_run_leaves_the_environment_as_it_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["uv"] == {"managed": False}
    for path in (*PAGES, ROOT / "Makefile", ROOT / ".ci/run"):
        assert not re.search(r"no.sync", path.read_text(encoding="utf-8"), re.IGNORECASE), f"{path}: a second way"


@pytest.mark.parametrize("command", ["uv run scripts/analyse.py studies/undarga", "uv run pytest"])
def test_the_two_commands_are_those_that_ci_runs(command: str) -> None:
    assert f"\n{command}\n" in README
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_the_tree_names_folders_that_exist() -> None:
    (tree,) = blocks(README, "text")
    folders, room = [], ""
    for line in tree.splitlines():
        names = re.findall(r"\b(\w+)/(?=\s|$)", line)
        if not line.startswith(" "):
            room = f"{names[0]}/"
            folders += names
        else:
            folders += [room + name for name in names]
    assert {"priors", "models", "reports", "scripts", "studies", "tests", "docs", "reports/figures"} <= {*folders}
    assert not [name for name in folders if not (ROOT / name).is_dir()]
    # and every room of models and reports stands in it
    rooms = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("[mr]*s/*/__init__.py")}
    assert rooms <= {*folders}


# what every page promises


@pytest.mark.parametrize("name", TEXT)
def test_links_lead_somewhere(name: str) -> None:
    text = TEXT[name]
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), f"{name}: {target}"
        if anchor:
            heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}, target


@pytest.mark.parametrize("name", TEXT)
def test_files_and_modules_that_are_named_exist(name: str) -> None:
    text = TEXT[name]
    for path in re.findall(r"`((?:docs|models|priors|reports|scripts|studies|tests)/[\w./-]+)`", text):
        made = path.startswith(("reports/build", "studies/mine"))
        assert made or (ROOT / path).exists(), f"{name}: {path}"
    for module in re.findall(r"python -m ([\w.]+)", text):
        found = ROOT / module.replace(".", "/")
        assert found.is_dir() or found.with_suffix(".py").is_file(), f"{name}: {module}"


COMMAND_LINES = [
    (name, line.split("#")[0].split(" > ")[0].strip())
    for name, text in TEXT.items()
    for block in blocks(text, "sh")
    for line in block.splitlines()
    if "scripts/" in line
]


@pytest.mark.parametrize(("name", "line"), COMMAND_LINES)
def test_commands_are_understood(name: str, line: str) -> None:
    words = shlex.split(line)
    assert words[:2] == ["uv", "run"], f"{name}: the environment is used in one way"
    script = Path(words[2]).stem
    COMMANDS[script].make_context(script, words[3:])


def test_every_page_with_commands_was_read() -> None:
    assert {"README.md", "docs/calibration_and_design.md", "docs/scenarios.md"} <= {name for name, _ in COMMAND_LINES}


@pytest.mark.parametrize("name", TEXT)
def test_options_that_are_named_exist(name: str) -> None:
    known = set().union(*OPTIONS.values()) | {"--help"}
    # of code in a sentence what begins as an option or a script does: other programs have options of their own
    spans = re.findall(r"`((?:--|scripts/)[^`\n]+)`", prose(TEXT[name]))
    named = re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(spans))
    assert not set(named) - known


# the command line


def test_every_script_is_listed() -> None:
    listed = rows(section(f"\n{COMMAND_LINE}", "# Command line"))
    assert {Path(words.split()[0]).stem for words in listed} == set(SCRIPTS)
    for words in listed:
        script = Path(words.split()[0]).stem
        arguments = [entry for entry in COMMANDS[script].params if not entry.opts[0].startswith("-")]
        wanted = [argument for argument in arguments if argument.required]
        assert len(words.split()) - 1 == len(wanted) or script == "report", words


def test_every_option_is_listed_with_its_scripts() -> None:
    listed = {option: set(cells[0].split(", ")) for option, cells in rows(section(COMMAND_LINE, "## Options")).items()}
    found: dict[str, set[str]] = {}
    for script, options in OPTIONS.items():
        for option in options:
            found.setdefault(option, set()).add(script)
    assert listed == found


def test_every_exit_code_is_listed_with_its_scripts() -> None:
    listed = rows(section(COMMAND_LINE, "## Exit codes"))
    own = {console.UNEXPECTED, console.INVALID, console.SAMPLER, console.RED, console.DISK, console.INTERRUPTED}
    assert {int(code) for code in listed} == own | {0, 2}
    for code in (console.SAMPLER, console.RED):
        told = {
            name
            for name, command in COMMANDS.items()
            if re.search(rf"Exit codes:.*\b{code} ", command.help or "", re.DOTALL)
        }
        assert set(listed[str(code)][1].split(", ")) == told


# the study file


def _parts(hint: Any) -> list[Any]:
    if hasattr(hint, "model_fields"):
        return [hint]
    if get_origin(hint) is not None or isinstance(hint, UnionType):
        return [part for inner in get_args(hint) for part in _parts(inner)]
    return []


def _tables(model: Any) -> set[Any]:
    """A pydantic model and those of its tables."""
    inner = {part for entry in model.model_fields.values() for part in _parts(entry.annotation)}
    return {model}.union(*map(_tables, inner))


def _words(hint: Any) -> set[str]:
    """Texts that a key may hold, where it may hold only some."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set().union(*map(_words, get_args(hint))) if get_args(hint) else set()


HEADINGS = {
    studies.Study: "### Top level",
    studies.Data: "### `[data]`",
    studies.Columns: "### `[columns]`",
    studies.Arms: "### `[arms]`",
    studies.Arm: "### `[arms.control]` and `[arms.treated]`",
    studies.Wave: "### `[[waves]]`",
    studies.Outcome: "### `[outcome]` and `[[further_outcomes]]`",
    studies.Exposure: "### `[outcome.exposure]`",
    studies.Grouping: "### `[[groupings]]`",
    studies.Mediator: "### `[[mediators]]`",
    studies.Attendance: "### `[attendance]`",
    studies.Covariate: "### `[[covariates]]`",
    studies.Privacy: "### `[privacy]`",
}


def test_every_table_of_a_study_file_has_its_heading() -> None:
    assert set(HEADINGS) == _tables(studies.Study)
    assert set(re.findall(r"^### .*$", STUDY_FILE, re.MULTILINE)) == {
        *HEADINGS.values(),
        "### `[wide]`",
        "### `[author]`",
    }


@pytest.mark.parametrize("table", HEADINGS, ids=lambda table: table.__name__)
def test_every_key_of_a_study_file_is_described_and_no_other(table: Any) -> None:
    listed = rows(section(STUDY_FILE, HEADINGS[table]))
    assert set(listed) == set(table.model_fields)
    for key, entry in table.model_fields.items():
        default, meaning = listed[key]
        assert (default == "required") is entry.is_required(), key
        missing = {word for word in _words(entry.annotation) if f'"{word}"' not in f"{default} {meaning}"}
        offered = {"control", "treated"} if key == "offered" else set()
        assert not missing - offered, f"{key}: {missing}"
        if entry.is_required():
            continue
        value = entry.get_default(call_default_factory=True)
        if default == "none":
            assert value is None or value == table.model_fields[key].annotation(), key
        else:
            told = tomllib.loads(f"it = {default.strip('`')}")["it"]
            assert told == (list(value) if isinstance(value, tuple) else value), key


def test_every_text_of_an_author_is_described_as_it_is() -> None:
    assert {key: cells[0] for key, cells in rows(section(STUDY_FILE, "### `[author]`")).items()} == author.KEYS


def test_the_file_to_copy_is_valid() -> None:
    (block,) = blocks(section(STUDY_FILE, "## A file to copy"), "toml")
    study = studies.parse(tomllib.loads(block))
    tables = {name for name, entry in studies.Study.model_fields.items() if _parts(entry.annotation)}
    assert tables <= study.model_fields_set, "it shows every table"


# priors


def test_the_prior_pages_distributions_are_the_codes() -> None:
    listed = rows(section(TEXT["docs/priors.md"], "## A set of your own"))
    assert {name: tuple(re.findall(r"`(\w+)`", cells[0])) for name, cells in listed.items()} == dict(prior.ARGUMENTS)


def test_the_prior_page_names_the_shipped_sets_and_shows_a_valid_row(tmp_path: Path) -> None:
    text = TEXT["docs/priors.md"]
    assert all(f"`{name}`" in text for name in prior_set.shipped())
    (row,) = blocks(text, "toml")
    file = tmp_path / "mine.toml"
    file.write_text(f'name = "mine"\n{row}', encoding="utf-8")
    assert list(prior_set.load(file).priors) == ["theta"]


# records


def test_the_gates_record_is_told_as_it_is() -> None:
    record = pd.read_csv(ROOT / "docs/calibration/gate.csv")
    correct = record[record["correct"] & (record["check"] == "overall")]
    told = f"of {correct['trials'].sum()} correct trials {correct['amber'].sum()} were amber and none was red"
    assert correct["red"].sum() == 0
    assert told in TEXT["docs/calibration_and_design.md"]


# a run, as other programs read it


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six people with its page."""
    folder = tmp_path_factory.mktemp("docs")
    study = written(folder / "six", study=changed(("mediators", REMOVED)))
    run("fit", study, "--out", folder / "run", *TINY)
    run("report", folder / "run", "--show-anyway")
    return folder / "run"


@pytest.mark.slow
def test_the_files_that_make_a_run_again_exist(finished: Path) -> None:
    listed = rows(section(f"\n{TEXT['docs/reproducibility.md']}", "# The same numbers again"))
    assert len(listed) == 5
    assert not [name for name in listed if not (finished / name).is_file()]


@pytest.mark.slow
def test_the_notebooks_python_runs(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished)
    page = TEXT["docs/notebooks.md"].replace("reports/build/undarga", ".")
    names: dict[str, Any] = {}
    assert len(blocks(page, "python")) >= 3
    for block in blocks(page, "python"):
        exec(compile(block, "docs/notebooks.md", "exec"), names)  # the point is that what the page shows runs
    assert names["difference"].sizes.keys() == {"chain", "draw"}


@pytest.mark.slow
def test_files_and_columns_that_other_programs_read_exist(finished: Path) -> None:
    page = TEXT["docs/notebooks.md"].replace("reports/build/undarga/", "")
    (r,), (stata,) = blocks(page, "r"), blocks(page, "stata")
    for block in (r, stata):
        (file,) = re.findall(r'"([\w/]+\.csv)"', block)
        header = set(pd.read_csv(finished / file, nrows=0).columns)
        quoted = re.findall(r"c\((.+)\)\)", block)
        listed = re.findall(r"\w+", quoted[0]) if quoted else re.search(r"list (.+) if", block)[1].split()
        assert {*listed, "average"} <= header
