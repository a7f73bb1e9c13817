"""Thin clients for the AWS services other than DynamoDB."""
