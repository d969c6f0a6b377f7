"""HTTP for providers: requests with retries, time and size limits, redirect rules, and conditional requests.

Does not belong here: what a response means, which the adapters know.
"""
