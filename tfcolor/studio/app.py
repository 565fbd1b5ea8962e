"""The studio's requests: photos in, pictures out, all by the one worker."""

import asyncio
import json
import os
import pathlib
import secrets
import shutil
import tempfile
import urllib.parse
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.responses import JSONResponse
from starlette.responses import Response
from starlette.routing import Route

from tfcolor.data import files
from tfcolor.data import memory
from tfcolor.detection import defaults
from tfcolor.studio import reasons
from tfcolor.studio import worker as worker_lib
from tfcolor.studio.worker import Worker

_PAGE = pathlib.Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
# Bytes of one photo, and of all of them; of anything else that is sent.
MAX_BYTES, MAX_ALL_BYTES, MAX_JSON = 2**29, 2**33, 2**20
MAX_PHOTOS = 200
# Photos whose copies stay in memory: about 6 MB each.
_IN_MEMORY = 4


class Studio:
    """What the server knows: photos, models and the folder job.

    All pages of the browser show the same photos; what was done to them is
    kept here, so that a reload loses nothing.

    Args:
        folder: str, an empty temporary folder; nothing is written elsewhere
            but by a folder job.
        first: str or None, the model to begin with.
        models: str or None, a folder of `.keras` files.
        boxes: str or None. Where things are, as of `colorize_album`: a folder
            of .npz files, a COCO JSON or a detector's SavedModel.
        max_boxes: int. The boxes of highest score that a photo gets.
        max_pixels: int. A photo of more is refused.
    """

    def __init__(
        self,
        folder: str,
        *,
        first: str | None = None,
        models: str | None = None,
        boxes: str | None = None,
        max_boxes: int = defaults.MAX_BOXES,
        max_pixels: int,
    ):
        self.worker = Worker()
        self._folder, self._max_pixels = folder, max_pixels
        self._first, self._models = first, models
        self._boxes, self._max_boxes, self._finder = boxes, max_boxes, None
        self._choices = None
        self._loaded = (None, None)
        self._photos, self._edits, self._used = {}, {}, []
        self._job = None
        self._bytes = 0
        # TensorFlow and the first model take seconds: begin at once.
        self._start = self.worker.submit(self._warm_up)

    def _warm_up(self) -> None:
        self._get_model(self._model_choices()[0].name)

    def _model_choices(self):
        from tfcolor.studio import colorizers

        if self._choices is None:
            self._choices = colorizers.choices(self._first, self._models)
        return self._choices

    def _get_model(self, name: str):
        """Returns the Loaded model of a name; in the worker's thread only."""
        from tfcolor.studio import colorizers

        if self._loaded[0] != name:
            found = [c for c in self._model_choices() if c.name == name]
            if not found:
                raise ValueError(
                    "`model` must be one of the page's models. "
                    f"Received: {name!r}"
                )
            loaded = colorizers.Loaded(found[0].model)
            self._loaded = (name, loaded)
        return self._loaded[1]

    async def _run(self, function: Callable, *, key=None):
        """Waits for the worker, and makes its errors answers."""
        try:
            return await asyncio.wrap_future(
                self.worker.submit(function, key=key)
            )
        except worker_lib.Stale:
            raise HTTPException(409, "stale") from None
        except (OSError, ValueError) as error:
            reason = files.one_line(error)
            # A path of the temporary folder says nothing to a person.
            raise HTTPException(
                422, reason.replace(self._folder + os.sep, "")
            ) from error
        except Exception as error:
            known = memory.ran_out(error, "a smaller photo")
            if known is None:
                raise
            raise HTTPException(507, known) from error

    def _photo(self, request: Request):
        photo = self._photos.get(request.path_params["photo"])
        if photo is None:
            raise HTTPException(404, "There is no such photo any more.")
        return photo

    def _touch(self, photo_id: str) -> None:
        """Keeps few copies in memory; in the worker's thread only."""
        self._used = [i for i in self._used if i != photo_id] + [photo_id]
        while len(self._used) > _IN_MEMORY:
            old = self._photos.get(self._used.pop(0))
            if old is not None:
                old.forget()

    async def _wish(self, request: Request, what: Callable, *, key=None):
        """Runs `what(photo, loaded, edit, content)` for a photo's edit."""
        from tfcolor.studio import photos

        photo, content = self._photo(request), await _json(request)
        edit_of = content.get("edit")

        def work():
            self._touch(request.path_params["photo"])
            edit = photos.parse_edit(edit_of, photo)
            return what(photo, self._get_model(edit.model), edit, content)

        return await self._run(work, key=key)

    async def state(self, request: Request) -> Response:
        """Everything that a page needs to begin, or to begin again."""
        await self._run(self._check_start)
        takes = await self._run(lambda: self._loaded[1].takes)
        return JSONResponse(
            {
                "models": [c.name for c in self._choices],
                "loaded": self._loaded[0],
                "takes": takes,
                "finds_boxes": self._boxes is not None,
                "photos": [self._told(i) for i in self._photos],
                "job": self._job and self._job.state,
            }
        )

    def _check_start(self) -> None:
        if self._loaded[1] is None:
            # What went wrong, for the page: most likely --model.
            self._warm_up()

    def _told(self, photo_id: str) -> dict:
        photo = self._photos[photo_id]
        return {
            "id": photo_id,
            "name": photo.name,
            "width": photo.width,
            "height": photo.height,
            "notes": [reasons.coded(note) for note in photo.notes],
            "edit": self._edits.get(photo_id),
        }

    async def add(self, request: Request) -> Response:
        """Takes a photo: the body is its file, X-Name its name."""
        from tfcolor.studio import photos

        name = urllib.parse.unquote(request.headers.get("x-name", ""))[-255:]
        name = os.path.basename(name.replace("\\", "/"))
        if len(self._photos) >= MAX_PHOTOS:
            raise HTTPException(
                413, f"At most {MAX_PHOTOS} photos can be open at once."
            )
        folder = tempfile.mkdtemp(prefix="photo-", dir=self._folder)
        size = 0
        try:
            try:
                path = photos.source_path(folder, name)
            except ValueError as error:
                raise HTTPException(422, files.one_line(error)) from error
            with open(path, "wb") as file:
                async for part in request.stream():
                    size += len(part)
                    if size > MAX_BYTES or size + self._bytes > MAX_ALL_BYTES:
                        raise HTTPException(
                            413,
                            "A photo's file must have at most "
                            f"{MAX_BYTES >> 20} MiB, and all together "
                            f"{MAX_ALL_BYTES >> 20} MiB.",
                        )
                    file.write(part)
            photo = await self._run(
                lambda: photos.Photo(folder, name, max_pixels=self._max_pixels)
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._bytes += size
        photo_id = secrets.token_hex(8)
        self._photos[photo_id] = photo
        return JSONResponse(self._told(photo_id), status_code=201)

    async def remove(self, request: Request) -> Response:
        """Closes a photo."""
        photo = self._photo(request)
        photo_id = request.path_params["photo"]
        del self._photos[photo_id]
        self._edits.pop(photo_id, None)
        self._bytes -= os.path.getsize(photo.source)
        await self._run(photo.remove)
        return Response(status_code=204)

    async def keep(self, request: Request) -> Response:
        """Keeps an edit, for a reload."""
        from tfcolor.studio import photos

        photo, content = self._photo(request), await _json(request)
        try:
            photos.parse_edit(content, photo)
        except ValueError as error:
            raise HTTPException(422, files.one_line(error)) from error
        self._edits[request.path_params["photo"]] = content
        return Response(status_code=204)

    async def grey(self, request: Request) -> Response:
        """The photo in grey, at screen size."""
        photo = self._photo(request)

        def work():
            self._touch(request.path_params["photo"])
            return photo.grey()

        return _picture(await self._run(work))

    async def render(self, request: Request) -> Response:
        """The photo in color, at screen size; older wishes become stale."""
        key = ("render", request.path_params["photo"], _page(request))
        return _picture(
            await self._wish(
                request,
                lambda p, loaded, e, content: p.render(
                    loaded, e, quick=content.get("quick") is True
                ),
                key=key,
            )
        )

    async def detail(self, request: Request) -> Response:
        """The photo in color, at full size."""
        return _picture(
            await self._wish(
                request,
                lambda p, loaded, e, _: p.detail(loaded, e),
                key=("detail", _page(request)),
            )
        )

    async def colors(self, request: Request) -> Response:
        """Colors that the model finds likely at a place; see `?new`."""
        # A hint that is placed must get its answer; of those that are
        # looked at only the newest counts.
        is_new = "new" in request.query_params
        key = None if is_new else ("colors", _page(request))
        return JSONResponse(
            await self._wish(
                request,
                lambda p, loaded, e, content: p.colors(
                    loaded, e, *_place(content)
                ),
                key=key,
            )
        )

    async def boxes(self, request: Request) -> Response:
        """Where things are on a photo, from what --boxes names."""
        photo = self._photo(request)
        if self._boxes is None:
            raise HTTPException(404, "The studio was started without --boxes.")

        def work():
            from tfcolor.inference import box_finder

            if self._finder is None:
                self._finder = box_finder.open_finder(
                    self._boxes, max_boxes=self._max_boxes
                )
            return photo.find_boxes(self._finder)

        return JSONResponse({"boxes": await self._run(work)})

    async def result(self, request: Request) -> Response:
        """The file that `tfcolor colorize` makes."""
        path, folder = await self._wish(
            request, lambda p, loaded, e, _: p.result(loaded, e)
        )
        stem = os.path.splitext(self._photo(request).name)[0] or "photo"
        return FileResponse(
            path,
            filename=f"{stem}.color{os.path.splitext(path)[1]}",
            media_type="application/octet-stream",
            background=BackgroundTask(shutil.rmtree, folder, True),
        )

    async def hints(self, request: Request) -> Response:
        """Reads a hints file, as `--hints` takes it, for a photo."""
        photo, data = self._photo(request), await _body(request, MAX_JSON)

        def work():
            from tfcolor.inference import hint_points

            with tempfile.NamedTemporaryFile(dir=photo.folder) as file:
                file.write(data)
                file.flush()
                try:
                    points = hint_points.read_hints(file.name, [photo.name])
                except ValueError as error:
                    text = str(error).removeprefix(f"{file.name}: ")
                    raise ValueError(text) from error
            points = points.get(photo.name, [])
            hint_points.check_inside(
                points, width=photo.width, height=photo.height
            )
            return [
                {"x": p.x, "y": p.y, "color": p.color}
                | ({} if p.radius is None else {"radius": p.radius})
                for p in points
            ]

        return JSONResponse({"hints": await self._run(work)})

    async def model(self, request: Request) -> Response:
        """Loads a model, and says what it takes."""
        name = (await _json(request)).get("model")
        takes = await self._run(lambda: self._get_model(name).takes)
        return JSONResponse({"model": name, "takes": takes})

    async def job(self, request: Request) -> Response:
        """Begins, shows or cancels the folder job; there is one at a time."""
        if request.method == "DELETE" and self._job is not None:
            self._job.cancel()
        if request.method == "POST":
            await self._begin_job(await _json(request))
        return JSONResponse({"job": self._job and self._job.state})

    async def _begin_job(self, content: dict) -> None:
        from tfcolor.studio import folder_job

        if self._job is not None and self._job.state["running"]:
            raise HTTPException(409, "A folder is being colored already.")
        saturation = content.get("saturation", 1.0)
        if not isinstance(saturation, int | float) or not 0 <= saturation <= 3:
            raise HTTPException(422, "`saturation` must be in 0..3.")
        name = content.get("model")
        try:
            self._job = folder_job.FolderJob(
                self.worker,
                source=content.get("source"),
                output=content.get("output"),
                get_model=lambda: self._get_model(name),
                saturation=float(saturation),
                max_pixels=self._max_pixels,
            )
        except ValueError as error:
            raise HTTPException(422, files.one_line(error)) from error

    def close(self) -> None:
        """Ends the folder job and the worker."""
        if self._job is not None:
            self._job.cancel()
        self.worker.close()


def _page(request: Request) -> str:
    """Two pages of a browser must not take each other's wishes."""
    return request.headers.get("x-page", "")[:64]


def _place(content: dict) -> tuple[float, float]:
    place = content.get("x"), content.get("y")
    if not all(isinstance(value, int | float) for value in place):
        raise ValueError(f"`x` and `y` must be numbers. Received: {place}")
    return place


def _picture(data: bytes) -> Response:
    return Response(data, media_type="image/jpeg")


async def _body(request: Request, most: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise HTTPException(413, f"At most {most} bytes may be sent here.")
        parts.append(part)
    return b"".join(parts)


async def _json(request: Request) -> dict:
    try:
        content = json.loads(await _body(request, MAX_JSON))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise HTTPException(422, "A JSON object must be sent here.")
    return content


def _page_routes() -> list[Route]:
    """One route for each file of the page: no other can be asked for."""

    def route(path: pathlib.Path) -> Route:
        kind = _TYPES[path.suffix]

        async def send(request: Request) -> Response:
            return Response(path.read_bytes(), media_type=kind)

        name = "" if path.name == "index.html" else path.name
        return Route(f"/{name}", send, methods=["GET"])

    return [route(p) for p in sorted(_PAGE.iterdir()) if p.suffix in _TYPES]


async def _say(request: Request, error: HTTPException) -> Response:
    return JSONResponse(reasons.coded(error.detail), error.status_code)


def make_app(studio: Studio) -> Starlette:
    """Makes the ASGI application; `guard.Guard` goes around it.

    Args:
        studio: Studio.

    Returns:
        Starlette.
    """
    photo = "/api/photos/{photo}"
    routes = [
        *_page_routes(),
        Route("/api/state", studio.state, methods=["GET"]),
        Route("/api/photos", studio.add, methods=["POST"]),
        Route(photo, studio.remove, methods=["DELETE"]),
        Route(f"{photo}/edit", studio.keep, methods=["PUT"]),
        Route(f"{photo}/grey", studio.grey, methods=["GET"]),
        Route(f"{photo}/render", studio.render, methods=["POST"]),
        Route(f"{photo}/detail", studio.detail, methods=["POST"]),
        Route(f"{photo}/colors", studio.colors, methods=["POST"]),
        Route(f"{photo}/boxes", studio.boxes, methods=["POST"]),
        Route(f"{photo}/result", studio.result, methods=["POST"]),
        Route(f"{photo}/hints", studio.hints, methods=["POST"]),
        Route("/api/model", studio.model, methods=["POST"]),
        Route("/api/job", studio.job, methods=["GET", "POST", "DELETE"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _say})
