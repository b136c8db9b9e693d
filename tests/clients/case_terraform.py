"""The requests of Terraform's AWS provider: apply, an empty plan, changes, an empty plan, destroy."""

import json
import urllib.error
import urllib.request

import terraform as tf
from plane import SECONDS, Any

ARN = "arn:aws:apigateway:us-east-1:"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
LAMBDA = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/a/0123456789abcdef"
POOL = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_{}"


def run(plane, node):
    api = rest_api(plane)
    parts(plane, api)
    account(plane)
    stack(plane, node)
    with_body(plane)
    api.destroy()
    keys_and_plans(plane)


def rest_api(plane):
    arguments = {"binaryMediaTypes": ["image/png", "a/b~c"], "minimumCompressionSize": 0, "apiKeySource": "AUTHORIZER"}
    api = tf.Resource(plane, tf.REST_API, "rest_api", name="first", description="one", tags={"a": "b"}, **arguments)
    # The provider finds the root among the resources.
    items = plane.ok("GetResources", restApiId=api.id)["item"]
    assert [item["path"] for item in items] == ["/"], items
    api.change(name="second", description="", binaryMediaTypes=["image/jpeg"], minimumCompressionSize=None)
    api.change(apiKeySource="HEADER", disableExecuteApiEndpoint=True, minimumCompressionSize=1024)
    api.change(disableExecuteApiEndpoint=False, binaryMediaTypes=[])
    # Tags go by calls of their own, on every kind that has them.
    arn = f"{ARN}:/restapis/{api.id}"
    plane.ok("UntagResource", status=204, resourceArn=arn, tagKeys=["a"])
    plane.ok("TagResource", status=204, resourceArn=arn, tags={"c": "d"})
    api.arguments["tags"] = {"c": "d"}
    api.settle()
    # aws_api_gateway_rest_api_policy
    statement = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    api.patch(("replace", "/policy", policy))
    shown = api.answer()["policy"]
    # Escaped twice: the provider takes the quotes off before it compares.
    read = json.loads(json.loads('"' + shown + '"'))
    expected = f"arn:aws:execute-api:us-east-1:123456789012:{api.id}/*"
    assert read["Statement"][0]["Resource"] == expected, read
    api.patch(("replace", "/policy", ""))
    assert "policy" not in api.answer(), api.answer()
    return api


def parts(plane, api):
    inside = {"restApiId": api.id}
    root = plane.ok("GetRestApi", restApiId=api.id)["rootResourceId"]
    one = tf.Resource(plane, tf.RESOURCE, "resource", inside, parentId=root, pathPart="one")
    two = tf.Resource(plane, tf.RESOURCE, "resource", inside, parentId=one.id, pathPart="{two}")
    two.change(pathPart="{three}", parentId=root)
    schema = json.dumps({"type": "object"})
    model = tf.Resource(plane, tf.MODEL, "model", inside, name="Pet", contentType="application/json", schema=schema)
    model.change(description="a pet", schema=json.dumps({"type": "string"}))
    model.change(description="another")
    validator = tf.Resource(plane, tf.REQUEST_VALIDATOR, "request_validator", inside, name="v", validateRequestBody=True)
    validator.change(name="w", validateRequestBody=False, validateRequestParameters=True)

    token = {"type": "TOKEN", "authorizerUri": LAMBDA, "identitySource": "method.request.header.Authorization"}
    authorizer = tf.Resource(
        plane, tf.AUTHORIZER, "authorizer", inside, name="l", authorizerResultTtlInSeconds=300, **token
    )
    credentials = "arn:aws:iam::123456789012:role/x"
    changed = {"authorizerCredentials": credentials, "authorizerResultTtlInSeconds": 0, "name": "m"}
    authorizer.change(**changed, identityValidationExpression="x.*", identitySource="method.request.header.X")
    authorizer.change(type="REQUEST", authorizerResultTtlInSeconds=3600)
    pools = [POOL.format("a"), POOL.format("b")]
    cognito = {"type": "COGNITO_USER_POOLS", "identitySource": "method.request.header.Authorization"}
    pool = tf.Resource(
        plane, tf.AUTHORIZER, "authorizer", inside, name="c", providerARNs=pools, authorizerResultTtlInSeconds=300, **cognito
    )
    pool.change(providerARNs=[POOL.format("b"), POOL.format("c")])

    method = tf.Resource(
        plane, tf.METHOD, "method", {**inside, "resourceId": two.id}, httpMethod="POST", authorizationType="NONE",
        requestParameters={"method.request.header.A": True}, requestModels={"application/json": "Pet"},
    )
    method.change(
        requestParameters={"method.request.header.A": False, "method.request.path.three": True},
        requestModels={"application/json": "Error", "application/xml": "Empty"}, operationName="Make",
    )
    method.change(authorizationType="CUSTOM", authorizerId=authorizer.id, apiKeyRequired=True)
    method.change(requestValidatorId=validator.id, requestModels={}, requestParameters={})
    method.change(requestValidatorId=None, operationName=None)
    method.change(authorizationType="COGNITO_USER_POOLS", authorizerId=pool.id, authorizationScopes=["a/b", "c"])
    method.change(authorizationScopes=["c", "d"])
    of_method = {**inside, "resourceId": two.id, "httpMethod": "POST"}
    response = tf.Resource(
        plane, tf.METHOD_RESPONSE, "method_response", of_method, statusCode="200",
        responseModels={"application/json": "Empty"}, responseParameters={"method.response.header.A": True},
    )
    response.change(
        responseModels={"application/json": "Error"},
        responseParameters={"method.response.header.A": False, "method.response.header.B": True},
    )
    method.change(requestParameters={"method.request.header.A": True, "method.request.path.three": True})
    integration = tf.Resource(
        plane, tf.INTEGRATION, "integration", of_method, type="HTTP", integrationHttpMethod="GET",
        uri="https://example.com/", connectionType="INTERNET", cacheNamespace=two.id, timeoutInMillis=29000,
        requestTemplates={"application/json": "", "application/xml": "#set($a = 1)"},
        requestParameters={"integration.request.header.X": "'static'"},
    )
    integration.change(
        requestTemplates={"application/json": "{}", "text/plain": "x"}, timeoutInMillis=1000, uri="https://example.org/",
        requestParameters={"integration.request.header.X": "method.request.header.A", "integration.request.path.p": "'q'"},
        cacheKeyParameters=["method.request.path.three"], cacheNamespace="n", contentHandling="CONVERT_TO_TEXT",
    )
    integration.change(cacheKeyParameters=["method.request.header.A"], requestTemplates={}, requestParameters={})
    answer = tf.Resource(
        plane, tf.INTEGRATION_RESPONSE, "integration_response", of_method, statusCode="200", selectionPattern="2..",
        responseTemplates={"application/json": ""}, responseParameters={"method.response.header.B": "'c'"},
    )
    # This one is put again rather than patched.
    plane.ok("PutIntegrationResponse", status=201, **of_method, statusCode="200", selectionPattern="-")
    answer.arguments = {"selectionPattern": "-"}
    answer.settle()

    gateway = tf.Resource(
        plane, tf.GATEWAY_RESPONSE, "gateway_response", inside, responseType="UNAUTHORIZED", statusCode="401",
        responseTemplates={"application/json": '{"message":$context.error.messageString}'},
        responseParameters={"gatewayresponse.header.A": "'b'"},
    )
    assert gateway.answer()["defaultResponse"] is False
    plane.ok("PutGatewayResponse", status=201, restApiId=api.id, responseType="UNAUTHORIZED", statusCode="418")
    # Without templates the body stays AWS's default one, and is shown.
    gateway.arguments = {"statusCode": "418", "responseTemplates": gateway.arguments["responseTemplates"]}
    gateway.settle()
    plane.ok("DeleteGatewayResponse", status=202, restApiId=api.id, responseType="UNAUTHORIZED")
    text = "Gateway response type not defined on api"
    plane.refused("DeleteGatewayResponse", 404, "NotFoundException", text, restApiId=api.id, responseType="UNAUTHORIZED")

    location = {"type": "METHOD", "path": "/x", "method": "GET"}
    part = tf.Resource(plane, tf.DOCUMENTATION_PART, "documentation_part", inside, location=location, properties='{"a":1}')
    part.change(properties='{"a":2}')
    version = tf.Resource(plane, tf.DOCUMENTATION_VERSION, "documentation_version", inside, documentationVersion="1")
    version.change(description="the first")
    for resource in (version, part, answer, integration, response, method, pool, authorizer, validator, model, two, one):
        resource.destroy()


def account(plane):
    for role in ("arn:aws:iam::123456789012:role/logs", ""):
        patches = [{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
        plane.ok("UpdateAccount", patchOperations=patches)
        shown = plane.ok("GetAccount")
        assert shown.get("cloudwatchRoleArn", "") == role, shown
        assert shown["throttleSettings"] == {"burstLimit": 5000, "rateLimit": 10000.0}, shown


def keys_and_plans(plane):
    # The provider sends empty texts where nothing was said.
    key = plane.ok("CreateApiKey", status=201, name="k", description="Managed by Terraform", enabled=True, value="")
    shown = plane.ok("GetApiKey", apiKey=key["id"], includeValue=True)
    assert shown["value"] == key["value"] == Any("[A-Za-z0-9]{40}"), shown
    plane.ok("DeleteApiKey", status=202, apiKey=key["id"])
    key = tf.Resource(plane, tf.API_KEY, "api_key", name="k", description="d", enabled=True, value="0123456789abcdefghij")
    key.change(enabled=False, description="e")
    key.destroy()


def ask(node, api, path, status=200):
    request = urllib.request.Request(f"{node.data}/restapis/{api}{path}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            found, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        found, text = error.code, error.read().decode()
    assert found == status, (found, text)
    return text


def stack(plane, node):
    """A stage with all that hangs on it, served, changed and taken down in reverse."""
    up = []

    def made(kind, label, parents=None, **arguments):
        up.append(tf.Resource(plane, kind, label, parents, **arguments))
        return up[-1]

    api = made(tf.REST_API, "rest_api", name="stack")
    inside = {"restApiId": api.id}
    root = plane.ok("GetRestApi", restApiId=api.id)["rootResourceId"]
    resource = made(tf.RESOURCE, "resource", inside, parentId=root, pathPart="hello")
    of_resource = {**inside, "resourceId": resource.id}
    made(tf.METHOD, "method", of_resource, httpMethod="GET", authorizationType="NONE")
    of_method = {**of_resource, "httpMethod": "GET"}
    made(tf.METHOD_RESPONSE, "method_response", of_method, statusCode="200")
    mock = {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
    made(tf.INTEGRATION, "integration", of_method, cacheNamespace=resource.id, timeoutInMillis=29000, **mock)
    says = {"responseTemplates": {"application/json": "one"}}
    answer = made(tf.INTEGRATION_RESPONSE, "integration_response", of_method, statusCode="200", **says)
    deployment = made(tf.DEPLOYMENT, "deployment", inside, description="first")
    deployment.change(description="the first")
    certificate = made(tf.CLIENT_CERTIFICATE, "client_certificate", description="c", tags={"a": "b"})
    certificate.change(description="d")
    made(tf.DOCUMENTATION_VERSION, "documentation_version", inside, documentationVersion="1")
    stage = made(
        tf.STAGE, "stage", inside, stageName="prod", deploymentId=deployment.id, variables={"a": "1", "b": "2"},
        cacheClusterEnabled=True, cacheClusterSize="0.5", tags={"k": "v"},
    )
    assert ask(node, api.id, "/prod/_user_request_/hello") == "one"
    changed = {"description": "s", "tracingEnabled": True, "documentationVersion": "1", "clientCertificateId": certificate.id}
    stage.change(variables={"b": "3", "c": "4"}, cacheClusterSize="1.6", **changed)
    destination = "arn:aws:logs:us-east-1:123456789012:log-group:x"
    stage.patch(
        ("replace", "/accessLogSettings/destinationArn", destination),
        ("replace", "/accessLogSettings/format", "$context.requestId"),
    )
    settings = {"destinationArn": destination, "format": "$context.requestId"}
    assert stage.answer()["accessLogSettings"] == settings, stage.answer()
    stage.patch(("remove", "/accessLogSettings"))
    assert "accessLogSettings" not in stage.answer(), stage.answer()

    # aws_api_gateway_method_settings
    for path, wire in (("*/*", "*/*"), ("hello/GET", "~1hello/GET")):
        stage.patch(
            ("replace", f"/{path}/metrics/enabled", "true"),
            ("replace", f"/{path}/logging/loglevel", "INFO"),
            ("replace", f"/{path}/logging/dataTrace", "false"),
            ("replace", f"/{path}/throttling/burstLimit", "50"),
            ("replace", f"/{path}/throttling/rateLimit", "100.500000"),
            ("replace", f"/{path}/caching/enabled", "true"),
            ("replace", f"/{path}/caching/ttlInSeconds", "60"),
            ("replace", f"/{path}/caching/dataEncrypted", "true"),
            ("replace", f"/{path}/caching/requireAuthorizationForCacheControl", "true"),
            ("replace", f"/{path}/caching/unauthorizedCacheControlHeaderStrategy", "SUCCEED_WITH_RESPONSE_HEADER"),
        )
        expected = {
            "metricsEnabled": True, "loggingLevel": "INFO", "dataTraceEnabled": False, "throttlingBurstLimit": 50,
            "throttlingRateLimit": 100.5, "cachingEnabled": True, "cacheTtlInSeconds": 60, "cacheDataEncrypted": True,
            "requireAuthorizationForCacheControl": True,
            "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
        }
        found = stage.answer()["methodSettings"]
        assert found[path] == expected, (wire, found)
        stage.patch(("remove", f"/{path}"))
        assert path not in stage.answer().get("methodSettings", {}), stage.answer()
        status, body, _ = plane.call(
            "UpdateStage", **inside, stageName="prod", patchOperations=[{"op": "remove", "path": f"/{path}"}]
        )
        assert status == 400 and "no method setting for this method" in body["message"], (status, body)

    # A redeployment: the new one is made, the stage moved, and then the old one taken away.
    plane.ok("PutIntegrationResponse", status=201, **of_method, statusCode="200", responseTemplates={"application/json": "two"})
    answer.arguments = {"responseTemplates": {"application/json": "two"}}
    answer.settle()
    second = made(tf.DEPLOYMENT, "deployment", inside, description="second")
    assert ask(node, api.id, "/prod/_user_request_/hello") == "one"
    stage.change(deploymentId=second.id)
    assert ask(node, api.id, "/prod/_user_request_/hello") == "two"
    # The stage depends on the new one.
    up.remove(second)
    up[up.index(deployment)] = second
    deployment.destroy()
    # Destroyed while its stage is there.
    text = "Active stages pointing to this deployment must be moved or deleted"
    plane.refused("DeleteDeployment", 400, "BadRequestException", text, **inside, deploymentId=second.id)
    # A canary, with the provider's way to write numbers.
    stage.patch(
        ("replace", "/canarySettings/stageVariableOverrides/a", "x"),
        ("replace", "/canarySettings/percentTraffic", f"{33.3:f}"),
        ("replace", "/canarySettings/useStageCache", "true"),
        ("replace", "/canarySettings/deploymentId", second.id),
    )
    canary = stage.answer()["canarySettings"]
    expected = {"percentTraffic": 33.3, "deploymentId": second.id, "stageVariableOverrides": {"a": "x"}, "useStageCache": True}
    assert canary == expected, canary
    stage.patch(("remove", "/canarySettings"))
    assert "canarySettings" not in stage.answer(), stage.answer()

    domain = made(
        tf.DOMAIN_NAME, "domain_name", domainName="api.example.com", regionalCertificateArn=CERTIFICATE,
        endpointConfiguration={"types": ["REGIONAL"]}, securityPolicy="TLS_1_2",
    )
    domain.change(regionalCertificateArn=CERTIFICATE.replace("1111", "2222"))
    on_domain = {"domainName": "api.example.com"}
    mapping = made(tf.BASE_PATH_MAPPING, "base_path_mapping", on_domain, restApiId=api.id, basePath="v1", stage="prod")
    mapping.change(basePath="v2")
    bare = plane.ok("CreateBasePathMapping", status=201, **on_domain, restApiId=api.id, basePath="", stage="prod")
    assert bare["basePath"] == "(none)", bare
    plane.ok("GetBasePathMapping", {"basePath": "(none)", "restApiId": api.id, "stage": "prod"}, **on_domain, basePath="(none)")
    plane.ok("DeleteBasePathMapping", status=202, **on_domain, basePath="(none)")

    plan = made(
        tf.USAGE_PLAN, "usage_plan", name="plan", throttle={"rateLimit": 5.0, "burstLimit": 10},
        quota={"limit": 20, "offset": 2, "period": "WEEK"},
    )
    target = f"{api.id}:prod"
    plan.patch(
        ("add", "/apiStages", target),
        ("replace", f"/apiStages/{target}/throttle/hello/GET/rateLimit", "3"),
        ("replace", f"/apiStages/{target}/throttle/hello/GET/burstLimit", "4"),
        ("replace", "/throttle/rateLimit", "6.5"), ("replace", "/throttle/burstLimit", "7"),
        ("replace", "/quota/limit", "30"), ("replace", "/quota/offset", "0"), ("replace", "/quota/period", "MONTH"),
        ("replace", "/productCode", "code"), ("replace", "/description", "d"),
    )
    shown = plan.answer()
    throttle = {"hello/GET": {"rateLimit": 3.0, "burstLimit": 4}}
    assert shown["apiStages"] == [{"apiId": api.id, "stage": "prod", "throttle": throttle}], shown
    assert shown["throttle"] == {"rateLimit": 6.5, "burstLimit": 7}, shown
    assert shown["quota"] == {"limit": 30, "offset": 0, "period": "MONTH"}, shown
    assert (shown["productCode"], shown["description"]) == ("code", "d"), shown
    plan.patch(("remove", "/throttle"), ("remove", "/quota"), ("remove", "/productCode"))
    shown = plan.answer()
    assert not {"throttle", "quota", "productCode"} & set(shown), shown
    key = made(tf.API_KEY, "api_key", name="k", description="d", enabled=True, value="abcdefghij0123456789")
    made(tf.USAGE_PLAN_KEY, "usage_plan_key", {"usagePlanId": plan.id}, keyId=key.id, keyType="API_KEY")
    made(tf.VPC_LINK, "vpc_link", name="l", description="d", targetArns=[BALANCER]).change(name="m")

    text = Any(".*")
    plane.refused("DeleteUsagePlan", 400, "BadRequestException", text, usagePlanId=plan.id)
    plan.patch(("remove", "/apiStages", target))
    for resource in reversed(up):
        resource.destroy()


def with_body(plane):
    """`body` of a REST API: overwritten by PutRestApi, and what it took away put back."""
    definition = {
        "openapi": "3.0.1",
        "info": {"title": "from the body", "version": "1.0"},
        "paths": {"/a": {"get": {"x-amazon-apigateway-integration": {
            "type": "HTTP_PROXY", "httpMethod": "GET", "uri": "https://example.com/", "payloadFormatVersion": "1.0",
        }}}},
    }
    api = tf.Resource(plane, tf.REST_API, "rest_api", name="named", description="kept", binaryMediaTypes=["a/b"])
    body = json.dumps(definition).encode()
    answer = plane.ok("PutRestApi", restApiId=api.id, mode="overwrite", body=body)
    assert (answer["name"], answer["createdDate"]) == ("from the body", SECONDS), answer
    operations = [("replace", "/name", "named"), ("replace", "/description", "kept")]
    operations += [("remove", "/binaryMediaTypes/" + tf.escaped(one)) for one in answer.get("binaryMediaTypes", [])]
    api.patch(*operations, ("add", "/binaryMediaTypes/a~1b"))
    api.settle()
    paths = {item["path"]: item for item in plane.ok("GetResources", restApiId=api.id, embed=["methods"])["item"]}
    assert sorted(paths) == ["/", "/a"] and "GET" in paths["/a"]["resourceMethods"], paths
    # The ids of what stays are the same after the next apply.
    definition["paths"]["/b"] = definition["paths"]["/a"]
    plane.ok("PutRestApi", restApiId=api.id, mode="overwrite", body=json.dumps(definition).encode())
    again = {item["path"]: item["id"] for item in plane.ok("GetResources", restApiId=api.id)["item"]}
    assert again["/a"] == paths["/a"]["id"] and "/b" in again, again
    deployment = tf.Resource(plane, tf.DEPLOYMENT, "deployment", {"restApiId": api.id})
    deployment.destroy()
    api.destroy()
