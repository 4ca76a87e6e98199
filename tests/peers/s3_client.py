"""botocore signs requests, and boto3 puts and gets objects. One JSON object a line."""

import datetime
import hashlib
import json
import sys
from unittest import mock

import boto3
from botocore import auth as signing
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials


def sign(request):
    """The authorization that botocore gives a request."""
    now = datetime.datetime.fromisoformat(request["now"])
    credentials = Credentials(request["accessKey"], request["secret"], request.get("token"))
    signer = signing.S3SigV4Auth(credentials, "s3", request["region"])
    made = AWSRequest(method=request["method"], url=request["url"], headers=request["headers"])
    made.context["client_config"] = Config(s3={"payload_signing_enabled": False})
    with mock.patch.object(signing, "get_current_datetime", return_value=now, create=True):
        signer.add_auth(made)
    return {"authorization": made.headers["Authorization"]}


def client(request):
    """A client of the test's server."""
    return boto3.client(
        "s3",
        endpoint_url=request["endpoint"],
        region_name="us-east-1",
        aws_access_key_id=request["accessKey"],
        aws_secret_access_key=request["secret"],
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
    )


def names(request):
    """Every object, its length, and the hash of what it holds."""
    s3 = client(request)
    found = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=request["bucket"]):
        for one in page.get("Contents", []):
            body = s3.get_object(Bucket=request["bucket"], Key=one["Key"])["Body"].read()
            found.append({"key": one["Key"], "size": len(body), "sha256": hashlib.sha256(body).hexdigest()})
    return {"objects": found}


def put(request):
    """Puts bytes under a name."""
    client(request).put_object(Bucket=request["bucket"], Key=request["key"], Body=bytes.fromhex(request["hex"]))
    return {}


def make(request):
    """Makes the bucket."""
    client(request).create_bucket(Bucket=request["bucket"])
    return {}


def uploads(request):
    """What was begun and not finished."""
    found = client(request).list_multipart_uploads(Bucket=request["bucket"]).get("Uploads", [])
    return {"uploads": [one["Key"] for one in found]}


ACTIONS = {"sign": sign, "names": names, "put": put, "make": make, "uploads": uploads}

for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps(ACTIONS[asked["action"]](asked)), flush=True)
