"""Authorizers, validators, models, gateway responses, account (sections 3, 4.1, 5, 6)."""

from plane import ID6

URI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:1:function:f/invocations"


def run(plane, node):
    api = plane.ok("CreateRestApi", status=201, name="parts")["id"]
    authorizers(plane, api)
    validators(plane, api)
    models(plane, api)
    gateway_responses(plane, api)
    account(plane)
    plane.ok("DeleteRestApi", status=202, restApiId=api)


def authorizers(plane, api):
    expected = {
        "id": ID6,
        "name": "a",
        "type": "TOKEN",
        "authType": "custom",
        "authorizerUri": URI,
        "identitySource": "method.request.header.Authorization",
        "authorizerResultTtlInSeconds": 300,
    }
    put = {"name": "a", "type": "TOKEN", "authorizerUri": URI, "identitySource": "method.request.header.Authorization"}
    made = plane.ok("CreateAuthorizer", expected, status=201, restApiId=api, **put)
    plane.ok("GetAuthorizer", made, restApiId=api, authorizerId=made["id"])
    plane.ok("GetAuthorizers", {"item": [made]}, restApiId=api)
    body = plane.patch("UpdateAuthorizer", ("replace", "/authorizerResultTtlInSeconds", "0"), restApiId=api, authorizerId=made["id"])
    assert body == {**made, "authorizerResultTtlInSeconds": 0}, body
    # §6.1, the trap: an unknown API conflicts.
    message = "Unable to complete operation due to concurrent modification. Please try again later."
    plane.refused("CreateAuthorizer", 409, "ConflictException", message, restApiId="nope", **put)
    plane.ok("DeleteAuthorizer", status=202, restApiId=api, authorizerId=made["id"])


def validators(plane, api):
    made = plane.ok(
        "CreateRequestValidator",
        {"id": ID6, "name": "v", "validateRequestBody": True, "validateRequestParameters": False},
        status=201,
        restApiId=api,
        name="v",
        validateRequestBody=True,
    )
    ids = {"restApiId": api, "requestValidatorId": made["id"]}
    plane.ok("GetRequestValidator", made, **ids)
    plane.ok("GetRequestValidators", {"item": [made]}, restApiId=api)
    body = plane.patch("UpdateRequestValidator", ("replace", "/name", "w"), **ids)
    assert body == {**made, "name": "w"}, body
    # §1.6, the first family: two blanks.
    plane.refused(
        "UpdateRequestValidator",
        400,
        "BadRequestException",
        "Invalid patch path  '/x' specified for op 'replace'. Must be one of: [/name, /validateRequestParameters, "
        "/validateRequestBody]",
        patchOperations=[{"op": "replace", "path": "/x", "value": "y"}],
        **ids,
    )
    plane.ok("DeleteRequestValidator", status=202, **ids)


def models(plane, api):
    schema = '{"type":"object"}'
    made = plane.ok(
        "CreateModel",
        {"id": ID6, "name": "Pet", "schema": schema, "contentType": "application/json"},
        status=201,
        restApiId=api,
        name="Pet",
        schema=schema,
        contentType="application/json",
    )
    plane.ok("GetModel", made, restApiId=api, modelName="Pet")
    names = [model["name"] for model in plane.ok("GetModels", restApiId=api)["item"]]
    assert names == ["Empty", "Error", "Pet"], names
    body = plane.patch("UpdateModel", ("replace", "/description", "d"), restApiId=api, modelName="Pet")
    assert body == {**made, "description": "d"}, body
    plane.ok("DeleteModel", status=202, restApiId=api, modelName="Pet")
    plane.refused("GetModel", 404, "NotFoundException", "Invalid model name specified: Pet", restApiId=api, modelName="Pet")


def gateway_responses(plane, api):
    default = {"application/json": '{"message":$context.error.messageString}'}
    listed = plane.ok("GetGatewayResponses", restApiId=api)["item"]
    assert len(listed) == 21 and listed == sorted(listed, key=lambda one: one["responseType"]), listed
    expected = {
        "responseType": "THROTTLED",
        "statusCode": "429",
        "responseParameters": {},
        "responseTemplates": default,
        "defaultResponse": True,
    }
    ids = {"restApiId": api, "responseType": "THROTTLED"}
    plane.ok("GetGatewayResponse", expected, **ids)
    plane.ok("PutGatewayResponse", {**expected, "statusCode": "420", "defaultResponse": False}, status=201, statusCode="420", **ids)
    body = plane.patch("UpdateGatewayResponse", ("replace", "/statusCode", "421"), **ids)
    assert body["statusCode"] == "421", body
    plane.ok("DeleteGatewayResponse", status=202, **ids)
    plane.refused("DeleteGatewayResponse", 404, "NotFoundException", "Gateway response type not defined on api", **ids)


def account(plane):
    expected = {
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    }
    plane.ok("GetAccount", expected)
    role = "arn:aws:iam::123456789012:role/logs"
    body = plane.patch("UpdateAccount", ("replace", "/cloudwatchRoleArn", role))
    assert body == {"cloudwatchRoleArn": role, **expected}, body
