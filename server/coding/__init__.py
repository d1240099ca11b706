"""Coding in the browser: the form that makes a proposal of a passage."""
