"""The browser face (Streamlit)."""
