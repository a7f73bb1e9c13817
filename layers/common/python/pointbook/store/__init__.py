"""The ledger's table: the only layer that sends requests to DynamoDB."""
