import json
import os
import time

import pytest
from starlette.testclient import TestClient

from tests.studio import pages
from tests.studio.pages import TOKEN
from tfcolor.studio import app as app_lib
from tfcolor.studio import guard

PLAIN = "file: plain.keras"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="module")
def client(place):
    models = pages.model_folder(place / "models")
    (place / "own").mkdir()
    studio = app_lib.Studio(
        str(place / "own"),
        first=str(models / "plain.keras"),
        models=str(models),
        max_pixels=1_000_000,
    )
    app = guard.Guard(app_lib.make_app(studio), token=TOKEN, port=8000)
    address = f"http://127.0.0.1:8000/{TOKEN}"
    with TestClient(app, base_url=address) as client:
        yield client
    studio.close()


def test_boxes_are_those_of_the_photos_name(tmp_path):
    pages.box_file(tmp_path / "boxes" / "old.jpg.npz", [[20, 30, 150, 290]])
    models = pages.model_folder(tmp_path / "models")
    (tmp_path / "own").mkdir()
    studio = app_lib.Studio(
        str(tmp_path / "own"),
        first=str(models / "boxed.keras"),
        boxes=str(tmp_path / "boxes"),
        max_pixels=1_000_000,
    )
    with TestClient(app_lib.make_app(studio)) as client:
        assert client.get("api/state").json()["finds_boxes"]
        found = []
        for name in ("old.jpg", "other.jpg"):
            added = _add(client, pages.grey_jpeg(320, 200), name).json()
            answer = client.post(f"api/photos/{added['id']}/boxes")
            found.append(answer.json()["boxes"])
    studio.close()
    assert found == [[[20, 30, 150, 290]], []]


def test_without_boxes_there_are_none_to_find(client, photo):
    assert not client.get("api/state").json()["finds_boxes"]
    assert client.post(f"{photo}/boxes").status_code == 404


def _add(client, data=None, name="old.jpg"):
    data = pages.grey_jpeg() if data is None else data
    return client.post(
        "api/photos", content=data, headers=pages.name_header(name)
    )


@pytest.fixture
def photo(client):
    added = _add(client).json()
    yield f"api/photos/{added['id']}"
    client.delete(f"api/photos/{added['id']}")


def _edit(**options):
    return {"edit": {"model": PLAIN} | options}


def _render(client, photo, **options):
    answer = client.post(f"{photo}/render", json=_edit(**options))
    assert answer.status_code == 200, answer.text
    return pages.pixels(answer.content)


def test_the_page_and_its_parts_are_served_by_name_alone(client):
    page = client.get("")
    assert page.status_code == 200 and "<script type" in page.text
    assert "text/html" in page.headers["content-type"]
    for path in ("app.py", "../app.py", "%2e%2e/app.py", "..%2fapp.py", "etc"):
        assert client.get(path).status_code in (403, 404), path


def test_state_names_models_and_what_the_first_takes(client):
    state = client.get("api/state").json()
    assert state["models"][0] == PLAIN
    assert {"lite2_unet", "siggraph_small"} <= set(state["models"])
    assert state["takes"] == {"hints": True, "boxes": False, "colors": False}


def test_a_photo_is_colored_and_grey_is_beside_it(client, photo):
    rgb = _render(client, photo)
    assert rgb.shape == (48, 64, 3)
    assert (rgb[..., 0] - rgb[..., 1]).mean() > 20
    grey = pages.pixels(client.get(f"{photo}/grey").content)
    assert abs(grey[..., 0] - grey[..., 1]).max() <= 2


def test_strength_scales_the_color(client, photo):
    none, half, full = (
        _render(client, photo, saturation=s) for s in (0, 0.5, 1)
    )
    spread = [(p.max(-1) - p.min(-1)).mean() for p in (none, half, full)]
    assert spread[0] < 2 < spread[1] < spread[2]


def test_a_hint_colors_its_place_and_nothing_far_off(client, photo):
    hint = {"x": 10, "y": 10, "color": "#00ff00", "radius": 6}
    before = _render(client, photo)
    after = _render(client, photo, hints=[hint])
    assert (after[10, 10] - before[10, 10])[1] > 20
    assert abs(after[40, 60] - before[40, 60]).max() <= 4
    assert abs(_render(client, photo) - before).max() == 0


def test_a_quick_picture_is_smaller_and_has_the_same_colors(client):
    added = _add(client, pages.grey_jpeg(1000, 600)).json()
    photo = f"api/photos/{added['id']}"
    hint = {"x": 500, "y": 300, "color": "#00ff00", "radius": 100}
    whole = _render(client, photo, hints=[hint])
    answer = client.post(
        f"{photo}/render", json=_edit(hints=[hint]) | {"quick": True}
    )
    quick = pages.pixels(answer.content)
    assert (whole.shape, quick.shape) == ((600, 1000, 3), (384, 640, 3))
    for share in (0.2, 0.5, 0.8):
        at = whole[300, int(1000 * share)], quick[192, int(640 * share)]
        assert abs(at[0] - at[1]).max() <= 6
    client.delete(photo)


def test_boxes_reach_a_model_that_takes_them(client, photo):
    boxed = "file: boxed.keras"
    takes = client.post("api/model", json={"model": boxed}).json()["takes"]
    assert takes["boxes"]
    none = _render(client, photo, model=boxed)
    two = _render(
        client, photo, model=boxed, boxes=[[2, 2, 30, 30], [4, 20, 40, 60]]
    )
    assert (two - none)[..., 0].mean() > 5
    result = client.post(
        f"{photo}/result", json=_edit(model=boxed, boxes=[[2, 2, 30, 30]])
    )
    assert result.status_code == 200


def test_hints_of_a_model_without_them_are_refused_in_words(client, photo):
    hint = {"x": 1, "y": 1, "color": "#00ff00"}
    answer = client.post(
        f"{photo}/render", json=_edit(model="file: alone.keras", hints=[hint])
    )
    assert answer.status_code == 422 and "hints" in answer.json()["reason"]


@pytest.mark.parametrize(
    "edit",
    [
        {"model": "/etc/passwd"},
        {"model": "../models/plain.keras"},
        {"model": None},
        {"saturation": 4},
        {"saturation": "much"},
        {"hints": [{"x": 1, "y": 1}]},
        {"hints": [{"x": 99, "y": 1, "color": "#000000"}]},
        {"hints": [{"x": 1, "y": 1, "color": "red"}]},
        {"hints": "all"},
        {"boxes": [["a", 1, 2, 3]]},
        {"boxes": [[1, 2, 3]]},
        {"boxes": [[{}, 1, 2, 3]]},
    ],
)
def test_wrong_edits_are_refused_in_words(client, photo, edit):
    answer = client.post(f"{photo}/render", json=_edit(**edit))
    assert answer.status_code == 422 and answer.json()["reason"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000])
def test_what_is_not_json_is_refused(client, photo, body):
    assert client.post(f"{photo}/render", content=body).status_code == 422


def test_what_is_no_picture_is_refused_and_leaves_nothing(client, place):
    before = set(os.listdir(place / "own"))
    for data, name, code in (
        (b"not a picture", "old.jpg", "no_picture"),
        (b"", "old.jpg", "empty"),
        (pages.grey_jpeg(), "old.exe", "other_file"),
        (pages.grey_jpeg(1001, 1000), "large.jpg", "many_by_head"),
    ):
        answer = _add(client, data, name)
        assert answer.status_code == 422 and answer.json()["reason"], name
        assert answer.json()["code"] == code
    assert set(os.listdir(place / "own")) == before


def test_a_file_of_too_many_bytes_is_not_kept(client, monkeypatch, place):
    before = set(os.listdir(place / "own"))
    monkeypatch.setattr(app_lib, "MAX_BYTES", 100)
    assert _add(client).status_code == 413
    assert set(os.listdir(place / "own")) == before


def test_a_name_is_never_a_path(client, place):
    added = _add(client, name="../../../../tmp/evil.jpg").json()
    assert added["name"] == "evil.jpg"
    assert not (place / "evil.jpg").exists()
    client.delete(f"api/photos/{added['id']}")


def test_the_result_is_the_commands_byte_for_byte(client, place):
    from tfcolor.cli import main

    data = pages.with_exif()
    source = place / "with exif.jpg"
    source.write_bytes(data)
    hints = {"points": [{"x": 5, "y": 9, "color": "#3b7dd8", "radius": 4}]}
    (place / "hints.json").write_text(json.dumps(hints))
    status = main.run(
        [
            *("colorize", str(source), f"--output={place / 'new.jpg'}"),
            *("--saturation=1.25", f"--hints={place / 'hints.json'}"),
            f"--model={place / 'models' / 'plain.keras'}",
        ]
    )
    assert status == 0
    added = _add(client, data, "with exif.jpg").json()
    assert (added["width"], added["height"]) == (48, 64)
    photo = f"api/photos/{added['id']}"
    answer = client.post(
        f"{photo}/result",
        json=_edit(saturation=1.25, hints=hints["points"]),
    )
    assert answer.content == (place / "new.jpg").read_bytes()
    assert b"A. Nobody" in answer.content
    assert "with%20exif.color.jpg" in answer.headers["content-disposition"]
    client.delete(photo)


def test_hints_files_are_read_as_the_command_reads_them(client, photo):
    point = {"x": 3, "y": 4, "color": "#3b7dd8"}
    for content in ({"points": [point]}, {"old.jpg": [point]}):
        answer = client.post(f"{photo}/hints", json=content)
        assert answer.json() == {"hints": [point]}
    for content in (
        {"points": [point | {"x": 5000}]},
        {"points": [{}]},
        {"other.jpg": [point]},
    ):
        answer = client.post(f"{photo}/hints", json=content)
        assert answer.status_code == 422
        assert "own" not in answer.json()["reason"]


def test_an_edit_is_there_after_a_reload(client, photo):
    edit = _edit(saturation=0.5)["edit"]
    assert client.put(f"{photo}/edit", json=edit).status_code == 204
    photos = client.get("api/state").json()["photos"]
    assert [p["edit"] for p in photos if p["id"] in photo] == [edit]


def test_a_closed_photo_is_gone_with_its_files(client, place):
    added = _add(client).json()
    before = len(os.listdir(place / "own"))
    assert client.delete(f"api/photos/{added['id']}").status_code == 204
    assert len(os.listdir(place / "own")) == before - 1
    answer = client.get(f"api/photos/{added['id']}/grey")
    assert answer.status_code == 404


def _wait(client):
    for _ in range(200):
        job = client.get("api/job").json()["job"]
        if not job["running"]:
            return job
        time.sleep(0.05)
    pytest.fail("The folder job does not end.")


def test_a_folder_is_colored_and_failures_have_reasons(client, tmp_path):
    source, output = tmp_path / "album", tmp_path / "colored"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "a.jpg").write_bytes(pages.grey_jpeg())
    (source / "b.jpg").write_bytes(b"broken")
    wish = {"source": str(source), "output": str(output), "model": PLAIN}
    assert client.post("api/job", json=wish).status_code == 200
    job = _wait(client)
    assert (job["done"], job["failed"], job["total"]) == (1, 1, 2)
    assert job["failures"][0]["name"] == "b.jpg"
    assert job["failures"][0]["code"] == "no_picture"
    assert os.listdir(output / "deep") == ["a.jpg"]


def test_a_folder_job_can_be_cancelled(client, tmp_path):
    source = tmp_path / "album"
    source.mkdir()
    for number in range(40):
        (source / f"{number}.jpg").write_bytes(pages.grey_jpeg(400, 300))
    wish = {"source": str(source), "output": f"{tmp_path}/out", "model": PLAIN}
    client.post("api/job", json=wish)
    client.delete("api/job")
    job = _wait(client)
    assert job["cancelled"] and job["done"] < 40


@pytest.mark.parametrize(
    ("source", "output", "code"),
    [
        ("album", "{}/out", "source_path"),
        ("{}/album", "out", "output_path"),
        ("{}", "{}", "output_around"),
        ("{}/none", "{}/out", "no_source"),
        ("{}/album", "{}", "output_around"),
    ],
)
def test_folders_must_be_whole_paths_apart(
    client, tmp_path, source, output, code
):
    (tmp_path / "album").mkdir()
    wish = {
        "source": source.format(tmp_path),
        "output": output.format(tmp_path),
        "model": PLAIN,
    }
    answer = client.post("api/job", json=wish)
    assert answer.status_code == 422 and answer.json()["code"] == code
