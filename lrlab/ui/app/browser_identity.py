"""Who a browser is: a random name it keeps for itself, so that "my runs" outlive a reload."""

from __future__ import annotations

import re

import streamlit as st

_KEY = "browser"
_COOKIE = "lrlab_browser"
_NAME = re.compile("[0-9a-f]{32}")

# The cookie is a copy: with it the server knows the browser in the first run of a later visit.
# crypto.randomUUID is missing on plain http, as in a classroom's network.
_JS = """export default function ({ data, setStateValue }) {
  const key = "lrlab.browser";
  let id = null;
  try { id = localStorage.getItem(key); } catch { /* storage is blocked: a new name each visit */ }
  if (!/^[0-9a-f]{32}$/.test(id ?? "")) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    try { localStorage.setItem(key, id); } catch { /* as above */ }
  }
  document.cookie = `lrlab_browser=${id}; path=/; max-age=31536000; SameSite=Lax`;
  if (data.known !== id) setStateValue("id", id);
}"""
_component = st.components.v2.component("lrlab_browser", js=_JS)


def learn_browser() -> None:
    """Let the browser say who it is; call it once a run, in ``app.py``."""
    _component(key=_KEY, data={"known": browser()}, on_id_change=lambda: None, height=1)


def browser() -> str | None:
    """The browser's name, 32 hexadecimal digits; ``None`` in the first run of its first visit."""
    said = (st.session_state.get(_KEY) or {}).get("id")
    known = said or st.context.cookies.get(_COOKIE) or ""
    return known if _NAME.fullmatch(known) else None
