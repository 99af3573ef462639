"""What runs here is what was locked, and pages load nothing from elsewhere."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.mutants.mutant import ROOT

pytestmark = pytest.mark.core

ELSEWHERE = re.compile(r"""(?:src|href)=["'](?:https?:)?//""")
LOADED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*>")


def test_every_package_is_locked_by_its_hash() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    foreign = [row for row in packages if "registry" in row["source"]]

    assert len(foreign) > 50
    for row in foreign:
        files = [*row.get("wheels", ()), *([row["sdist"]] if "sdist" in row else ())]
        assert files, row["name"]
        assert all(file["hash"].startswith("sha256:") for file in files), row["name"]


def test_pages_load_nothing_from_elsewhere() -> None:
    templates = sorted((ROOT / "templates").rglob("*.html"))

    assert templates
    for template in templates:
        loaded = LOADED.findall(template.read_text())
        assert not [tag for tag in loaded if ELSEWHERE.search(tag)], template.name
