"""From an S3 server on loopback to it: pictures, manifest, failures, again."""

import collections
import functools
import urllib.request

import numpy as np
import pytest
from PIL import Image

from tests import drawn
from tests.cluster import breaking
from tests.cluster import local_ray
from tests.inference import models
from tfcolor.cli import main
from tfcolor.cluster import album as cluster_album
from tfcolor.cluster import storage
from tfcolor.cluster.listing import Entry
from tfcolor.inference import album
from tfcolor.inference.colorizer import Colorizer

pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture
def bucket(monkeypatch):
    """The URL of a bucket of a server of its own."""
    import s3fs

    server = moto_server.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anyone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    # Servers of one process have the same buckets.
    reset = f"http://{host}:{port}/moto-api/reset"
    urllib.request.urlopen(reset, data=b"").close()
    s3fs.S3FileSystem().mkdir("scans")
    yield "s3://scans"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "in/1920").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i, name in enumerate(("a.png", "1920/b.png", "1920/c.jpg", "d.png")):
        pixels = rng.integers(0, 256, (12, 18 + i), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / name)
    return tmp_path


def _content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.*")
    }


def test_objects_are_written_read_found_and_removed(bucket):
    path = f"{bucket}/x/a.bin"
    assert not storage.exists(path)
    storage.write(path, b"0123456789")
    assert storage.read(path, 2, 5) == b"234"
    storage.make_folder(f"{bucket}/new")
    storage.remove(path)
    assert not storage.exists(path)


def test_an_empty_object_and_a_folder_are_there(bucket):
    storage.write(f"{bucket}/x/empty", b"")
    assert storage.exists(f"{bucket}/x/empty")
    assert not storage.exists(f"{bucket}/x/none")
    with pytest.raises(OSError, match=r"\w"):
        storage.read(f"{bucket}/x/none")


def test_a_picture_takes_three_requests(bucket, pictures, monkeypatch):
    import s3fs

    asked, call = collections.Counter(), s3fs.S3FileSystem._call_s3

    async def counted(self, method, *arguments, **options):
        asked[method] += 1
        return await call(self, method, *arguments, **options)

    names = [*_content(pictures / "in")]
    for name in names:
        data = (pictures / "in" / name).read_bytes()
        storage.write(f"{bucket}/in/{name}", data)
    wanted = cluster_album.Colorizing(
        f"{bucket}/out",
        functools.partial(Colorizer, models.lightness_model(), image_size=16),
    )
    work = wanted.make_work()
    entries = [Entry(f"{bucket}/in/{name}", name, name) for name in names]
    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", counted)
    assert not any(map(wanted.find_done, entries))
    assert [o.reason for o in work(entries).outcomes] == [None] * len(names)
    # Whether it is there, and the picture itself.
    assert asked == {
        "get_object": 2 * len(names),
        "put_object": len(names),
    }
    asked.clear()
    assert all(map(wanted.find_done, entries))
    assert asked == {"get_object": len(names)}


def test_an_object_has_another_stamp_once_it_is_replaced(bucket):
    path = f"{bucket}/x/a.bin"
    assert storage.stamp(path) is None
    storage.write(path, b"0123456789")
    stamp = storage.stamp(path)
    assert stamp == storage.stamp(path)
    storage.write(path, b"9876543210")
    assert stamp != storage.stamp(path)


@pytest.mark.long
def test_files_are_those_of_folders_and_are_done_once(
    bucket, pictures, tmp_path
):
    pytest.importorskip("ray")
    model = models.save(models.lightness_model(), tmp_path / "plain.keras")
    list(
        album.colorize_album(
            [str(pictures / "in")],
            str(tmp_path / "one"),
            make_colorizer=functools.partial(Colorizer, model, batch_size=1),
        )
    )
    sources = _content(pictures / "in")
    for name, data in sources.items():
        storage.write(f"{bucket}/in/{name}", data)
    storage.write(f"{bucket}/in/bad.jpg", b"text")
    lines = "\n".join(f"{bucket}/in/{name}" for name in sources)
    storage.write(f"{bucket}/list.txt", lines.encode())
    make_colorizer = functools.partial(breaking.poisoned_colorizer, model)
    with local_ray.two_nodes():
        for inputs, output, skipped, failed in (
            ([f"{bucket}/in/"], f"{bucket}/out", 0, 1),
            ([f"{bucket}/in/"], f"{bucket}/out", 4, 1),
            ([f"@{bucket}/list.txt"], f"{bucket}/listed", 0, 0),
        ):
            found = list(
                cluster_album.colorize_on_cluster(
                    inputs, output, make_colorizer=make_colorizer
                )
            )
            assert sum(o.skipped is not None for o in found) == skipped
            assert [o.source for o in found if o.reason] == failed * [
                f"{bucket}/in/bad.jpg"
            ]
            import s3fs

            system = s3fs.S3FileSystem(use_listings_cache=False)
            root = output.removeprefix("s3://")
            written = {
                path.removeprefix(f"{root}/"): system.cat_file(path)
                for path in system.find(root)
            }
            assert written == _content(tmp_path / "one")


@pytest.mark.long
def test_an_evaluation_is_that_of_a_folder(bucket, tmp_path):
    pytest.importorskip("ray")
    model = models.save(models.lightness_model(), tmp_path / "plain.keras")
    for i in range(6):
        name = f"truth/{i % 2}/{i}.png"
        drawn.write(tmp_path / name, drawn.colored(i, 24, 30))
        data = (tmp_path / name).read_bytes()
        storage.write(f"{bucket}/{name}", data)
    lines = [f"{bucket}/truth/{i}/{j}.png" for i in (0, 1) for j in range(6)]
    # Half of them are not there.
    storage.write(f"{bucket}/list.txt", "\n".join(lines).encode())
    arguments = ["evaluate", f"--model={model}", "--by_class"]
    truth = f"--truth={tmp_path}/truth"
    assert main.run([*arguments, truth, f"--output={tmp_path}/one"]) == 0
    with local_ray.two_nodes():
        for name, given, status in (
            ("two", f"{bucket}/truth", 0),
            ("three", f"@{bucket}/list.txt", 1),
        ):
            output = f"--output={tmp_path}/{name}"
            found = [*arguments, f"--truth={given}", output, "--cluster"]
            assert main.run(found) == status
    for table in ("metrics.csv", "by_class.csv"):
        expected = (tmp_path / "one" / table).read_bytes()
        for name in ("two", "three"):
            assert (tmp_path / name / table).read_bytes() == expected
    failures = (tmp_path / "three.failures.csv").read_text().splitlines()
    assert len(failures) == 7
    assert all(line.startswith(f"{bucket}/truth/") for line in failures[1:])
    assert not (tmp_path / "two.failures.csv").exists()
