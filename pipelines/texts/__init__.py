"""Texts in English and Russian (``*.yml``) and the way in which each language writes sentences, numbers and dates."""
