"""Pages as a browser without scripts sees them: addresses, forms, and what they say is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

SECONDS = 60.0


@dataclass(slots=True)
class Form:
    """One form of a page: where it posts, and its fields as they stand."""

    action: str
    posts: bool = True
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Page:
    """One answer. `complaints` are the sentences that are marked as something wrong."""

    url: str
    status: int
    text: str
    forms: list[Form]
    complaints: list[str]

    def form(self, action: str) -> Form:
        """Return the form that posts to `action`; fail with what the page complains about."""
        for form in self.forms:
            if form.posts and form.action == action:
                return form
        known = [form.action for form in self.forms]
        raise AssertionError(f"{self.url} has no form for {action}, but {known}; {self.complaints}")


class _Reader(HTMLParser):
    """Collects forms and the paragraphs of class `why`."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.loose = Form("")
        self.complaints: list[str] = []
        self._form: Form | None = None
        self._select = self._textarea = ""
        self._is_complaint = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        fields = (self._form or self.loose).fields
        if tag == "form":
            self._form = Form(found.get("action", ""), posts=found.get("method") != "get")
            self.forms.append(self._form)
        elif tag == "input" and found.get("name"):
            if found.get("type") != "checkbox" or "checked" in found:
                fields[found["name"]] = found.get("value", "")
        elif tag == "select":
            self._select = found.get("name", "")
        elif tag == "textarea":
            self._textarea = found.get("name", "")
            fields[self._textarea] = ""
        elif tag == "option" and self._select:
            # An option without a value is worth its text; a browser sends the first by default.
            self._option(found, fields)
        elif tag == "p" and "why" in found.get("class", "").split():
            self._is_complaint = True
            self.complaints.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""
        elif tag == "p":
            self._is_complaint = False

    def handle_data(self, data: str) -> None:
        fields = (self._form or self.loose).fields
        if self._textarea:
            fields[self._textarea] += data
        elif self._select and fields.get(self._select) is _TEXT_OF_OPTION:
            fields[self._select] = data.strip()
        if self._is_complaint:
            self.complaints[-1] += data

    def _option(self, found: Mapping[str, str], fields: dict[str, str]) -> None:
        if "selected" in found or self._select not in fields:
            fields[self._select] = found.get("value", _TEXT_OF_OPTION)


_TEXT_OF_OPTION = "\0"


class Web:
    """Cookies and one address: gets pages and posts their forms."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> Page:
        return self._open(Request(urljoin(self.url, path)))  # noqa: S310 - our own loopback address

    def post(self, form: Form, **typed: str) -> Page:
        """Send a form with some fields typed over; an empty string unticks a box."""
        fields = {name: value for name, value in {**form.fields, **typed}.items() if value != ""}
        body = urlencode(fields).encode()
        return self._open(Request(urljoin(self.url, form.action), body))  # noqa: S310

    def _open(self, request: Request) -> Page:
        try:
            answer = self._opener.open(request, timeout=SECONDS)
        except HTTPError as refusal:
            answer = refusal
        with answer:
            text = answer.read().decode()
            reader = _Reader()
            reader.feed(text)
            forms = reader.forms + ([reader.loose] if reader.loose.fields else [])
            words = [" ".join(sentence.split()) for sentence in reader.complaints]
            return Page(answer.url, answer.status, text, forms, words)
