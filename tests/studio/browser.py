"""What is done to the page in Chromium, and what is seen of it."""

import shutil

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None
)
needed = pytest.mark.skipif(
    CHROMIUM is None,
    reason="The page is tested in Chromium, which is not installed here.",
)


def choose(page, path):
    page.set_input_files("#files", str(path))
    colored(page)


def colored(page):
    page.wait_for_function(
        "() => document.getElementById('color').naturalWidth > 0"
        " && document.getElementById('busy').hidden"
    )


COLOR_AT = """([x, y]) => {
  const shown = document.getElementById("color");
  const paper = new OffscreenCanvas(shown.naturalWidth, shown.naturalHeight);
  const context = paper.getContext("2d");
  context.drawImage(shown, 0, 0);
  return [...context.getImageData(x, y, 1, 1).data.slice(0, 3)];
}"""


def color_at(page, x, y):
    return page.evaluate(COLOR_AT, [x, y])


def click_photo(page, x, y):
    """Clicks at shares of the shown photo's sides."""
    box = page.locator("#color").bounding_box()
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def followed(page, before, x, y):
    page.wait_for_function(
        f"([at, old]) => String(({COLOR_AT})(at)) !== String(old)",
        arg=[[x, y], before],
    )
    return color_at(page, x, y)
