"""Breakthrough: pieces that only go forwards; the first to reach the other end wins."""
