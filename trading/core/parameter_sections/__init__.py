"""The table of parameters, a module per section of the configuration page."""
