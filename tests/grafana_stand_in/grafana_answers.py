"""The answers of the stand-in for Grafana: the paths of Grafana's HTTP API that goplot calls."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

Document = dict[str, Any]
Answer = tuple[HTTPStatus, Any]
OK, NOT_FOUND, BAD = HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST
ROLES = ("None", "Viewer", "Editor", "Admin")


class Answers(BaseHTTPRequestHandler):
    """One request, of whoever `_role` finds it to be."""

    grafana: Any
    version: str
    body: Document
    query: dict[str, list[str]]

    def _answer(self) -> None:
        if self.grafana.starts():
            return self._send(HTTPStatus.SERVICE_UNAVAILABLE, {"message": "Service Unavailable"})
        parts = urlsplit(self.path)
        self.query = parse_qs(parts.query)
        try:
            content = self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.body = json.loads(content or b"{}")
        except ValueError:
            return self._send(BAD, {"message": "bad request data"})
        for method, pattern, least, act in ROUTES:
            found = re.fullmatch(pattern, parts.path)
            if method != self.command or not found:
                continue
            role = self._role()
            if least is not None and role is None:
                return self._send(HTTPStatus.UNAUTHORIZED, {"message": "Unauthorized"})
            if least is not None and ROLES.index(role or "None") < ROLES.index(least):
                return self._send(HTTPStatus.FORBIDDEN, {"message": "You'll need more permissions"})
            with self.grafana.lock:
                return self._send(*act(self, *found.groups()))
        if self._role() is None and parts.path.startswith("/api/"):
            return self._send(HTTPStatus.UNAUTHORIZED, {"message": "Unauthorized"})
        if self._role() is None and parts.path != "/login":
            return self._send(HTTPStatus.FOUND, {}, {"Location": "/login"})
        return self._send(NOT_FOUND, {"message": "Not found"})

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def do_POST(self) -> None:
        """Answer."""
        self._answer()

    def do_PUT(self) -> None:
        """Answer."""
        self._answer()

    def do_PATCH(self) -> None:
        """Answer."""
        self._answer()

    def do_DELETE(self) -> None:
        """Answer."""
        self._answer()

    def _role(self) -> str | None:
        """The role of whoever asks; None for a stranger."""
        kind, _, secret = (self.headers["Authorization"] or "").partition(" ")
        if kind == "Bearer":
            account = self.grafana.account_of(secret)
            return account["role"] if account else None
        if kind == "Basic":
            try:
                user, _, password = base64.b64decode(secret).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
            return "Admin" if self.grafana.is_admin(user, password) else None
        if self.grafana.setting("auth.anonymous", "enabled", "false") == "true":
            return "Viewer"
        return None

    def _send(
        self, status: HTTPStatus, document: Any, headers: dict[str, str] | None = None
    ) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def health(one: Answers) -> Answer:
    return OK, {"database": "ok", "version": one.version, "commit": "stand-in"}


def metrics(one: Answers) -> Answer:
    """Grafana shows its own metrics to everybody unless it is configured not to."""
    shown = one.grafana.setting("metrics", "enabled", "true") == "true"
    return (OK, {}) if shown else (NOT_FOUND, {"message": "Not found"})


def user(_: Answers) -> Answer:
    return OK, {"login": "admin", "isGrafanaAdmin": True}


def change_password(one: Answers) -> Answer:
    if not one.grafana.is_admin("admin", one.body["oldPassword"]):
        return HTTPStatus.UNAUTHORIZED, {"message": "invalid old password"}
    one.grafana.set_password(one.body["newPassword"])
    return OK, {"message": "User password changed"}


def datasource(one: Answers, uid: str) -> Answer:
    for source in one.grafana.datasources:
        if source["uid"] == uid:
            hidden = ("secureJsonData",)
            return OK, {key: value for key, value in source.items() if key not in hidden}
    return NOT_FOUND, {"message": "Data source not found"}


def datasource_health(one: Answers, uid: str) -> Answer:
    """Asks the plugin's process, which asks Prometheus as the datasource says."""
    found = [source for source in one.grafana.datasources if source["uid"] == uid]
    if not found:
        return NOT_FOUND, {"message": "Data source not found"}
    if one.grafana.plugin is None:
        return NOT_FOUND, {"message": "Plugin not found", "messageId": "plugin.notRegistered"}
    try:
        healthy, message = one.grafana.plugin.ask(found[0])
    except OSError:
        error = {"message": "Plugin unavailable", "messageId": "plugin.unavailable"}
        return HTTPStatus.INTERNAL_SERVER_ERROR, error
    status = "OK" if healthy else "ERROR"
    return OK if healthy else BAD, {"status": status, "message": message}


def dashboard(one: Answers, uid: str) -> Answer:
    board, folder = one.grafana.dashboards().get(uid, (None, ""))
    if board is None:
        return NOT_FOUND, {"message": "Dashboard not found"}
    return OK, {"dashboard": board, "meta": {"provisioned": True, "folderTitle": folder}}


def newest_annotations(one: Answers) -> Answer:
    """The newest first, 100 unless asked otherwise."""
    wanted = set(one.query.get("tags", []))
    found = [item for item in one.grafana.state["annotations"] if wanted <= set(item["tags"])]
    limit = int(one.query.get("limit", ["100"])[0])
    return OK, sorted(found, key=lambda item: item["time"], reverse=True)[:limit]


def annotate(one: Answers) -> Answer:
    if not one.body.get("text"):
        return BAD, {"message": "Failed to save annotation"}
    known = {"text": "", "tags": [], "time": 0, "timeEnd": one.body.get("time", 0)}
    new = {key: one.body.get(key, default) for key, default in known.items()}
    new["id"] = one.grafana.next_id()
    one.grafana.state["annotations"].append(new)
    one.grafana.keep()
    return OK, {"id": new["id"], "message": "Annotation added"}


def annotation(one: Answers, number: str) -> Answer:
    for item in one.grafana.state["annotations"]:
        if item["id"] == int(number):
            return OK, item
    return NOT_FOUND, {"message": "Annotation not found"}


def delete_annotation(one: Answers, number: str) -> Answer:
    status, item = annotation(one, number)
    if status != OK:
        return status, item
    one.grafana.state["annotations"].remove(item)
    one.grafana.keep()
    return OK, {"message": "Annotation deleted"}


def shown(account: Document) -> Document:
    return {key: account[key] for key in ("id", "name", "role")} | {
        "login": f"sa-1-{account['name']}",
        "isDisabled": False,
        "tokens": len(account["tokens"]),
    }


def accounts(one: Answers) -> Answer:
    query = one.query.get("query", [""])[0].lower()
    found = [a for a in one.grafana.state["accounts"] if query in a["name"].lower()]
    return OK, {"totalCount": len(found), "serviceAccounts": [shown(a) for a in found]}


def add_account(one: Answers) -> Answer:
    if any(one.body["name"] == account["name"] for account in one.grafana.state["accounts"]):
        return BAD, {"message": "service account already exists"}
    new = {"id": one.grafana.next_id(), "name": one.body["name"], "tokens": []}
    new["role"] = one.body.get("role", "Viewer")
    one.grafana.state["accounts"].append(new)
    one.grafana.keep()
    return HTTPStatus.CREATED, shown(new)


def change_account(one: Answers, number: str) -> Answer:
    account = account_by_id(one, number)
    if account is None:
        return NOT_FOUND, {"message": "service account not found"}
    account["role"] = one.body.get("role", account["role"])
    one.grafana.keep()
    return OK, {"message": "Service account updated", "serviceaccount": shown(account)}


def account_by_id(one: Answers, number: str) -> Document | None:
    found = [a for a in one.grafana.state["accounts"] if a["id"] == int(number)]
    return found[0] if found else None


def tokens(one: Answers, number: str) -> Answer:
    account = account_by_id(one, number)
    if account is None:
        return NOT_FOUND, {"message": "service account not found"}
    return OK, [{"id": token["id"], "name": token["name"]} for token in account["tokens"]]


def add_token(one: Answers, number: str) -> Answer:
    """The key is in this answer and nowhere else."""
    account = account_by_id(one, number)
    if account is None:
        return NOT_FOUND, {"message": "service account not found"}
    # Names are unique in the organisation, not in the account.
    kept = [token for a in one.grafana.state["accounts"] for token in a["tokens"]]
    if any(token["name"] == one.body["name"] for token in kept):
        return BAD, {"message": "service account token already exists"}
    key, digest = one.grafana.new_token()
    new = {"id": one.grafana.next_id(), "name": one.body["name"]}
    account["tokens"].append({**new, "hash": digest})
    one.grafana.keep()
    return OK, {**new, "key": key}


def delete_token(one: Answers, number: str, token: str) -> Answer:
    account = account_by_id(one, number)
    found = [t for t in account["tokens"] if t["id"] == int(token)] if account else []
    if account is None or not found:
        return NOT_FOUND, {"message": "service account token not found"}
    account["tokens"].remove(found[0])
    one.grafana.keep()
    return OK, {"message": "Service account token deleted"}


def page(_: Answers) -> Answer:
    return OK, {"message": "This is a stand-in for Grafana: it has no pages."}


#: Method, path, least role (None: a stranger may), and what answers.
ROUTES: tuple[tuple[str, str, str | None, Callable[..., Answer]], ...] = (
    ("GET", "/api/health", None, health),
    ("GET", "/metrics", None, metrics),
    ("GET", "/login", None, page),
    ("GET", "/api/user", "Admin", user),
    ("PUT", "/api/user/password", "Admin", change_password),
    ("GET", r"/api/datasources/uid/([\w-]+)", "Admin", datasource),
    ("GET", r"/api/datasources/uid/([\w-]+)/health", "Viewer", datasource_health),
    ("GET", r"/api/dashboards/uid/([\w-]+)", "Viewer", dashboard),
    ("GET", "/api/annotations", "Viewer", newest_annotations),
    ("POST", "/api/annotations", "Editor", annotate),
    ("GET", r"/api/annotations/(\d+)", "Viewer", annotation),
    ("DELETE", r"/api/annotations/(\d+)", "Editor", delete_annotation),
    ("GET", "/api/serviceaccounts/search", "Admin", accounts),
    ("POST", "/api/serviceaccounts", "Admin", add_account),
    ("PATCH", r"/api/serviceaccounts/(\d+)", "Admin", change_account),
    ("GET", r"/api/serviceaccounts/(\d+)/tokens", "Admin", tokens),
    ("POST", r"/api/serviceaccounts/(\d+)/tokens", "Admin", add_token),
    ("DELETE", r"/api/serviceaccounts/(\d+)/tokens/(\d+)", "Admin", delete_token),
)
