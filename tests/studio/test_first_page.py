"""The page in a real Chromium: what a first visit does.

The rest, of minutes, is in test_page.py.
"""

from tests.studio import browser

pytestmark = browser.needed


def test_a_chosen_photo_is_colored_under_the_slider(page, place):
    browser.choose(page, place / "wide.jpg")
    red, green, _ = browser.color_at(page, 160, 100)
    assert red - green > 20
    page.locator("#compare").fill("50")
    assert "50%" in page.locator("#color").evaluate("e => e.style.clipPath")
    assert page.locator("#line").is_visible()


def test_a_hint_changes_its_place_and_undo_brings_it_back(page, place):
    browser.choose(page, place / "wide.jpg")
    before = browser.color_at(page, 110, 106)
    # The middle of one of the 16 x 16 places of this model.
    browser.click_photo(page, 5.5 / 16, 8.5 / 16)
    page.wait_for_selector(".point")
    page.locator("#hex").fill("#00a000")
    page.locator("#hex").press("Enter")
    after = browser.followed(page, before, 110, 106)
    page.wait_for_function(
        f"(old) => {{ const c = ({browser.COLOR_AT})([110, 106]);"
        " return c[1] > c[0]; }",
        arg=after,
    )
    page.locator("#stage").focus()
    for _ in range(2):
        page.keyboard.press("Control+z")
    assert page.locator(".point").count() == 0
    page.wait_for_function(
        f"(old) => String(({browser.COLOR_AT})([110, 106])) === String(old)",
        arg=before,
    )
    page.keyboard.press("Control+y")
    assert page.locator(".point").count() == 1


def test_reasons_are_in_the_language_of_the_page(page, place, tmp_path):
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "torn.jpg").write_bytes(b"not a picture")
    page.locator("#language").click()
    page.wait_for_selector("html[lang=de]")
    page.set_input_files("#files", str(place / "wrong.jpg"))
    page.wait_for_selector("#message.wrong")
    german = "wrong.jpg: Die Datei ist kein Bild"
    assert page.locator("#message").inner_text().startswith(german)
    page.locator("#folder-part summary").click()
    page.locator("#source").fill(str(tmp_path / "none"))
    page.locator("#output").fill(str(tmp_path / "out"))
    page.locator("#start-job").click()
    page.wait_for_function(
        "() => document.getElementById('job').textContent.includes("
        "'Diesen Ordner mit Fotos gibt es nicht')"
    )
    page.locator("#source").fill(str(tmp_path / "album"))
    page.locator("#start-job").click()
    page.wait_for_selector("#failures li")
    failed = page.locator("#failures").inner_text()
    assert failed.startswith("torn.jpg: Die Datei ist kein Bild")
    # What is shown follows when the language changes.
    page.locator("#language").click()
    page.wait_for_selector("html[lang=en]")
    assert "is not a picture" in page.locator("#message").inner_text()
    page.wait_for_function(
        "() => document.getElementById('failures').textContent.includes("
        "'is not a picture')"
    )
