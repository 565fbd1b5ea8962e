"""Defaults of the client; imports nothing slow."""

MODEL = "colorizer"
# Requests at once: one is on its way while another is computed.
PARALLEL = 4
# Further tries of a request that failed for a passing reason.
RETRIES = 4
# Of one request, seconds. Large pictures take some.
TIMEOUT = 60.0
# Before the first further try, seconds; doubled before each one after it.
FIRST_WAIT = 0.5
