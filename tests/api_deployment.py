"""The API of these tests as the commands of `cts` ask it."""

import httpx
from tests.api_world import ApiWorld

from local.deployment import Deployment

URL = "https://api.test"


def deployed(api: ApiWorld, *, token: str | None = None) -> Deployment:
    """A deployment whose answers are this API's own; as the operator unless told."""

    def handle(request: httpx.Request) -> httpx.Response:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ") or None
        answer = api.call(
            request.method, request.url.raw_path.decode(), request.content or None, token=bearer
        )
        return httpx.Response(answer.status, text=answer.text)

    chosen = api.operator if token is None else token
    return Deployment(url=URL, token=chosen, transport=httpx.MockTransport(handle))
