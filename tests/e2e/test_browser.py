"""The report in a real browser: every figure is there, nothing fails, nothing is fetched."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.browser import Browser, find_browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.checkout import Checkout

CHROMIUM = find_browser()
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt install chromium)"),
    pytest.mark.timeout(900), pytest.mark.slow,
]  # fmt: skip

# Chromium shows an empty frame in place of a page whose data URI is longer.
LONGEST_URI = 2 * 2**20
BROKEN_IMAGES = """[...document.images].filter(image => !(image.complete && image.naturalWidth > 0))
    .map(image => image.src.slice(0, 80))"""
# [name, kind, length of the URI] of everything that the report shows.
SHOWN = """Object.values(results).map(entry =>
    [entry.filename, entry.mime_type, entry.data_uri.length])"""
WIDTHS = """Promise.all(Object.values(results).filter(entry => entry.mime_type == "image/png")
    .map(async entry => { const image = new Image(); image.src = entry.data_uri;
        await image.decode().catch(() => null); return [entry.filename, image.naturalWidth]; }))"""
# Opens one entry as a click in the menu does.
VIEW = """(() => { const path = Object.keys(results)[%d], entry = results[path];
    const content = entry.mime_type == "image/png" ? "img" : "html";
    app.setView({content: content, contentPath: entry.data_uri, resultPath: path}); })()"""
IS_DRAWN = """[...document.images].some(image =>
    image.src == Object.values(results)[%d].data_uri && image.naturalWidth > 0)"""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A browser that can reach no other machine."""
    assert CHROMIUM
    with Browser(CHROMIUM, tmp_path / "profile") as found:
        yield found


def require_clean(browser: Browser) -> None:
    """Refuse errors of the console and requests to other machines."""
    assert browser.errors == []
    assert browser.external_requests() == []


def appears(browser: Browser, place: int, kind: str, seconds: float = 20) -> bool:
    """Return whether the viewer shows an entry within some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        frames = [url for url in browser.frames() if url.startswith("data:text/html")]
        if browser.evaluate(IS_DRAWN % place) if kind == "image/png" else frames:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def report(climbed: Checkout) -> Path:
    """The report of the climbed ladder, as `make report` writes it."""
    target = climbed.folder / "results" / "mock-test" / "report" / "report.html"
    style = "workflow/report/viewer.css"
    done = climbed.snakemake("--config", "scale=test", "--report", str(target),
                             "--report-stylesheet", style)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return target


def test_the_report_holds_every_figure_and_opens_each_of_its_pages(
    browser: Browser, report: Path
) -> None:
    browser.open(report)
    assert browser.evaluate(BROKEN_IMAGES) == []
    shown: list[list[Any]] = browser.evaluate(SHOWN)
    made = {path.name for path in report.parent.iterdir() if path.suffix in (".png", ".html")}
    aside = {path.name for path in report.parent.glob("*.front.png")} | {"front.html"}
    aside |= {name for name in made if name.endswith((".light.png", ".sky.png", ".pixels.png"))}
    reports = {path.name for path in report.parent.glob("*.html") if path.stat().st_size > 2e6}
    assert {name for name, _, _ in shown} == made - aside - reports | {"citations.bib"}
    widths = browser.evaluate(WIDTHS)
    assert len(widths) == sum(kind == "image/png" for _, kind, _ in shown)
    assert [name for name, width in widths if width < 300] == []
    long = [name for name, kind, size in shown if kind == "text/html" and size > LONGEST_URI]
    assert long == []
    viewable = [place for place, (_, kind, _) in enumerate(shown)
                if kind in ("image/png", "text/html")]  # fmt: skip
    for place in viewable:
        browser.evaluate(VIEW % place)
        assert appears(browser, place, shown[place][1]), shown[place][0]
    require_clean(browser)


def test_every_page_alone_has_its_figures(browser: Browser, report: Path) -> None:
    pages = [path for path in report.parent.glob("*.html") if path.stat().st_size < 2e6]
    assert {"summary.html", "claims.html", "soriano2024.html"} <= {path.name for path in pages}
    n_images = {}
    for path in pages:
        browser.open(path)
        assert browser.evaluate(BROKEN_IMAGES) == [], path.name
        n_images[path.name] = browser.evaluate("document.images.length")
        wider = browser.evaluate("document.body.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{path.name} is {wider} px wider than the window"
    assert n_images["summary.html"] > 0
    assert n_images["hayat2021.html"] >= 5
    require_clean(browser)


BAD = {
    "console": ("<script>console.error('it broke')</script>", "it broke"),
    "exception": ("<script>nothing_of_that_name()</script>", "nothing_of_that_name"),
    "request": ('<img src="https://example.org/a.png">', "example.org"),
}


@pytest.mark.parametrize("kind", list(BAD))
def test_a_bad_page_is_noticed(browser: Browser, tmp_path: Path, kind: str) -> None:
    body, word = BAD[kind]
    page = tmp_path / "bad.html"
    page.write_text(f"<!DOCTYPE html><meta charset=utf-8>{body}", encoding="utf-8")
    browser.open(page)
    assert word in json.dumps(browser.errors)
    assert bool(browser.external_requests()) == (kind == "request")


def test_a_picture_that_is_not_there_and_a_page_that_is_fine_are_told_apart(
    browser: Browser, tmp_path: Path
) -> None:
    page, pixel = tmp_path / "page.html", "R0lGODlhAQABAAAAACH5BAEAAAAALAAAAAABAAEAAAIA"
    good = f"data:image/gif;base64,{pixel}"
    page.write_text(f'<img src="{good}"><img src="data:image/png;base64,AAAA">', encoding="utf-8")
    browser.open(page)
    assert browser.evaluate(BROKEN_IMAGES) == ["data:image/png;base64,AAAA"]
    page.write_text(f'<p>fine</p><img src="{good}">', encoding="utf-8")
    browser.open(page)
    assert browser.evaluate(BROKEN_IMAGES) == []
    require_clean(browser)
