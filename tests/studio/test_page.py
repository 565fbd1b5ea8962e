"""The page in a real Chromium, driven by Playwright: all of it."""

import json
import pathlib
import shutil
import signal

import pytest

from tests.studio import browser
from tests.studio import pages

pytestmark = [pytest.mark.long, browser.needed]


def test_a_dropped_photo_is_colored(page, place):
    data = list((place / "wide.jpg").read_bytes())
    page.evaluate(
        """(data) => {
          const drag = new DataTransfer();
          drag.items.add(new File([new Uint8Array(data)], "dropped.jpg"));
          document.body.dispatchEvent(new DragEvent(
            "drop", { dataTransfer: drag, bubbles: true, cancelable: true }));
        }""",
        data,
    )
    browser.colored(page)
    assert page.locator("#photos").inner_text().startswith("dropped.jpg")


def test_a_hint_is_placed_moved_and_removed_with_keys_alone(page, place):
    browser.choose(page, place / "wide.jpg")
    page.locator("#stage").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector(".point")
    page.locator(".point").focus()
    before = page.locator(".point").evaluate("e => e.style.left")
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator(".point").evaluate("e => e.style.left") != before
    page.keyboard.press("Delete")
    assert page.locator(".point").count() == 0


_FOCUSED = "() => document.activeElement.id"


def test_keys_are_never_lost_to_a_button_that_ends_its_work(page, place):
    browser.choose(page, place / "wide.jpg")
    page.locator("#stage").focus()
    for key in ("Enter", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector(".point")
    page.locator("#undo").press("Enter")
    assert page.evaluate(_FOCUSED) == "redo"
    page.keyboard.press("Enter")
    assert page.evaluate(_FOCUSED) == "undo"
    page.locator("#clear").press("Enter")
    assert page.evaluate(_FOCUSED) == "undo"
    with page.expect_download():
        page.locator("#download").press("Enter")
    page.wait_for_function(f"() => ({_FOCUSED})() === 'download'")
    # The last photo's place in the list is gone; nothing is said of it.
    page.locator("#photos button").last.press("Enter")
    page.wait_for_function(f"() => ({_FOCUSED})() === 'choose'")
    page.wait_for_timeout(500)
    assert not page.locator("#message.wrong").count()


def test_another_model_gives_another_picture(page, place):
    browser.choose(page, place / "wide.jpg")
    before = browser.color_at(page, 160, 100)
    page.locator("#model").select_option("file: boxed.keras")
    browser.followed(page, before, 160, 100)
    assert page.locator("#boxes-part").is_visible()
    page.locator("#draw-box").click()
    area = page.locator("#color").bounding_box()
    page.mouse.move(area["x"] + 30, area["y"] + 30)
    page.mouse.down()
    page.mouse.move(area["x"] + 150, area["y"] + 120, steps=4)
    page.mouse.up()
    assert page.locator(".box").count() == 1
    page.locator("#boxes input").uncheck()
    assert page.locator(".box.off").count() == 1


def test_boxes_of_files_come_by_themselves_and_can_be_found_again(page, place):
    # The page begins with the model that was used last.
    page.locator("#model").select_option("file: plain.keras")
    browser.choose(page, place / "found.jpg")
    assert page.locator(".box").count() == 0
    page.locator("#model").select_option("file: boxed.keras")
    page.wait_for_selector(".box")
    page.locator("#boxes button").click()
    assert page.locator(".box").count() == 0
    page.locator("#find-boxes").click()
    page.wait_for_selector(".box")


def test_a_box_is_drawn_with_keys_alone(page, place):
    browser.choose(page, place / "wide.jpg")
    page.locator("#model").select_option("file: boxed.keras")
    page.wait_for_selector("#boxes-part:not([hidden])")
    page.locator("#draw-box").press("Enter")
    page.locator("#stage").focus()
    for key in ("ArrowLeft", "Enter", "Shift+ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    assert "first corner" in page.locator("#message").inner_text().lower()
    page.keyboard.press("Enter")
    page.wait_for_selector("#boxes li")
    assert page.locator(".box").count() == 1
    assert page.locator(".point").count() == 0
    # One that is given up leaves nothing.
    for key in ("Enter", "Shift+ArrowLeft", "Escape"):
        page.keyboard.press(key)
    assert page.locator(".box").count() == 1


def test_a_pasted_photo_is_colored(page, place):
    data = list((place / "wide.jpg").read_bytes())
    page.evaluate(
        """(data) => {
          const clipboard = new DataTransfer();
          clipboard.items.add(new File([new Uint8Array(data)], "pasted.jpg"));
          document.dispatchEvent(
            new ClipboardEvent("paste", { clipboardData: clipboard }));
        }""",
        data,
    )
    browser.colored(page)
    assert page.locator("#photos").inner_text().startswith("pasted.jpg")


def test_two_fingers_zoom_and_place_no_hint(page, place):
    browser.choose(page, place / "wide.jpg")
    box = page.locator("#stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = page.locator("#picture").bounding_box()["width"]
    devtools = page.context.new_cdp_session(page)

    def touch(kind, *places):
        points = [
            {"x": x + dx, "y": y, "id": number}
            for number, dx in enumerate(places)
        ]
        devtools.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
        )

    touch("touchStart", -30)
    touch("touchStart", -30, 30)
    for far in (40, 50, 60):
        touch("touchMove", -far, far)
    touch("touchEnd")
    after = page.locator("#picture").bounding_box()["width"]
    assert 1.8 < after / before < 2.2
    assert page.locator(".point").count() == 0
    # One finger places one.
    touch("touchStart", 5)
    touch("touchEnd")
    page.wait_for_selector(".point")


def test_the_download_is_the_commands_result(page, place):
    from tfcolor.cli import main

    browser.choose(page, place / "old.jpg")
    page.locator("#model").select_option("file: plain.keras")
    page.locator("#strength").fill("1.5")
    with page.expect_download() as started:
        page.locator("#download").click()
    found = pathlib.Path(started.value.path()).read_bytes()
    assert started.value.suggested_filename == "old.color.jpg"
    output = place / "command.jpg"
    main.run(
        [
            *("colorize", str(place / "old.jpg"), f"--output={output}"),
            *("--saturation=1.5", "--overwrite"),
            f"--model={place / 'models' / 'plain.keras'}",
        ]
    )
    assert found == output.read_bytes()


def test_hints_are_saved_and_loaded_again(page, place):
    browser.choose(page, place / "wide.jpg")
    browser.click_photo(page, 0.4, 0.4)
    page.wait_for_selector(".point")
    with page.expect_download() as started:
        page.locator("#save-hints").click()
    saved = place / "saved.json"
    shutil.copy(started.value.path(), saved)
    assert len(json.loads(saved.read_text())["points"]) == 1
    page.locator("#clear").click()
    assert page.locator(".point").count() == 0
    page.set_input_files("#hints-file", str(saved))
    page.wait_for_selector(".point")


def test_a_wrong_file_is_named_with_its_reason(page, place):
    page.set_input_files("#files", str(place / "wrong.jpg"))
    page.wait_for_selector("#message.wrong")
    said = page.locator("#message").inner_text()
    assert said.startswith("wrong.jpg: ") and "not a picture" in said


def test_a_reload_and_a_second_tab_show_the_same_work(page, place):
    browser.choose(page, place / "wide.jpg")
    page.locator("#strength").fill("0.5")
    browser.click_photo(page, 0.4, 0.4)
    page.wait_for_selector(".point")
    page.wait_for_timeout(400)
    page.reload()
    page.wait_for_selector(".point")
    assert page.locator("#strength").input_value() == "0.5"
    # The way back survives too.
    page.locator("#stage").focus()
    page.keyboard.press("Control+z")
    assert page.locator(".point").count() == 0
    page.keyboard.press("Control+z")
    assert page.locator("#strength").input_value() == "1"
    for _ in range(2):
        page.keyboard.press("Control+y")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector(".point")
    other.close()


def test_several_photos_are_listed_and_the_wrong_one_is_said_last(page, place):
    names = ("wide.jpg", "wrong.jpg", "found.jpg")
    page.set_input_files("#files", [str(place / name) for name in names])
    page.wait_for_function(
        "() => document.querySelectorAll('#photos > span').length === 2"
    )
    browser.colored(page)
    page.wait_for_selector("#message.wrong")
    assert page.locator("#message").inner_text().startswith("wrong.jpg: ")
    shown = page.locator("#photos [aria-current=true]")
    assert shown.inner_text() == "wide.jpg"


def test_the_last_of_two_quick_choices_of_a_model_counts(page, place):
    page.locator("#model").select_option("file: plain.keras")
    browser.choose(page, place / "wide.jpg")
    page.locator("#model").select_option("file: boxed.keras")
    page.locator("#model").select_option("file: plain.keras")
    page.wait_for_function(
        "() => !document.getElementById('download').disabled"
    )
    page.wait_for_timeout(300)
    assert page.locator("#model").input_value() == "file: plain.keras"
    assert page.locator("#boxes-part").is_hidden()


def test_the_page_speaks_german(page):
    page.locator("#language").click()
    page.wait_for_selector("html[lang=de]")
    assert "Fotos wählen" in page.locator("#choose").inner_text()
    page.locator("#language").click()
    page.wait_for_selector("html[lang=en]")


def test_nothing_is_wider_than_a_telephone(page, place):
    browser.choose(page, place / "wide.jpg")
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_timeout(200)
    wide = "() => document.documentElement.scrollWidth"
    assert page.evaluate(wide) <= 360


def test_a_page_whose_server_is_gone_says_so(chromium, place):
    """Killed, the server leaves its folder; the next one is another."""
    with pages.running(
        f"--model={place / 'models' / 'plain.keras'}",
        temporary=place / "temporary",
    ) as (process, address):
        page = chromium.new_page()
        page.goto(address)
        page.wait_for_selector("body[data-ready]", timeout=90_000)
        browser.choose(page, place / "wide.jpg")
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        page.locator("#strength").fill("0.5")
        page.wait_for_selector("#message.wrong")
        assert "tfcolor studio" in page.locator("#message").inner_text()
        page.close()


def test_a_photo_of_60_megapixels_is_colored(page, place):
    (place / "large.jpg").write_bytes(pages.grey_jpeg(10_000, 6_000))
    page.set_default_timeout(120_000)
    browser.choose(page, place / "large.jpg")
    page.locator("#full").click()
    page.wait_for_function(
        "() => document.getElementById('color').naturalWidth > 1600"
    )


def test_200_hints_leave_memory_flat(chromium, place):
    psutil = pytest.importorskip("psutil")
    with pages.running(temporary=place / "temporary") as (process, address):
        page = chromium.new_page()
        page.goto(address)
        page.wait_for_selector("body[data-ready]", timeout=90_000)
        browser.choose(page, place / "wide.jpg")
        sizes = []
        for number in range(200):
            page.locator("#clear").evaluate("e => e.disabled || e.click()")
            browser.click_photo(page, number * 37 % 90 / 100 + 0.05, 0.5)
            page.wait_for_selector(".point")
            browser.colored(page)
            if number % 20 == 19:
                memory = psutil.Process(process.pid).memory_info()
                sizes.append(memory.rss / 2**20)
        page.close()
    print("MiB after each 20 hints:", [round(size) for size in sizes])
    assert sizes[-1] - sizes[2] < 60
