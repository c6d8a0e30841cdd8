"""The Streamlit pages' building blocks. No other room of the package imports Streamlit."""
