"""HTTP as API Gateway and function URLs hand it over: requests, responses, problems."""
