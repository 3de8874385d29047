"""axe-core finds nothing to complain of on any page, in light and dark, on a screen and a phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.page import index
from reports.simulations import calibration_page, design_page
from tests import axe, calibration_fixture, design_fixture, test_calibration_page
from tests.report_fixture import RED, Recipe
from tests.test_report_browser import CHROMIUM, MEDIATED, browse
from tests.test_report_index import finished
from tests.test_report_page import HOSTILE, built

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the Debian package chromium"),
]
RECIPES = {
    "undarga": Recipe(mediators=MEDIATED, minimum_cell=5),
    "respiratory": Recipe(better="higher", simulated=False, negative_control=False, status="amber"),
    "hostile": Recipe(texts=HOSTILE, mediators=MEDIATED, interaction=True),
    "red": Recipe(status=RED, mediators=MEDIATED),
}
UNDECIDED = re.compile(r"<(text|tspan|m[a-z]+)\b")
"""Where axe cannot tell the background, in drawings and formulas; `test_report_theme` decides on their colours."""
LIGHT, DARK = False, True
CASES = [
    *(
        (name, dark, width)
        for name in ("undarga", "respiratory", "index")
        for dark in (LIGHT, DARK)
        for width in (1280, 500)
    ),
    *(
        (name, dark, width)
        for name in ("hostile", "red", "calibration", "design")
        for dark, width in ((LIGHT, 1280), (DARK, 500))
    ),
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages that check themselves."""
    found = {name: built(tmp_path_factory.mktemp(name), recipe) / "report.html" for name, recipe in RECIPES.items()}
    shelf = tmp_path_factory.mktemp("shelf")
    finished(shelf / "undarga")
    finished(shelf / "red", Recipe(status=RED))
    finished(shelf / "respiratory", RECIPES["respiratory"])
    finished(shelf / "broken")
    (shelf / "broken/run.nc").unlink()
    found["index"] = index.build(shelf)
    found["calibration"] = calibration_page.build(
        calibration_fixture.make(tmp_path_factory.mktemp("calibration"), test_calibration_page.STUDIES["mediation"])
    )
    found["design"] = design_page.build(design_fixture.make(tmp_path_factory.mktemp("design")))
    return {name: axe.with_axe(page) for name, page in found.items()}


def checked(page: Path, home: Path, *options: str) -> dict:
    done = browse(page, home, "--dump-dom", "--virtual-time-budget=120000", *options)
    return axe.result(done.stdout)


@pytest.mark.parametrize(("name", "dark", "width"), CASES)
def test_no_violation(pages: dict[str, Path], tmp_path: Path, name: str, dark: bool, width: int) -> None:
    theme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    found = checked(pages[name], tmp_path, f"--window-size={width},900", *theme)
    assert found["passes"] > 25
    assert found["violations"] == []
    undecided = [node for rule in found["incomplete"] for node in rule["nodes"] if not UNDECIDED.match(node)]
    assert undecided == []


def test_axe_sees_what_is_wrong(tmp_path: Path) -> None:
    page = built(tmp_path) / "report.html"
    text = page.read_text(encoding="utf-8")
    broken = (
        text.replace(' lang="en"', "").replace("--muted:#56606a", "--muted:#bbbbbb").replace('scope="col"', 'scope="x"')
    )
    page.write_text(broken, encoding="utf-8")
    found = checked(axe.with_axe(page), tmp_path / "home", "--window-size=1280,900")
    assert {"html-has-lang", "color-contrast", "scope-attr-valid"} <= {rule["id"] for rule in found["violations"]}
