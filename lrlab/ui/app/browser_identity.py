"""A random id that each browser stores, so that "my runs" survive a reload."""

from __future__ import annotations

import re

import streamlit as st

_KEY = "browser"
_COOKIE = "lrlab_browser"
_ID_PATTERN = re.compile("[0-9a-f]{32}")

# The cookie is a copy: with it the server knows the browser in the first run of a later visit.
# crypto.randomUUID is missing on plain http, which a classroom's network uses.
_JS = """export default function ({ data, setStateValue }) {
  const key = "lrlab.browser";
  let id = null;
  try { id = localStorage.getItem(key); } catch { /* storage is blocked: a new id each visit */ }
  if (!/^[0-9a-f]{32}$/.test(id ?? "")) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    try { localStorage.setItem(key, id); } catch { /* as above */ }
  }
  document.cookie = `lrlab_browser=${id}; path=/; max-age=31536000; SameSite=Lax`;
  if (data.known !== id) setStateValue("id", id);
}"""
_component = st.components.v2.component("lrlab_browser", js=_JS)


def identify_browser() -> None:
    """Have the browser report its id; ``app.py`` calls this once per run of the script."""
    _component(key=_KEY, data={"known": browser()}, on_id_change=lambda: None, height=1)


def browser() -> str | None:
    """The browser's id, 32 hexadecimal digits; ``None`` in the first run of its first visit."""
    reported_id = (st.session_state.get(_KEY) or {}).get("id")
    browser_id = str(reported_id or st.context.cookies.get(_COOKIE) or "")
    return browser_id if _ID_PATTERN.fullmatch(browser_id) else None
