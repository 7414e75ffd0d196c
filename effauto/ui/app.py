"""The application: which address shows what, and to whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from effauto.errors import EffautoError, InputError, StoreError
from effauto.method import Method
from effauto.report.page.render import TEMPLATES, asset, environment, plotly, render
from effauto.ui.pages import Found, Pages

LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
# Nothing is loaded from elsewhere, nothing is run, and no other page may frame these.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# A page with charts runs this server's scripts and no others; these set styles of their own.
CHARTS = POLICY.replace("style-src 'self'", "script-src 'self'; style-src 'self' 'unsafe-inline'")
CHARTS = CHARTS.replace("data:", "data: blob:")
# A study's page has scripts of its own, and says by their hashes which.
FRAMES = "frame-ancestors 'none'; base-uri 'none'"
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
SCRIPTS = ("plotly.js", "charts.js", "page.js")
KEPT = {"Cache-Control": "max-age=3600"}
# Seconds after which the page of a search that is under way looks again.
AGAIN = "5"


def application(db: str | None, methods: Mapping[str, Method]) -> Starlette:
    """The results at ``db`` and these methods, for readers on this machine only.

    A request that names another host is refused, and so is one that another origin's page makes.
    """
    pages = Pages(db, methods)
    templates = environment("effauto.ui", TEMPLATES)

    def shown(
        name: str, make: Callable[[Request], Found], policy: str = POLICY
    ) -> Callable[[Request], Response]:
        def page(request: Request) -> Response:
            _check_origin(request)
            found = make(request)
            text = templates.get_template(f"{name}.html").render(**found, here=request.url.path)
            return HTMLResponse(text, headers=_headers(policy))

        return page

    def study(request: Request) -> Response:
        _check_origin(request)
        page, running = pages.study(int(request.path_params["number"]))
        again = {"Refresh": AGAIN} if running else {}
        return HTMLResponse(render(page), headers=_headers(FRAMES) | again)

    def failed(request: Request, error: Exception) -> Response:
        status, sentence = _explained(error)
        text = templates.get_template("error.html").render(sentence=sentence, here="")
        return HTMLResponse(text, status_code=status, headers=_headers(POLICY))

    def style(request: Request) -> Response:
        text = asset("page.css") + templates.get_template("ui.css").render()
        return Response(text, media_type="text/css", headers=HEADERS)

    def script(request: Request) -> Response:
        name = request.url.path.strip("/")
        text = plotly() if name == "plotly.js" else asset(name)
        return Response(text, media_type="text/javascript", headers=HEADERS | KEPT)

    return Starlette(
        routes=[
            Route("/", shown("studies", lambda request: pages.studies())),
            Route("/study/{number:int}", study),
            Route("/trials", shown("trials", lambda request: pages.trials(request.query_params))),
            Route(
                "/trial/{name}",
                shown("trial", lambda request: pages.trial(request.path_params["name"])),
            ),
            Route(
                "/compare", shown("compare", lambda request: pages.compare(request.query_params))
            ),
            Route(
                "/fronts",
                shown("fronts", lambda request: pages.fronts(request.query_params), CHARTS),
            ),
            Route("/methods", shown("methods", lambda request: pages.methods_known())),
            Route(
                "/method/{name}",
                shown("method", lambda request: pages.method(request.path_params["name"])),
            ),
            Route("/style.css", style),
            *(Route(f"/{name}", script) for name in SCRIPTS),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK)],
        exception_handlers={EffautoError: failed, HTTPException: failed},
    )


def _headers(policy: str) -> dict[str, str]:
    return {**HEADERS, "Content-Security-Policy": policy}


def _check_origin(request: Request) -> None:
    """Browsers say where a request comes from; what a page elsewhere asks is not answered."""
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        asked_by_link = request.headers.get("sec-fetch-mode") == "navigate"
        if not asked_by_link:
            raise HTTPException(403, "a page of another origin may not read these results")


def _explained(error: Exception) -> tuple[int, str]:
    if isinstance(error, HTTPException):
        return error.status_code, "There is no such page." if error.status_code == 404 else (
            error.detail
        )
    return (404 if isinstance(error, StoreError) else 400), str(error) or InputError.__name__
