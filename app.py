"""The entry script: sign-in, then navigation from what this person may open, then the page."""

import streamlit as st

from crm.ui.session import require
from crm.ui.shell import navigation

st.set_page_config(page_icon=":material/balance:", layout="wide")
navigation(require()).run()
