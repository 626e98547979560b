"""What every test of a page stands on."""

import tests.app.components  # noqa: F401
