"""Signatures and policies of those who make management calls."""

import json
import os
import signal

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
from plane import Any, Plane

FLAGS = ["--control-auth", "iam"]
USERS = """
users:
  - name: alice
    path: /ops/
    access_keys: [{id: AKIAALICE00000000001, secret: alice's secret}]
    policies:
      - Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: "apigateway:*", Resource: "*"}
  - name: bob
    access_keys:
      - {id: AKIABOB0000000000001, secret: bob's secret}
      - {id: AKIABOB0000000000002, secret: an old one, status: Inactive}
    policies:
      - Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: "apigateway:GET", Resource: "arn:aws:apigateway:us-east-1::/restapis*"}
          - {Effect: Allow, Action: "apigateway:PATCH", Resource: "arn:aws:apigateway:*::/restapis/*"}
          - {Effect: Deny, Action: "apigateway:*", Resource: "arn:aws:apigateway:*::/restapis/*/stages/prod"}
"""
FILES = {"identities.yaml": USERS}
KEY = ("AKIAALICE00000000001", "alice's secret")
BOB = ("AKIABOB0000000000001", "bob's secret")
UNKNOWN = "The security token included in the request is invalid."


def denied(name, action, resource, explicit=False):
    text = f"User: arn:aws:iam::123456789012:user/{name} is not authorized to perform: apigateway:{action} on resource: "
    return text + f"arn:aws:apigateway:us-east-1::{resource}" + (" with an explicit deny" if explicit else "")


def run(plane, node):
    # auth.md §3: a good signature with every kind of character in path, query and body.
    api = plane.ok("CreateRestApi", status=201, name="äpi & co", tags={"a/b c": "d+e"})["id"]
    plane.ok("GetRestApis", limit=5)
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
    assert plane.ok("GetTags", resourceArn=arn) == {"tags": {"a/b c": "d+e"}}
    plane.ok("UntagResource", status=204, resourceArn=arn, tagKeys=["a/b c"])

    # A wrong secret, an unknown key, one that is inactive, none at all.
    wrong = Plane(node.control, key=(KEY[0], "a wrong secret"))
    text = Any("(?s)The request signature we calculated does not match the signature you provided.*")
    wrong.refused("GetRestApis", 403, "InvalidSignatureException", text)
    for key in ("AKIANOBODY0000000001", "AKIABOB0000000000002"):
        stranger = Plane(node.control, key=(key, "an old one"))
        stranger.refused("GetRestApis", 403, "UnrecognizedClientException", UNKNOWN)
    status, headers, body = node.ask("/restapis")
    assert (status, headers["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException"), (status, body)
    assert json.loads(body)["message"] == "Missing Authentication Token"
    # Health and metrics are asked without a signature.
    assert node.ask("/healthz")[0] == 200 and node.ask("/metrics")[0] == 200

    # auth.md §4: what policies allow, by method and resource.
    bob = Plane(node.control, key=BOB)
    bob.ok("GetRestApi", restApiId=api)
    bob.patch("UpdateRestApi", ("replace", "/name", "bob's"), restApiId=api)
    text = denied("bob", "DELETE", f"/restapis/{api}")
    bob.refused("DeleteRestApi", 403, "AccessDeniedException", text, restApiId=api)
    bob.refused("GetApiKeys", 403, "AccessDeniedException", denied("bob", "GET", "/apikeys"))
    text = denied("bob", "GET", f"/restapis/{api}/stages/prod", explicit=True)
    bob.refused("GetStage", 403, "AccessDeniedException", text, restApiId=api, stageName="prod")
    signed = botocore.awsrequest.AWSRequest("GET", f"{node.control}/restapis/{api}/stages/prod/")
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(*BOB), "apigateway", "us-east-1").add_auth(signed)
    status, headers, body = node.ask(f"/restapis/{api}/stages/prod/", dict(signed.headers))
    assert status == 403 and json.loads(body)["message"] == text, (status, body)
    bob.refused("GetStage", 404, "NotFoundException", "Invalid stage identifier specified", restApiId=api, stageName="x")
    # The region of the scope is the region of the resource.
    text = denied("bob", "GET", "/restapis").replace("us-east-1", "eu-west-1")
    Plane(node.control, "eu-west-1", BOB).refused("GetRestApis", 403, "AccessDeniedException", text)
    # Another service's signature.
    other = boto3.client(
        "apigateway", endpoint_url=node.control, region_name="us-east-1", aws_access_key_id=KEY[0], aws_secret_access_key=KEY[1]
    )
    other.meta.service_model._signing_name = "execute-api"
    other._request_signer._signing_name = "execute-api"
    try:
        other.get_rest_apis()
        raise AssertionError("another service's signature was accepted")
    except other.exceptions.ClientError as error:
        expected = "Credential should be scoped to correct service: 'apigateway'."
        assert error.response["Error"]["Message"] == expected, error.response

    # Who did it is in the log, by name; no secret is.
    line = node.seen("control: UpdateRestApi by arn:aws:iam::123456789012:user/bob from 127.0.0.1:")
    assert "secret" not in line and "secret" not in "".join(node.log), node.log

    # The file is read again on SIGHUP; a wrong one leaves the old one in place.
    path = os.path.join(node.folder.name, "identities.yaml")
    with open(path, "w") as file:
        file.write("users: [{name: alice, secret: x}]")
    node.process.send_signal(signal.SIGHUP)
    node.seen("identities not renewed: the old ones go on")
    assert "unknown field `secret`" in "".join(node.log), node.log
    bob.ok("GetRestApis")
    with open(path, "w") as file:
        file.write(USERS.replace("bob's secret", "another one"))
    node.process.send_signal(signal.SIGHUP)
    node.seen("identities renewed")
    text = Any("(?s)The request signature we calculated does not match.*")
    bob.refused("GetRestApis", 403, "InvalidSignatureException", text)
    Plane(node.control, key=(BOB[0], "another one")).ok("GetRestApis")
