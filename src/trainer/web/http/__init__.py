"""HTTP, without anything about games or runs: request bodies, refusals, security headers, and the files of the page."""
