"""Tests: unit, contract, integration, e2e, and the benchmarks."""
