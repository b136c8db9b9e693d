"""What Terraform's AWS provider does with a resource, told as tables: how it is created, read, changed and deleted.

The provider plans by comparing what it reads with what was written: an answer that differs from its arguments in any way
would be changed again at each run. Its requests are known from its public documentation and behaviour; they are
serialised by botocore here.
"""

import dataclasses
import typing

from plane import Any


def escaped(name):
    return name.replace("~", "~0").replace("/", "~1")


def word(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


@dataclasses.dataclass(frozen=True)
class Field:
    """An argument: where it is in the answer, and how a change of it is told."""

    path: str
    how: str = "text"
    # Where patches address it, if that is another place.
    patched: str = ""
    # What an absent member means.
    absent: typing.Any = None

    def read(self, answer):
        value = answer
        for part in self.path.split("/"):
            if isinstance(value, list):
                value = value[int(part)] if int(part) < len(value) else None
            else:
                value = value.get(part) if isinstance(value, dict) else None
        if self.how == "templates" and value is not None:
            # An empty template is null in answers.
            value = {name: text or "" for name, text in value.items()}
        if self.how in ("map", "templates", "variables", "cache keys", "values", "members") and not value:
            return None
        if self.how in ("values", "cache keys"):
            return sorted(value)
        return self.absent if value is None else value

    def patches(self, old, new):
        path = "/" + (self.patched or self.path)
        if self.how == "float":
            return [("replace", path, f"{new:f}")]
        if self.how in ("map", "templates", "variables"):
            old, new = old or {}, new or {}
            operations = [("remove", f"{path}/{escaped(name)}") for name in old if name not in new]
            for name, value in new.items():
                if self.how == "variables" and old.get(name) == value:
                    continue
                verb = "replace" if name in old or self.how == "variables" else "add"
                operations.append((verb, f"{path}/{escaped(name)}", word(value)))
            return operations
        if self.how == "values":
            added = [("add", path, value) for value in new or [] if value not in (old or [])]
            return added + [("remove", path, value) for value in old or [] if value not in (new or [])]
        if self.how == "members":
            removed = [("remove", f"{path}/{escaped(value)}") for value in old or []]
            return removed + [("add", f"{path}/{escaped(value)}") for value in new or []]
        if self.how == "cache keys":
            removed = [("remove", f"{path}/{value}", "") for value in old or [] if value not in (new or [])]
            return removed + [("add", f"{path}/{value}", "") for value in new or [] if value not in (old or [])]
        if self.how == "nullable" and new is None:
            return [("replace", path)]
        return [("replace", path, word(new if new is not None else ""))]


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of resource: its operations, and its arguments by the members of the creating call."""

    create: str
    read: str
    update: typing.Optional[str]
    delete: typing.Optional[str]
    fields: dict
    # Member of the answer that has the id, and the parameter that takes it.
    id: typing.Optional[tuple] = None
    # Arguments that name the resource in later calls.
    naming: tuple = ()
    status: int = 201
    update_status: int = 200
    delete_status: int = 202
    # The parameter that takes the name in later calls, if it is called otherwise there.
    naming_as: str = ""
    # Parameters of the read beside its names.
    asking: dict = dataclasses.field(default_factory=dict)
    # Text of NotFoundException once it is gone; `None` where reading never fails.
    gone: typing.Optional[str] = None


class Resource:
    """A resource in Terraform's state."""

    def __init__(self, plane, kind, label, parents=None, **arguments):
        self.plane, self.kind, self.label = plane, kind, label
        self.parents, self.arguments = parents or {}, arguments
        self.names = self.named()
        answer = plane.ok(kind.create, status=kind.status, **self.parents, **self.put(arguments))
        if kind.id:
            member, parameter = kind.id
            self.id = answer[member]
            self.names[parameter] = self.id
        self.settle()

    def named(self):
        return {self.kind.naming_as or name: self.arguments[name] for name in self.kind.naming}

    @staticmethod
    def put(arguments):
        return {name: value for name, value in arguments.items() if value is not None}

    def answer(self):
        return self.plane.ok(self.kind.read, **self.parents, **self.names, **self.kind.asking)

    def settle(self):
        """Reads as a plan does: nothing must be left to change."""
        answer = self.answer()
        for name, field in self.kind.fields.items():
            expected = self.arguments.get(name, field.absent)
            if field.how in ("values", "cache keys") and expected:
                expected = sorted(expected)
            if not expected and field.how in ("map", "templates", "variables", "values", "members", "cache keys"):
                expected = None
            # To the provider an empty text is none.
            expected = None if expected == "" else expected
            found = field.read(answer)
            found = None if found == "" else found
            drift = f"{self.label}: {name} is {found!r} where {expected!r} was asked for, in {answer}"
            assert found == expected, drift
        return answer

    def change(self, **arguments):
        """Changes arguments as an apply does, and plans again."""
        operations = []
        for name, new in arguments.items():
            old = self.arguments.get(name)
            assert old != new, f"{self.label}: {name} doesn't change"
            operations += self.kind.fields[name].patches(old, new)
        self.patch(*operations)
        self.arguments.update(arguments)
        self.names.update(self.named())
        return self.settle()

    def patch(self, *operations):
        names = ("op", "path", "value")
        patches = [dict(zip(names, operation)) for operation in operations]
        named = {**self.parents, **self.names}
        self.plane.ok(self.kind.update, status=self.kind.update_status, patchOperations=patches, **named)

    def destroy(self):
        """Deletes it; what is gone can't be read, and deleting it again is an error that the provider knows."""
        kind, named = self.kind, {**self.parents, **self.names}
        self.plane.ok(kind.delete, status=kind.delete_status, **named)
        if kind.gone:
            self.plane.refused(kind.read, 404, "NotFoundException", kind.gone, **named, **kind.asking)
            self.plane.refused(kind.delete, 404, "NotFoundException", kind.gone, **named)


REST_API = Kind(
    "CreateRestApi", "GetRestApi", "UpdateRestApi", "DeleteRestApi",
    {
        "name": Field("name"),
        "description": Field("description"),
        "apiKeySource": Field("apiKeySource", absent="HEADER"),
        "binaryMediaTypes": Field("binaryMediaTypes", "members"),
        "minimumCompressionSize": Field("minimumCompressionSize", "nullable"),
        "disableExecuteApiEndpoint": Field("disableExecuteApiEndpoint", absent=False),
        "tags": Field("tags", "map"),
    },
    id=("id", "restApiId"), gone=Any("Invalid API identifier specified 123456789012:.*"),
)
RESOURCE = Kind(
    "CreateResource", "GetResource", "UpdateResource", "DeleteResource",
    {"parentId": Field("parentId"), "pathPart": Field("pathPart")},
    id=("id", "resourceId"), gone="Invalid Resource identifier specified",
)
METHOD = Kind(
    "PutMethod", "GetMethod", "UpdateMethod", "DeleteMethod",
    {
        "authorizationType": Field("authorizationType"),
        "apiKeyRequired": Field("apiKeyRequired", absent=False),
        "authorizerId": Field("authorizerId"),
        "authorizationScopes": Field("authorizationScopes", "values"),
        "operationName": Field("operationName", "nullable"),
        "requestModels": Field("requestModels", "map"),
        "requestParameters": Field("requestParameters", "map"),
        "requestValidatorId": Field("requestValidatorId", "nullable"),
    },
    naming=("httpMethod",), delete_status=204, gone="Invalid Method identifier specified",
)
METHOD_RESPONSE = Kind(
    "PutMethodResponse", "GetMethodResponse", "UpdateMethodResponse", "DeleteMethodResponse",
    {"responseModels": Field("responseModels", "map"), "responseParameters": Field("responseParameters", "map")},
    naming=("statusCode",), update_status=201, delete_status=204, gone="Invalid Response status code specified",
)
INTEGRATION = Kind(
    "PutIntegration", "GetIntegration", "UpdateIntegration", "DeleteIntegration",
    {
        "type": Field("type"),
        "integrationHttpMethod": Field("httpMethod"),
        "uri": Field("uri"),
        "connectionType": Field("connectionType"),
        "connectionId": Field("connectionId"),
        "contentHandling": Field("contentHandling"),
        "passthroughBehavior": Field("passthroughBehavior", absent="WHEN_NO_MATCH"),
        "timeoutInMillis": Field("timeoutInMillis", absent=29000),
        "requestParameters": Field("requestParameters", "map"),
        "requestTemplates": Field("requestTemplates", "templates"),
        "cacheKeyParameters": Field("cacheKeyParameters", "cache keys"),
        "cacheNamespace": Field("cacheNamespace"),
    },
    delete_status=204, gone="Invalid Integration identifier specified",
)
INTEGRATION_RESPONSE = Kind(
    "PutIntegrationResponse", "GetIntegrationResponse", None, "DeleteIntegrationResponse",
    {
        "selectionPattern": Field("selectionPattern"),
        "contentHandling": Field("contentHandling"),
        "responseParameters": Field("responseParameters", "map"),
        "responseTemplates": Field("responseTemplates", "templates"),
    },
    naming=("statusCode",), delete_status=204, gone="Invalid Response status code specified",
)
MODEL = Kind(
    "CreateModel", "GetModel", "UpdateModel", "DeleteModel",
    {"contentType": Field("contentType"), "description": Field("description"), "schema": Field("schema")},
    naming=("name",), naming_as="modelName", gone=Any("Invalid model name specified: .*"),
)
REQUEST_VALIDATOR = Kind(
    "CreateRequestValidator", "GetRequestValidator", "UpdateRequestValidator", "DeleteRequestValidator",
    {
        "name": Field("name"),
        "validateRequestBody": Field("validateRequestBody", absent=False),
        "validateRequestParameters": Field("validateRequestParameters", absent=False),
    },
    id=("id", "requestValidatorId"), gone="Invalid Request Validator identifier specified",
)
AUTHORIZER = Kind(
    "CreateAuthorizer", "GetAuthorizer", "UpdateAuthorizer", "DeleteAuthorizer",
    {
        "name": Field("name"),
        "type": Field("type"),
        "authorizerUri": Field("authorizerUri"),
        "authorizerCredentials": Field("authorizerCredentials"),
        "authorizerResultTtlInSeconds": Field("authorizerResultTtlInSeconds", absent=300),
        "identitySource": Field("identitySource"),
        "identityValidationExpression": Field("identityValidationExpression"),
        "providerARNs": Field("providerARNs", "values"),
    },
    id=("id", "authorizerId"), gone="Invalid Authorizer identifier specified",
)
DEPLOYMENT = Kind(
    "CreateDeployment", "GetDeployment", "UpdateDeployment", "DeleteDeployment",
    {"description": Field("description")},
    id=("id", "deploymentId"), gone="Invalid Deployment identifier specified",
)
STAGE = Kind(
    "CreateStage", "GetStage", "UpdateStage", "DeleteStage",
    {
        "deploymentId": Field("deploymentId"),
        "description": Field("description"),
        "cacheClusterEnabled": Field("cacheClusterEnabled", absent=False),
        "cacheClusterSize": Field("cacheClusterSize"),
        "clientCertificateId": Field("clientCertificateId"),
        "documentationVersion": Field("documentationVersion"),
        "tracingEnabled": Field("tracingEnabled", absent=False),
        "variables": Field("variables", "variables"),
        "tags": Field("tags", "map"),
    },
    naming=("stageName",), gone="Invalid stage identifier specified",
)
DOMAIN_NAME = Kind(
    "CreateDomainName", "GetDomainName", "UpdateDomainName", "DeleteDomainName",
    {
        "regionalCertificateArn": Field("regionalCertificateArn"),
        "securityPolicy": Field("securityPolicy"),
        "tags": Field("tags", "map"),
    },
    naming=("domainName",), gone="Invalid domain name identifier specified",
)
BASE_PATH_MAPPING = Kind(
    "CreateBasePathMapping", "GetBasePathMapping", "UpdateBasePathMapping", "DeleteBasePathMapping",
    {
        "restApiId": Field("restApiId", patched="restapiId"),
        "basePath": Field("basePath"),
        "stage": Field("stage"),
    },
    naming=("basePath",), gone="Invalid base path mapping identifier specified",
)
USAGE_PLAN = Kind(
    "CreateUsagePlan", "GetUsagePlan", "UpdateUsagePlan", "DeleteUsagePlan",
    {
        "name": Field("name"),
        "description": Field("description"),
        "throttle": Field("throttle"),
        "quota": Field("quota"),
        "tags": Field("tags", "map"),
    },
    id=("id", "usagePlanId"), gone="Invalid Usage Plan ID specified",
)
API_KEY = Kind(
    "CreateApiKey", "GetApiKey", "UpdateApiKey", "DeleteApiKey",
    {
        "name": Field("name"),
        "description": Field("description"),
        "enabled": Field("enabled"),
        "value": Field("value"),
        "tags": Field("tags", "map"),
    },
    id=("id", "apiKey"), asking={"includeValue": True}, gone="Invalid API Key identifier specified",
)
USAGE_PLAN_KEY = Kind(
    "CreateUsagePlanKey", "GetUsagePlanKey", None, "DeleteUsagePlanKey", {}, id=("id", "keyId"),
    gone="Invalid Usage Plan Key identifier specified",
)
VPC_LINK = Kind(
    "CreateVpcLink", "GetVpcLink", "UpdateVpcLink", "DeleteVpcLink",
    {"name": Field("name"), "description": Field("description"), "targetArns": Field("targetArns", "members")},
    id=("id", "vpcLinkId"), status=202, gone="Invalid Vpc Link identifier specified",
)
CLIENT_CERTIFICATE = Kind(
    "GenerateClientCertificate", "GetClientCertificate", "UpdateClientCertificate", "DeleteClientCertificate",
    {"description": Field("description"), "tags": Field("tags", "map")},
    id=("clientCertificateId", "clientCertificateId"), gone="Invalid Client certificate identifier specified",
)
DOCUMENTATION_PART = Kind(
    "CreateDocumentationPart", "GetDocumentationPart", "UpdateDocumentationPart", "DeleteDocumentationPart",
    {"location": Field("location"), "properties": Field("properties")},
    id=("id", "documentationPartId"), gone="Invalid Documentation part identifier specified",
)
DOCUMENTATION_VERSION = Kind(
    "CreateDocumentationVersion", "GetDocumentationVersion", "UpdateDocumentationVersion", "DeleteDocumentationVersion",
    {"description": Field("description")},
    naming=("documentationVersion",), gone="Invalid Documentation version specified",
)
GATEWAY_RESPONSE = Kind(
    "PutGatewayResponse", "GetGatewayResponse", "UpdateGatewayResponse", "DeleteGatewayResponse",
    {
        "statusCode": Field("statusCode"),
        "responseParameters": Field("responseParameters", "map"),
        "responseTemplates": Field("responseTemplates", "templates"),
    },
    naming=("responseType",),
)
