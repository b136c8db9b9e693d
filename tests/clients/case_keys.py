"""API keys, usage plans, domains, mappings, client certificates (sections 3, 4.1, 5, 6; management: 1, 2, 3)."""

from plane import ID6, ID10, SECONDS, Any

VALUE = "abcdefghijklmnopqrstuvwxyz"


def run(plane, node):
    key = keys(plane)
    plans(plane, key)
    plane.ok("DeleteApiKey", status=202, apiKey=key)
    domains(plane)
    certificates(plane)


def keys(plane):
    expected = {
        "id": ID10,
        "value": VALUE,
        "name": "k",
        "enabled": False,
        "createdDate": SECONDS,
        "lastUpdatedDate": SECONDS,
        "stageKeys": [],
    }
    made = plane.ok("CreateApiKey", expected, status=201, name="k", value=VALUE)
    hidden = {name: value for name, value in made.items() if name != "value"}
    plane.ok("GetApiKey", {**hidden, "tags": {}}, apiKey=made["id"])
    plane.ok("GetApiKey", {**made, "tags": {}}, apiKey=made["id"], includeValue=True)
    plane.ok("GetApiKeys", {"item": [hidden]})
    # The SDK says `nameQuery`, the wire `name`.
    plane.ok("GetApiKeys", {"item": []}, nameQuery="other")
    body = plane.patch("UpdateApiKey", ("replace", "/enabled", "true"), apiKey=made["id"])
    assert body["enabled"] is True, body
    message = "API Key value should be at least 20 characters"
    plane.refused("CreateApiKey", 400, "BadRequestException", message, value="short")
    return made["id"]


def plans(plane, key):
    quota = {"limit": 100, "offset": 0, "period": "DAY"}
    throttle = {"burstLimit": 2, "rateLimit": 1.5}
    expected = {"id": ID6, "name": "p", "apiStages": [], "throttle": throttle, "quota": quota}
    made = plane.ok("CreateUsagePlan", expected, status=201, name="p", throttle=throttle, quota=quota)
    plan = {"usagePlanId": made["id"]}
    plane.ok("GetUsagePlan", {**made, "tags": {}}, **plan)
    plane.ok("GetUsagePlans", {"item": [made]})
    body = plane.patch("UpdateUsagePlan", ("replace", "/quota/limit", "50"), **plan)
    assert body["quota"] == {**quota, "limit": 50}, body
    joined = {"id": key, "type": "API_KEY", "value": VALUE, "name": "k"}
    plane.ok("CreateUsagePlanKey", joined, status=201, keyId=key, keyType="API_KEY", **plan)
    plane.ok("GetUsagePlanKey", joined, keyId=key, **plan)
    plane.ok("GetUsagePlanKeys", {"item": [joined]}, **plan)
    used = plane.ok("GetUsage", startDate="2026-01-01", endDate="2026-01-02", **plan)
    assert used["values"] == {key: [[0, 50], [0, 50]]}, used
    plane.ok("DeleteUsagePlanKey", status=202, keyId=key, **plan)
    # §6.2: Invalid API Stage.
    patch = [{"op": "add", "path": "/apiStages", "value": "nonsense"}]
    plane.refused("UpdateUsagePlan", 400, "BadRequestException", "Invalid API Stage specified", patchOperations=patch, **plan)
    plane.ok("DeleteUsagePlan", status=202, **plan)


def domains(plane):
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/c"
    expected = {
        "domainName": "api.example.com",
        "regionalDomainName": Any(r"d-[a-z0-9]{10}\.execute-api\.us-east-1\.amazonaws\.com"),
        "regionalHostedZoneId": Any("Z[A-Z0-9]+"),
        "regionalCertificateArn": arn,
        "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"},
        "domainNameStatus": "AVAILABLE",
        "securityPolicy": "TLS_1_2",
        "routingMode": "BASE_PATH_MAPPING_ONLY",
    }
    name = {"domainName": "api.example.com"}
    made = plane.ok(
        "CreateDomainName", expected, status=201, regionalCertificateArn=arn, endpointConfiguration={"types": ["REGIONAL"]}, **name
    )
    plane.ok("GetDomainName", {**made, "tags": {}}, **name)
    plane.ok("GetDomainNames", {"item": [made]})
    body = plane.patch("UpdateDomainName", ("replace", "/securityPolicy", "TLS_1_0"), **name)
    assert body["securityPolicy"] == "TLS_1_0", body
    api = plane.ok("CreateRestApi", status=201, name="mapped")["id"]
    # §4.1: the empty base path is (none).
    mapping = plane.ok("CreateBasePathMapping", {"basePath": "(none)", "restApiId": api}, status=201, restApiId=api, **name)
    plane.ok("GetBasePathMapping", mapping, basePath="(none)", **name)
    plane.ok("GetBasePathMappings", {"item": [mapping]}, **name)
    body = plane.patch("UpdateBasePathMapping", ("replace", "/basePath", "v1"), basePath="(none)", **name)
    assert body == {"basePath": "v1", "restApiId": api}, body
    plane.ok("DeleteBasePathMapping", status=202, basePath="v1", **name)
    plane.ok("DeleteDomainName", status=202, **name)
    plane.ok("DeleteRestApi", status=202, restApiId=api)


def certificates(plane):
    expected = {
        "clientCertificateId": ID6,
        "description": "d",
        "pemEncodedCertificate": Any(kind=str),
        "createdDate": SECONDS,
        "expirationDate": SECONDS,
    }
    made = plane.ok("GenerateClientCertificate", expected, status=201, description="d")
    assert made["pemEncodedCertificate"].startswith("-----BEGIN CERTIFICATE-----"), made
    # §4.1: valid for 365 days.
    assert made["expirationDate"] - made["createdDate"] == 365 * 86_400, made
    one = {"clientCertificateId": made["clientCertificateId"]}
    plane.ok("GetClientCertificate", {**made, "tags": {}}, **one)
    plane.ok("GetClientCertificates", {"item": [made]})
    body = plane.patch("UpdateClientCertificate", ("replace", "/description", "e"), **one)
    assert body["description"] == "e", body
    plane.ok("DeleteClientCertificate", status=202, **one)
