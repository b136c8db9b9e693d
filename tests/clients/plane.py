"""boto3 with every raw answer kept and judged."""

import json
import re

import boto3
import botocore.config
import botocore.exceptions

import shapes


class Any:
    """Any value that fits a pattern; without one, any at all."""

    def __init__(self, pattern=None, kind=None):
        self.pattern, self.kind = pattern, kind

    def __eq__(self, other):
        if self.kind is not None and not isinstance(other, self.kind):
            return False
        return self.pattern is None or (isinstance(other, str) and re.fullmatch(self.pattern, other) is not None)

    def __repr__(self):
        return f"Any({self.pattern or self.kind})"


ID10 = Any("[a-z0-9]{10}")
ID6 = Any("[a-z0-9]{6}")
SECONDS = Any(kind=int)
# Id and secret where nobody looks at them.
ANY_KEY = ("AKIDEXAMPLE", "secret")


class Plane:
    def __init__(self, endpoint, region="us-east-1", key=ANY_KEY):
        self.client = boto3.client(
            "apigateway",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=key[0],
            aws_secret_access_key=key[1],
            config=botocore.config.Config(retries={"max_attempts": 1}),
        )
        self.model = self.client.meta.service_model
        self.called = set()
        self.raw = None
        self.client.meta.events.register("response-received.apigateway", self.keep)

    def keep(self, response_dict=None, **_):
        self.raw = response_dict

    def call(self, operation, **parameters):
        """Makes a call by its API name; gives status, raw body and headers. Nothing that the model doesn't know passes."""
        self.called.add(operation)
        method = getattr(self.client, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())
        self.raw = None
        try:
            method(**parameters)
            failed = None
        except botocore.exceptions.ClientError as error:
            failed = error
        status, headers = self.raw["status_code"], self.raw["headers"]
        body = self.raw["body"]
        if hasattr(body, "read"):
            body = body.read()
        assert headers.get("x-amzn-RequestId"), f"{operation}: no x-amzn-RequestId"
        shape = self.model.operation_model(operation).output_shape
        is_document = shape is not None and shape.serialization.get("payload")
        if failed is None and is_document:
            return status, body, headers
        parsed = json.loads(body) if body else None
        if failed is None:
            if shape is None or parsed is None:
                assert not parsed, f"{operation}: a body where the model has none: {parsed}"
            else:
                found = shapes.problems(parsed, shape)
                assert not found, f"{operation}: {found}"
        return status, parsed, headers

    def ok(self, operation, expected=None, status=200, **parameters):
        """A call that succeeds with a status, and with just the raw body that is expected."""
        found, body, _ = self.call(operation, **parameters)
        assert found == status, f"{operation}: {found} {body}"
        if expected is not None:
            assert body == expected, f"{operation}: expected {expected}\n got {body}"
        return body

    def refused(self, operation, status, code, message, **parameters):
        """A call that is refused with a status, a code and a text."""
        found, body, headers = self.call(operation, **parameters)
        kind = headers.get("x-amzn-ErrorType")
        got = (found, kind, (body or {}).get("message"))
        assert got == (status, code, message), f"{operation}: expected {(status, code, message)}\n got {got}"

    def patch(self, operation, *patches, **parameters):
        names = ("op", "path", "value")
        operations = [{k: v for k, v in zip(names, patch)} for patch in patches]
        status = 201 if operation == "UpdateMethodResponse" else 200
        return self.ok(operation, status=status, patchOperations=operations, **parameters)
