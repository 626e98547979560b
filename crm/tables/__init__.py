"""Every table of the product, declared. Importing a module here registers its tables with the one `site`."""
