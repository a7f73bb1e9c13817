"""Where books are kept: the only room that speaks to DynamoDB."""
