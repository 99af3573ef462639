"""Runs all of Carry on one machine: `manage.py up`."""
