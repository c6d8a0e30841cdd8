"""Descriptions and values -> Streamlit widgets. The only part of the package with Streamlit."""
