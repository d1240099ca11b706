"""Citing: documents, assertions and passages as text, BibTeX, CSL-JSON and RIS."""
