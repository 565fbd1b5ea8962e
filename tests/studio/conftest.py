"""A studio with small models, and its page in a real Chromium."""

import pytest

from tests.studio import browser
from tests.studio import pages


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "temporary").mkdir()
    pages.model_folder(folder / "models")
    (folder / "old.jpg").write_bytes(pages.with_exif())
    (folder / "wide.jpg").write_bytes(pages.grey_jpeg(320, 200))
    (folder / "found.jpg").write_bytes(pages.grey_jpeg(320, 200))
    pages.box_file(folder / "boxes" / "found.jpg.npz", [[20, 30, 150, 290]])
    (folder / "wrong.jpg").write_bytes(b"not a picture")
    return folder


@pytest.fixture(scope="module")
def address(place):
    with pages.running(
        f"--model={place / 'models' / 'plain.keras'}",
        f"--models_folder={place / 'models'}",
        f"--boxes={place / 'boxes'}",
        temporary=place / "temporary",
    ) as (_, address):
        yield address


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=browser.CHROMIUM,
            # For root, and where /dev/shm is small.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(chromium, address):
    context = chromium.new_context(locale="en-US", accept_downloads=True)
    page = context.new_page()
    # Machines that test are busy.
    page.set_default_timeout(60_000)
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on(
        "console",
        lambda said: (
            page.problems.append(said.text)
            if "Content Security Policy" in said.text
            else None
        ),
    )
    page.goto(address)
    page.wait_for_selector("body[data-ready]", timeout=90_000)
    yield page
    # Photos are the server's: the next test begins without any.
    for count in range(page.locator("#photos > span").count(), 0, -1):
        page.locator("#photos button:last-child").first.click()
        page.wait_for_function(
            "n => document.querySelectorAll('#photos > span').length < n",
            arg=count,
        )
    problems = page.problems
    context.close()
    assert not problems
