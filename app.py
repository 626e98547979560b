"""The entry script: sign-in, then navigation from what this person may open, then the page."""

from crm.ui.session import require, signed_in
from crm.ui.shell import frame, navigation

frame()
page = navigation(signed_in())
require()
page.run()
