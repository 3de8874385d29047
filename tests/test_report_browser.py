"""The page in a real browser: no request, an empty console, nothing cut off, at every size and on paper."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.page import build as page
from reports.page import index
from reports.simulations import calibration_page, design_page
from tests import calibration_fixture, design_fixture, hostile
from tests.test_calibration_page import STUDIES as CALIBRATIONS
from tests.test_design_page import GRIDS
from tests.test_report_asked import MARKUP
from tests.test_report_index import finished
from tests.test_report_page import HOSTILE, Recipe, built

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the Debian package chromium"),
]
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
PROBE = """<script>addEventListener("load", () => {
  document.querySelectorAll("details").forEach(part => part.open = true);
  const wide = document.documentElement.clientWidth, out = [];
  document.querySelectorAll("body *").forEach(part => {
    const box = part.getBoundingClientRect();
    if (part.closest(".skip, math, thead") || !box.width || part.closest("svg") && part.tagName != "svg") return;
    const column = part.tagName == "TABLE" && part.closest("main").getBoundingClientRect();
    if (box.right > wide + 1 || box.left < -1 || column && box.right > column.right + 1)
      out.push(part.tagName + "." + part.className + " " + part.textContent.slice(0, 40));
  });
  document.querySelectorAll("svg.chart").forEach(chart => {
    const view = chart.viewBox.baseVal;
    if (chart.getBoundingClientRect().width) chart.querySelectorAll("text").forEach(text => {
      const box = text.getBBox();
      if (box.x < -1 || box.x + box.width > view.width + 1 || box.y + box.height > view.height + 2 || box.y < -2)
        out.push("svg text: " + text.textContent.slice(0, 60));
    });
  });
  const shown = [...document.querySelectorAll("svg.chart")].filter(chart => chart.getBoundingClientRect().width).length;
  const found = {out, scroll: document.documentElement.scrollWidth - wide, wide, shown};
  found.paper = getComputedStyle(document.documentElement).backgroundColor;
  document.body.setAttribute("data-probe", JSON.stringify(found));
});</script>"""


MEDIATED = ("continuous", "share", "binary")
FURTHER = ("binary", "count", "continuous")
RECIPES = {
    "plain": Recipe(),
    "hostile": Recipe(texts=HOSTILE | MARKUP | {"mediator0": HOSTILE["control"], "mediator1": HOSTILE["treated"]},
                      mediators=MEDIATED, interaction=True, further=FURTHER),
    "mediators": Recipe(mediators=MEDIATED, further=FURTHER),
}  # fmt: skip

STUDIES = {
    "calibration": lambda folder: calibration_page.build(calibration_fixture.make(folder, CALIBRATIONS["mediation"])),
    "hostile calibration": lambda folder: calibration_page.build(
        calibration_fixture.make(folder, CALIBRATIONS["hostile"])
    ),
    "design": lambda folder: design_page.build(design_fixture.make(folder, GRIDS["mediation"])),
    "hostile design": lambda folder: design_page.build(design_fixture.make(folder, GRIDS["hostile"])),
}
"""Pages of calibration and design studies, made in a folder."""


def browse(page: Path, home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a page in a fresh profile; the network log goes to `home`."""
    home.mkdir(parents=True, exist_ok=True)
    command = [
        str(CHROMIUM),
        *QUIET,
        f"--user-data-dir={home / 'profile'}",
        f"--log-net-log={home / 'net.json'}",
        "--enable-logging=stderr",
        *options,
        page.as_uri(),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


BROWSERS_OWN = re.compile(r"https?://([\w-]+\.)*(google|googleapis|gvt1)\.com/")
"""Where Chromium itself asks for updates, the time and accounts, whatever the page; no name is resolved here."""


def requests(home: Path) -> set[str]:
    """Addresses in the network log, without the browser's own."""
    found = re.findall(r'"url":"((?:https?|wss?|ftp)://[^"]+)"', (home / "net.json").read_text(encoding="utf-8"))
    return {address for address in found if not BROWSERS_OWN.match(address)}


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """A plain report and a hostile one, as they are and with a probe that measures them."""
    found = {}
    for name in (*RECIPES, *STUDIES, "every text", "index"):
        folder = tmp_path_factory.mktemp(name)
        if name in RECIPES:
            built(folder, RECIPES[name])
        elif name in STUDIES:
            STUDIES[name](folder)
        elif name == "index":
            for place, payload in enumerate(hostile.PAYLOADS):
                title = {"title": payload.format(m="x"), "outcome": payload.format(m="x")}
                finished(
                    folder / f"{place}{'W' * 200}", Recipe(texts=title, status=("green", "amber", "red")[place % 3])
                )
            (folder / f"0{'W' * 200}" / "gate.json").unlink()
            index.build(folder).rename(folder / "report.html")
        else:
            page.build(hostile.run(folder, Recipe(mediators=MEDIATED, interaction=True)))
        text = (folder / "report.html").read_text(encoding="utf-8")
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace(
            "</body>", PROBE + "</body>"
        )
        (folder / "probe.html").write_text(text, encoding="utf-8")
        found[name] = folder
    return found


@pytest.mark.parametrize("name", [*RECIPES, *STUDIES, "every text", "index"])
@pytest.mark.parametrize(
    ("width", "dark"), [(1400, False), (1000, True), (500, False)], ids=["wide", "tablet", "phone"]
)
def test_nothing_is_cut_off(pages: dict[str, Path], tmp_path: Path, name: str, width: int, dark: bool) -> None:
    options = [
        "--dump-dom",
        f"--window-size={width},900",
        *(["--blink-settings=preferredColorScheme=0"] if dark else []),
    ]
    done = browse(pages[name] / "probe.html", tmp_path, *options)
    match = re.search(r'data-probe="([^"]*)"', done.stdout)
    assert match
    found = json.loads(
        match.group(1).replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    )
    assert found["wide"] == width
    assert found["out"] == []
    assert found["scroll"] <= 0
    # one layout of each figure, not both
    assert found["shown"] == {
        "plain": 11,
        "index": 0,
        "calibration": 2,
        "hostile calibration": 2,
        "design": 2,
        "hostile design": 1,
    }.get(name, 15)
    assert found["paper"] == ("rgb(20, 23, 26)" if dark else "rgb(255, 255, 255)")


def test_no_request_and_an_empty_console(pages: dict[str, Path], tmp_path: Path) -> None:
    done = browse(
        pages["plain"] / "report.html",
        tmp_path / "home",
        f"--screenshot={tmp_path / 'page.png'}",
        "--window-size=1280,900",
    )
    assert (tmp_path / "page.png").stat().st_size > 20_000
    assert "CONSOLE" not in done.stderr
    assert requests(tmp_path / "home") == set()


def test_it_prints(pages: dict[str, Path], tmp_path: Path) -> None:
    paper = tmp_path / "page.pdf"
    browse(pages["plain"] / "report.html", tmp_path / "home", "--no-pdf-header-footer", f"--print-to-pdf={paper}")
    leaves = len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))
    assert 8 <= leaves <= 30
