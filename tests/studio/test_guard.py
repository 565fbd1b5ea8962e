import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.studio.pages import TOKEN
from tfcolor.studio import guard


@pytest.fixture(scope="module")
def client():
    async def say(request):
        return PlainTextResponse(request.url.path)

    app = Starlette(
        routes=[Route("/{rest:path}", say, methods=["GET", "POST"])]
    )
    guarded = guard.Guard(app, token=TOKEN, port=8000)
    return TestClient(guarded, base_url="http://127.0.0.1:8000")


def test_the_page_gets_an_answer(client):
    answer = client.get(f"/{TOKEN}/api", headers={"Sec-Fetch-Site": "none"})
    assert answer.status_code == 200
    own = {"Origin": "http://127.0.0.1:8000"}
    assert client.post(f"/{TOKEN}/api", headers=own).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/api/state", "/wrong/", f"/{TOKEN}x/", f"//{TOKEN}/"]
)
def test_without_the_token_nothing_is_answered(client, path):
    assert client.get(path).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:8000"},
        {"Host": "127.0.0.1:8001"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_foreign_pages_and_names_are_refused(client, headers):
    answer = client.get(f"/{TOKEN}/api/state", headers=headers)
    assert answer.status_code == 403


def test_the_slash_behind_the_token_may_be_forgotten(client):
    assert client.get(f"/{TOKEN}").url.path == f"/{TOKEN}/"


@pytest.mark.parametrize("path", [f"/{TOKEN}/", "/wrong/"])
def test_every_answer_has_safe_headers(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in headers
