"""A feed of what changed: RSS where the site's address is known, for it wants whole addresses; else Atom."""

from __future__ import annotations

import datetime
import urllib.parse
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

__all__ = ["ADDRESS", "LENGTH", "Entry", "feed", "kind"]

ADDRESS = "feed.xml"
LENGTH = 30

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Entry:
    """One note: its title, address from the site's root, what it is about, and when it was last changed."""

    title: str
    url: str
    summary: str
    changed: datetime.date


def kind(site_url: str) -> str:
    """Name the feed's type, as `<link rel="alternate">` wants it."""
    return "application/rss+xml" if site_url else "application/atom+xml"


def feed(title: str, about: str, entries: Sequence[Entry], site_url: str, language: str) -> str:
    """Write the feed. It holds no time of building, so that the same notes make the same feed."""
    return _rss(title, about, entries, site_url, language) if site_url else _atom(title, about, entries, language)


def _rss(title: str, about: str, entries: Sequence[Entry], site_url: str, language: str) -> str:
    root = site_url if site_url.endswith("/") else f"{site_url}/"
    out = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">',
        "<channel>",
        f"<title>{_text(title)}</title>",
        f"<link>{_text(root)}</link>",
        f"<description>{_text(about or title)}</description>",
        f"<language>{_text(language)}</language>",
        f'<atom:link href={quoteattr(root + ADDRESS)} rel="self" type="application/rss+xml"/>',
    ]
    if entries:
        out.append(f"<lastBuildDate>{_rfc822(entries[0].changed)}</lastBuildDate>")
    for entry in entries:
        address = _text(urllib.parse.urljoin(root, entry.url))
        out += [
            "<item>",
            f"<title>{_text(entry.title)}</title>",
            f"<link>{address}</link>",
            f'<guid isPermaLink="true">{address}</guid>',
            f"<pubDate>{_rfc822(entry.changed)}</pubDate>",
        ]
        if entry.summary:
            out.append(f"<description>{_text(escape(entry.summary))}</description>")  # readers take it for HTML
        out.append("</item>")
    return "\n".join([*out, "</channel>", "</rss>", ""])


def _atom(title: str, about: str, entries: Sequence[Entry], language: str) -> str:
    newest = entries[0].changed if entries else datetime.date(1970, 1, 1)
    out = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={quoteattr(language)}>',
        f"<title>{_text(title)}</title>",
        f"<id>{_name(title)}</id>",
        f"<updated>{_rfc3339(newest)}</updated>",
        f"<author><name>{_text(title)}</name></author>",
        '<link href="./"/>',
        f'<link rel="self" href="{ADDRESS}"/>',
    ]
    if about:
        out.append(f"<subtitle>{_text(about)}</subtitle>")
    for entry in entries:
        out += [
            "<entry>",
            f"<title>{_text(entry.title)}</title>",
            f"<link href={quoteattr(_clean(entry.url) or './')}/>",
            f"<id>{_name(title, entry.url)}</id>",
            f"<updated>{_rfc3339(entry.changed)}</updated>",
        ]
        if entry.summary:
            out.append(f"<summary>{_text(entry.summary)}</summary>")
        out.append("</entry>")
    return "\n".join([*out, "</feed>", ""])


def _name(*parts: str) -> str:
    """A name that stays the same from build to build and is nobody else's."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, chr(10).join(parts))}"


def _rfc822(date: datetime.date) -> str:
    return f"{_DAYS[date.weekday()]}, {date.day:02} {_MONTHS[date.month - 1]} {date.year:04} 00:00:00 +0000"


def _rfc3339(date: datetime.date) -> str:
    return f"{date.isoformat()}T00:00:00Z"


def _text(text: str) -> str:
    return escape(_clean(text))


def _clean(text: str) -> str:
    """Leave out the letters that XML has no way to write."""
    return "".join(letter for letter in text if letter in "\t\n\r" or (letter >= " " and letter not in "\ufffe\uffff"))
