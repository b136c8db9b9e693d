"""The aws cli from an empty node to a request that is answered; pages; what survives a kill."""

import json
import os
import subprocess
import sys
import urllib.request


def aws(node, *words):
    command = [os.path.join(os.path.dirname(sys.executable), "aws"), "apigateway", *words]
    command += ["--endpoint-url", node.control, "--region", "us-east-1", "--output", "json"]
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": "/dev/null", "AWS_PAGER": ""}
    done = subprocess.run(command, env={**os.environ, **keys}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout.strip() else None


def run(plane, node):
    api = aws(node, "create-rest-api", "--name", "cli", "--tags", "_custom_id_=clitest001,team=x")
    assert api["id"] == "clitest001" and api["tags"] == {"team": "x"}, api
    resource = aws(
        node, "create-resource", "--rest-api-id", api["id"], "--parent-id", api["rootResourceId"], "--path-part", "hi"
    )
    place = ["--rest-api-id", api["id"], "--resource-id", resource["id"], "--http-method", "GET"]
    aws(node, "put-method", *place, "--authorization-type", "NONE")
    aws(node, "put-integration", *place, "--type", "MOCK", "--request-templates", '{"application/json": "{\\"statusCode\\": 200}"}')
    aws(node, "put-method-response", *place, "--status-code", "200")
    aws(node, "put-integration-response", *place, "--status-code", "200", "--response-templates", '{"application/json": "hello"}')
    aws(node, "create-deployment", "--rest-api-id", api["id"], "--stage-name", "prod")
    with urllib.request.urlopen(f"{node.data}/restapis/{api['id']}/prod/_user_request_/hi") as answer:
        assert answer.read() == b"hello"
    for number in range(30):
        plane.ok("CreateRestApi", status=201, name=f"page {number}")
    # The cli follows `position` itself.
    assert len(aws(node, "get-rest-apis", "--page-size", "7")["items"]) == 31
    node.kill()
    node.start()
    with urllib.request.urlopen(f"{node.data}/restapis/{api['id']}/prod/_user_request_/hi") as answer:
        assert answer.read() == b"hello"
    assert len(aws(node, "get-rest-apis")["items"]) == 31
