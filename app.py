"""The entry script: sign-in, then navigation from what this person may open, then the page."""

import streamlit as st

st.write("…")
