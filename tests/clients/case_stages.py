"""Deployments, stages, tests of methods, imports, exports, tags (sections 1.2, 1.3, 3, 4.1, 5, 6.3, 8; OpenAPI: 1, 7)."""

import json
import urllib.request

from plane import ID6, SECONDS

DOCUMENT = {
    "openapi": "3.0.1",
    "info": {"title": "hello", "version": "1.0"},
    "paths": {
        "/hi": {
            "get": {
                "responses": {"200": {"description": "ok"}},
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "requestTemplates": {"application/json": '{"statusCode": 200}'},
                    "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": '{"hi": 1}'}}},
                },
            }
        }
    },
}


def run(plane, node):
    text = json.dumps(DOCUMENT)
    # OpenAPI §1: 201, the API's shape, no default models.
    api = plane.ok("ImportRestApi", status=201, body=text)
    assert (api["name"], api["version"]) == ("hello", "1.0") and "warnings" not in api, api
    plane.ok("PutRestApi", {**api, "tags": {}}, restApiId=api["id"], mode="overwrite", body=text)
    ids = {"restApiId": api["id"]}
    first = plane.ok(
        "CreateDeployment", {"id": ID6, "description": "first", "createdDate": SECONDS}, status=201, description="first", **ids
    )
    plane.ok("GetDeployment", first, deploymentId=first["id"], **ids)
    plane.ok("GetDeployments", {"item": [first]}, **ids)
    body = plane.patch("UpdateDeployment", ("replace", "/description", "1st"), deploymentId=first["id"], **ids)
    assert body == {**first, "description": "1st"}, body
    stages(plane, ids, first["id"])
    served(plane, node, api["id"])
    exports(plane, ids)
    invoke(plane, ids)
    tags(plane, api["id"])
    plane.ok("FlushStageCache", status=202, stageName="prod", **ids)
    # §5: a deployment in use stays.
    message = "Active stages pointing to this deployment must be moved or deleted"
    plane.refused("DeleteDeployment", 400, "BadRequestException", message, deploymentId=first["id"], **ids)
    plane.ok("DeleteStage", status=202, stageName="prod", **ids)
    plane.ok("DeleteDeployment", status=202, deploymentId=first["id"], **ids)
    message = "Invalid stage identifier specified"
    plane.refused("GetStage", 404, "NotFoundException", message, stageName="prod", **ids)


def stages(plane, ids, deployment):
    expected = {
        "deploymentId": deployment,
        "stageName": "prod",
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": False,
        "createdDate": SECONDS,
        "lastUpdatedDate": SECONDS,
    }
    plane.ok("CreateStage", expected, status=201, stageName="prod", deploymentId=deployment, **ids)
    plane.ok("GetStage", {**expected, "tags": {}}, stageName="prod", **ids)
    plane.ok("GetStages", {"item": [expected]}, **ids)
    # §4.1: the first setting makes them all.
    body = plane.patch("UpdateStage", ("replace", "/*/*/metrics/enabled", "true"), stageName="prod", **ids)
    setting = {
        "metricsEnabled": True,
        "dataTraceEnabled": False,
        "throttlingBurstLimit": 5000,
        "throttlingRateLimit": 10000.0,
        "cachingEnabled": False,
        "cacheTtlInSeconds": 300,
        "cacheDataEncrypted": False,
        "requireAuthorizationForCacheControl": True,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
    }
    assert body == {**expected, "tags": {}, "methodSettings": {"*/*": setting}}, body


def served(plane, node, api):
    with urllib.request.urlopen(f"{node.data}/restapis/{api}/prod/_user_request_/hi") as answer:
        assert (answer.status, answer.read()) == (200, b'{"hi": 1}')


def exports(plane, ids):
    for kind, accept, suffix in (("oas30", "application/json", "json"), ("swagger", "application/yaml", "yaml")):
        wanted = {"exportType": kind, "stageName": "prod", "accepts": accept, "parameters": {"extensions": "apigateway"}}
        status, body, headers = plane.call("GetExport", **wanted, **ids)
        assert status == 200 and headers["content-type"] == "application/octet-stream", headers
        assert headers["content-disposition"] == f'attachment; filename="{kind}_1.0.{suffix}"', headers
        if suffix == "json":
            document = json.loads(body)
            integration = document["paths"]["/hi"]["get"]["x-amazon-apigateway-integration"]
            assert integration["type"] == "mock" and document["info"] == {"title": "hello", "version": "1.0"}, document


def invoke(plane, ids):
    found = plane.ok("GetResources", **ids)["item"]
    resource = next(one["id"] for one in found if one["path"] == "/hi")
    tested = plane.ok("TestInvokeMethod", resourceId=resource, httpMethod="GET", **ids)
    assert (tested["status"], tested["body"]) == (200, '{"hi": 1}'), tested
    assert tested["headers"] == {"Content-Type": "application/json"}, tested


def tags(plane, api):
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
    plane.ok("TagResource", status=204, resourceArn=arn, tags={"a": "1", "b": "2"})
    plane.ok("UntagResource", status=204, resourceArn=arn, tagKeys=["a"])
    plane.ok("GetTags", {"tags": {"b": "2"}}, resourceArn=arn)
