"""Benchmarks: costs as ratios, both sides measured in the same run (``make bench``)."""
