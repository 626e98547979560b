"""Classes and their days: what is taught, where, by whom, to whom and when."""
