"""The guided job: a real session over the REST API, from upload to the finished report."""
