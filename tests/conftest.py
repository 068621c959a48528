"""What every test runs under: an AWS that is not there, reached by nobody."""

import os

from hypothesis import settings

# Table names, region and keys are read when `adapters.tables` is imported.
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_REGION="us-east-1",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
    CTS_TABLE_PREFIX="cts-test",
)
os.environ.pop("AWS_PROFILE", None)
os.environ.pop("AWS_ENDPOINT_URL", None)

# How long an example takes says more of the machine's other work than of the code.
settings.register_profile("cts", deadline=None)
settings.load_profile("cts")

pytest_plugins = ["tests.dynamo", "tests.paper_venue"]
