"""What is good to have: documentation, links, usage, imports of keys and documentation (sections 3, 4.1; OpenAPI: 9)."""

from plane import ID6, SECONDS

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/n/1"


def run(plane, node):
    api = {"restApiId": plane.ok("CreateRestApi", status=201, name="told")["id"]}
    documentation(plane, api)
    link = plane.ok(
        "CreateVpcLink", {"id": ID6, "name": "l", "targetArns": [ARN], "status": "PENDING"}, status=202, name="l", targetArns=[ARN]
    )
    one = {"vpcLinkId": link["id"]}
    ready = {**link, "status": "AVAILABLE", "statusMessage": "Your vpc link is ready for use"}
    plane.ok("GetVpcLink", {**ready, "tags": {}}, **one)
    plane.ok("GetVpcLinks", {"item": [ready]})
    assert plane.patch("UpdateVpcLink", ("replace", "/name", "m"), **one)["name"] == "m"
    plane.ok("DeleteVpcLink", status=202, **one)
    keys = plane.ok("ImportApiKeys", status=201, body=b"name,key\nn,abcdefghijklmnopqrstuvwxyz012345\n", format="csv")
    assert keys["warnings"] == [] and len(keys["ids"]) == 1, keys
    plan = plane.ok("CreateUsagePlan", status=201, name="p", quota={"limit": 5, "period": "DAY"})["id"]
    plane.ok("CreateUsagePlanKey", status=201, usagePlanId=plan, keyId=keys["ids"][0], keyType="API_KEY")
    used = plane.patch("UpdateUsage", ("replace", "/remaining", "3"), usagePlanId=plan, keyId=keys["ids"][0])
    assert used["values"] == {keys["ids"][0]: [[0, 3]]}, used
    plane.ok("DeleteRestApi", status=202, **api)


def documentation(plane, api):
    location = {"type": "METHOD", "path": "/", "method": "GET"}
    part = plane.ok(
        "CreateDocumentationPart",
        {"id": ID6, "location": location, "properties": "{}"},
        status=201,
        location=location,
        properties="{}",
        **api,
    )
    one = {"documentationPartId": part["id"], **api}
    plane.ok("GetDocumentationPart", part, **one)
    plane.ok("GetDocumentationParts", {"item": [part]}, **api)
    assert plane.patch("UpdateDocumentationPart", ("replace", "/properties", '{"a": 1}'), **one)["properties"] == '{"a": 1}'
    body = b'{"documentationParts": [{"location": {"type": "API"}, "properties": {"info": {"description": "d"}}}]}'
    imported = plane.ok("ImportDocumentationParts", mode="merge", body=body, **api)
    assert len(imported["ids"]) == 1, imported
    version = plane.ok("CreateDocumentationVersion", {"version": "1", "createdDate": SECONDS}, status=201, documentationVersion="1", **api)
    plane.ok("GetDocumentationVersion", version, documentationVersion="1", **api)
    plane.ok("GetDocumentationVersions", {"item": [version]}, **api)
    plane.patch("UpdateDocumentationVersion", ("replace", "/description", "d"), documentationVersion="1", **api)
    plane.ok("DeleteDocumentationVersion", status=202, documentationVersion="1", **api)
    plane.ok("DeleteDocumentationPart", status=202, **one)
