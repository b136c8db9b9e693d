"""APIs, resources, methods, integrations and their responses (control-plane specification: sections 1.3, 3, 4.1, 5, 6)."""

from plane import ID6, ID10, SECONDS



def run(plane, node):
    api = rest_apis(plane)
    root = api["rootResourceId"]
    resource = resources(plane, api["id"], root)
    place = {"restApiId": api["id"], "resourceId": resource, "httpMethod": "POST"}
    methods(plane, place)
    responses(plane, place)
    integrations(plane, place)
    # §5: a method takes its integration and responses along.
    plane.ok("DeleteIntegrationResponse", status=204, statusCode="200", **place)
    plane.ok("DeleteIntegration", status=204, **place)
    plane.ok("DeleteMethodResponse", status=204, statusCode="200", **place)
    plane.ok("DeleteMethod", status=204, **place)
    plane.refused("GetMethod", 404, "NotFoundException", "Invalid Method identifier specified", **place)
    plane.ok("DeleteResource", status=202, restApiId=api["id"], resourceId=resource)
    plane.ok("DeleteRestApi", status=202, restApiId=api["id"])
    # §6.1
    message = f"Invalid API identifier specified 123456789012:{api['id']}"
    plane.refused("GetRestApi", 404, "NotFoundException", message, restApiId=api["id"])


def rest_apis(plane):
    expected = {
        "id": ID10,
        "name": "pets",
        "createdDate": SECONDS,
        "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"},
        "disableExecuteApiEndpoint": False,
        "rootResourceId": ID10,
    }
    endpoint = {"types": ["REGIONAL"]}
    api = plane.ok("CreateRestApi", expected, status=201, name="pets", endpointConfiguration=endpoint)
    # §4.1: tags are there on Get, also empty ones, and neither on Create nor in lists.
    plane.ok("GetRestApi", {**api, "tags": {}}, restApiId=api["id"])
    plane.ok("GetRestApis", {"item": [api]})
    body = plane.patch("UpdateRestApi", ("replace", "/description", "all"), ("add", "/binaryMediaTypes/image~1png"), restApiId=api["id"])
    assert body == {**api, "description": "all", "binaryMediaTypes": ["image/png"], "tags": {}}, body
    # §1.4 and §6.2
    plane.refused(
        "CreateRestApi",
        400,
        "ValidationException",
        "1 validation error detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy "
        "constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]",
        name="x",
        endpointConfiguration={"types": ["wrong"]},
    )
    return api


def resources(plane, api, root):
    plane.ok("GetResources", {"item": [{"id": root, "path": "/"}]}, restApiId=api)
    made = plane.ok(
        "CreateResource",
        {"id": ID6, "parentId": root, "pathPart": "{proxy+}", "path": "/{proxy+}"},
        status=201,
        restApiId=api,
        parentId=root,
        pathPart="{proxy+}",
    )
    plane.ok("GetResource", made, restApiId=api, resourceId=made["id"])
    body = plane.patch("UpdateResource", ("replace", "/pathPart", "pets"), restApiId=api, resourceId=made["id"])
    assert body == {**made, "pathPart": "pets", "path": "/pets"}, body
    plane.refused(
        "CreateResource",
        409,
        "ConflictException",
        "Another resource with the same parent already has this name: pets",
        restApiId=api,
        parentId=root,
        pathPart="pets",
    )
    return made["id"]


def methods(plane, place):
    method = {"httpMethod": "POST", "authorizationType": "NONE", "apiKeyRequired": False}
    plane.ok("PutMethod", method, status=201, authorizationType="NONE", **place)
    plane.ok("GetMethod", method, **place)
    body = plane.patch("UpdateMethod", ("replace", "/operationName", "op"), ("add", "/requestParameters/method.request.header.X", "true"), **place)
    assert body == {**method, "operationName": "op", "requestParameters": {"method.request.header.X": True}}, body
    plane.refused("PutMethod", 409, "ConflictException", "Method already exists for this resource", authorizationType="NONE", **place)


def responses(plane, place):
    # §4.1: empty maps are echoed; §1.3: UpdateMethodResponse is 201.
    empty = {"statusCode": "200", "responseParameters": {}, "responseModels": {}}
    plane.ok("PutMethodResponse", empty, status=201, statusCode="200", responseParameters={}, responseModels={}, **place)
    body = plane.patch("UpdateMethodResponse", ("add", "/responseParameters/method.response.header.X", "false"), statusCode="200", **place)
    assert body == {"statusCode": "200", "responseParameters": {"method.response.header.X": False}}, body
    plane.ok("GetMethodResponse", body, statusCode="200", **place)
    plane.refused(
        "GetMethodResponse", 404, "NotFoundException", "Invalid Response status code specified", statusCode="404", **place
    )


def integrations(plane, place):
    expected = {
        "type": "HTTP",
        "httpMethod": "GET",
        "uri": "http://127.0.0.1:9/",
        "connectionType": "INTERNET",
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000,
        "cacheNamespace": place["resourceId"],
        "cacheKeyParameters": [],
    }
    put = {"type": "HTTP", "integrationHttpMethod": "GET", "uri": "http://127.0.0.1:9/"}
    plane.ok("PutIntegration", expected, status=201, **put, **place)
    plane.ok("GetIntegration", expected, **place)
    body = plane.patch("UpdateIntegration", ("replace", "/timeoutInMillis", "1000"), **place)
    assert body == {**expected, "timeoutInMillis": 1000}, body
    plane.refused("PutIntegration", 400, "BadRequestException", "Invalid HTTP endpoint specified for URI", **{**put, "uri": "x"}, **place)
    # §4.1: an empty template is null.
    response = {"statusCode": "200", "responseTemplates": {"application/json": None}}
    plane.ok("PutIntegrationResponse", response, status=201, statusCode="200", responseTemplates={"application/json": ""}, **place)
    plane.ok("GetIntegrationResponse", response, statusCode="200", **place)
    body = plane.patch("UpdateIntegrationResponse", ("replace", "/selectionPattern", "2.."), statusCode="200", **place)
    assert body == {**response, "selectionPattern": "2.."}, body
