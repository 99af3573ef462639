"""Calls of our own between our careful base and the library's class, one module a venue."""
