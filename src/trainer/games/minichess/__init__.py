"""Gardner's minichess: chess on a board of five rows and five columns."""
