"""The calls of the API, one file per group: playing, statistics, live statistics, stored games, and the games themselves.

Each call reads the request, asks `runs` or `game`, and writes JSON. docs/web.md lists the calls and their fields.
"""
