"""axe-core, the accessibility checker, run on a page in headless Chromium without any other driver."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""Of axe.min.js: the same file wherever npm's own configuration gets it from."""
RUN = """<script>addEventListener("load", async () => {
  document.querySelectorAll("details").forEach(part => part.open = true);
  const found = await axe.run(document, {resultTypes: ["violations", "incomplete"]});
  const brief = list => list.map(({id, impact, help, nodes}) =>
    ({id, impact, help, nodes: nodes.map(node => node.html.slice(0, 300) + " | " + node.failureSummary)}));
  const told = {passes: found.passes.length, violations: brief(found.violations), incomplete: brief(found.incomplete)};
  document.body.setAttribute("data-axe", JSON.stringify(told));
});</script>"""


@cache
def source() -> str:
    """Text of axe-core; the test skips with its reason where npm cannot bring it."""
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache_home / "microsavings-tests" / f"axe-core-{VERSION}"
    file = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not file.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("axe-core is not there and npm, which would bring it, is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ("--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
        done = subprocess.run(
            [npm, "install", "--prefix", str(folder), *quiet, f"axe-core@{VERSION}"],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"npm could not bring axe-core: {done.stderr.strip()[-300:]}")
    content = file.read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256, f"{file} is not axe-core {VERSION}"
    return content.decode("utf-8")


def with_axe(page: Path) -> Path:
    """A copy beside the page that checks itself and writes what it found into its own body."""
    text = page.read_text(encoding="utf-8")
    # the copy alone may run a script: the page's own rule forbids it
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    code = source().replace("</script", "<\\/script")
    copy = page.with_name(f"axe-{page.name}")
    copy.write_text(text.replace("</body>", f"<script>{code}</script>{RUN}</body>"), encoding="utf-8")
    return copy


def result(dom: str) -> dict[str, Any]:
    """What the checked page wrote."""
    found = re.search(r'data-axe="([^"]*)"', dom)
    assert found, "axe-core did not come to an end"
    return dict(json.loads(html.unescape(found.group(1))))
