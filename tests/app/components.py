"""Streamlit's look through the metadata of every installed package for components, taken once.

Each AppTest and each server takes it anew, which is longer than most pages take. What is installed does not change
while tests run. Importing this module is enough.
"""

from functools import cache

from streamlit.components.v2 import manifest_scanner

scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
manifest_scanner.scan_component_manifests = scan_component_manifests
