"""Commands of a merchant's engineer, on a deployed stack or the one on the laptop."""
