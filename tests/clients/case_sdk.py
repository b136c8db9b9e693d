"""Generated clients call a live API, in JavaScript and in Python."""

import http.server
import importlib.util
import io
import json
import os
import subprocess
import threading
import zipfile

import botocore.auth
import botocore.awsrequest
import botocore.credentials

DEFINITION = {
    "openapi": "3.0.1",
    "info": {"title": "Pets */ \"\"\" ` ${x}", "version": "1"},
    "paths": {
        "/": {"get": {"operationId": "Welcome"}},
        "/pets": {
            "post": {"operationId": "import os; \""},
            "x-amazon-apigateway-any-method": {},
        },
        "/pets/{petId}": {
            "get": {
                "parameters": [
                    {"name": "petId", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "page size", "in": "query", "schema": {"type": "string"}},
                    {"name": "X-Trace", "in": "header", "required": True, "schema": {"type": "string"}},
                ]
            }
        },
        "/files/{proxy+}": {"get": {"security": [{"sigv4": []}]}},
    },
    "components": {
        "securitySchemes": {
            "sigv4": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
        }
    },
}
KEY, SECRET = "AKIDEXAMPLE000000000", "a+secret/of ours"


class Recorder(http.server.BaseHTTPRequestHandler):
    """Answers every request with what it was."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = {"verb": self.command, "target": self.path, "headers": headers, "body": body.decode()}
        answer = json.dumps(seen).encode()
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = answer

    def log_message(self, *_):
        pass


def signature(seen, host, region):
    """The Authorization field that botocore gives the request that was seen."""
    headers = {name: value for name, value in seen["headers"].items()}
    names = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = botocore.awsrequest.AWSRequest(seen["verb"], f"http://{host}{seen['target']}", data=seen["body"])
    for name in names:
        request.headers[name] = headers[name]
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, SECRET), "execute-api", region)
    request.context["timestamp"] = headers["x-amz-date"]
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(to_sign, request)


JAVASCRIPT = """
import { newClient, apigClientFactory } from "./apiClient.mjs";
const config = { apiKey: "the key", accessKey: "%s", secretKey: "%s" };
const client = newClient(config);
const found = {};
found.names = Object.keys(client);
found.welcome = (await apigClientFactory.newClient().Welcome()).data;
found.get = (await client.petsPetIdGet({ petId: "a/b c", "page size": ["1", "ü&"], "X-Trace": "t" }, undefined,
  { headers: { "X-More": "m" }, queryParams: { q: "1" } })).data;
found.post = (await client.importOs({}, { a: "ü" })).data;
found.put = (await client.petsPut({}, "plain", { headers: { "Content-Type": "text/plain" } })).data;
try { await client.petsPetIdGet({ petId: "missing", "X-Trace": "t" }); } catch (error) { found.error = [error.message, error.response.status]; }
try { await client.petsPetIdGet({ petId: "x" }); } catch (error) { found.needs = error.message; }
const recorded = newClient({ ...config, invokeUrl: process.argv[2] + "/prod" });
found.signed = (await recorded.filesProxyGet({ proxy: "a b/c*(d)" }, undefined, { queryParams: { b: "2 3", a: ["y", "x"] } })).data;
try { await newClient().filesProxyGet({ proxy: "x" }); } catch (error) { found.unsigned = error.message; }
console.log(JSON.stringify(found));
"""


def python(module, url):
    spec = importlib.util.spec_from_file_location("api_client", module)
    api = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(api)
    client = api.Client(api_key="the key", access_key=KEY, secret_key=SECRET)
    found = {"names": [name for name in vars(api.Client) if not name.startswith("_")]}
    found["welcome"] = api.Client().welcome().json()
    more = {"headers": {"X-More": "m"}, "query": {"q": "1"}}
    found["get"] = client.pets_pet_id_get("a/b c", page_size=["1", "ü&"], x_trace="t", **more).json()
    found["post"] = client.import_os({"a": "ü"}).json()
    found["put"] = client.pets_put("plain", headers={"Content-Type": "text/plain"}).json()
    try:
        client.pets_pet_id_get("missing", x_trace="t")
    except api.ApiError as error:
        found["error"] = [str(error)[:30], error.response.status]
    try:
        client.pets_pet_id_get("x")
    except TypeError as error:
        found["needs"] = str(error)
    recorded = api.Client(url + "/prod", access_key=KEY, secret_key=SECRET)
    found["signed"] = recorded.files_proxy_get("a b/c*(d)", query={"b": "2 3", "a": ["y", "x"]}).json()
    try:
        api.Client().files_proxy_get("x")
    except ValueError as error:
        found["unsigned"] = str(error)
    return found


def judge(language, found, names, host):
    assert found["names"] == names, (language, found["names"])
    assert (found["welcome"]["verb"], found["welcome"]["target"]) == ("GET", "/up/"), (language, found["welcome"])
    get = found["get"]
    # The gateway decodes a path parameter once and leaves slashes when it writes it (rest-api.md, URI placeholders).
    expected = "/up/pets/a/b%20c?page%20size=1&page%20size=%C3%BC%26&q=1"
    assert get["target"] == expected, (language, get)
    assert (get["headers"]["x-trace"], get["headers"]["x-more"]) == ("t", "m"), (language, get)
    assert get["headers"]["accept"] == "application/json", (language, get)
    post = found["post"]
    assert json.loads(post["body"]) == {"a": "ü"}, (language, post)
    assert post["headers"]["content-type"] == "application/json", (language, post)
    assert post["headers"]["x-api-key"] == "the key", (language, post)
    put = found["put"]
    assert (put["verb"], put["body"], put["headers"]["content-type"]) == ("PUT", "plain", "text/plain"), (language, put)
    assert found["error"][1] == 404 and "GET /pets" in found["error"][0], (language, found["error"])
    assert "X-Trace" in found["needs"] or "x_trace" in found["needs"], (language, found["needs"])
    assert "this call is signed" in found["unsigned"], (language, found)
    signed = found["signed"]
    assert signed["target"] == "/prod/files/a%20b/c%2A%28d%29?b=2%203&a=y&a=x", (language, signed)
    field = signed["headers"]["authorization"]
    assert field.startswith(f"AWS4-HMAC-SHA256 Credential={KEY}/"), (language, field)
    assert field.endswith("Signature=" + signature(signed, host, "us-east-1")), (language, signed)


def run(plane, node):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    try:
        check(plane, node, host)
    finally:
        server.shutdown()


def check(plane, node, host):
    definition = json.loads(json.dumps(DEFINITION))
    for path, item in definition["paths"].items():
        for method in item.values():
            uri = f"http://{host}/up{path.replace('+', '')}"
            names = [part.strip("{}+") for part in path.split("/") if part.startswith("{")]
            parameters = {f"integration.request.path.{name}": f"method.request.path.{name}" for name in names}
            method["responses"] = {}
            method["x-amazon-apigateway-integration"] = {
                "type": "http_proxy", "httpMethod": "ANY", "uri": uri, "requestParameters": parameters,
            }
            for name in names:
                declared = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                if declared not in method.setdefault("parameters", []):
                    method["parameters"].append(declared)
    api = plane.ok("ImportRestApi", status=201, body=json.dumps(definition).encode())["id"]
    plane.ok("CreateDeployment", status=201, restApiId=api, stageName="prod")

    # openapi.md §10: types, and what isn't generated.
    listed = plane.ok("GetSdkTypes")["item"]
    assert [one["id"] for one in listed] == ["javascript", "python"], listed
    assert plane.ok("GetSdkType", id="javascript") == listed[0]
    plane.refused("GetSdkType", 404, "NotFoundException", "Invalid SDK type identifier specified", id="java")
    text = "SDK generation is not available for java. Valid options are javascript,python; other generators read an export"
    plane.refused("GetSdk", 400, "BadRequestException", text, restApiId=api, stageName="prod", sdkType="java")
    text = "Invalid stage identifier specified"
    plane.refused("GetSdk", 404, "NotFoundException", text, restApiId=api, stageName="x", sdkType="javascript")

    folder = node.folder.name
    for language in ("javascript", "python"):
        status, body, headers = plane.call("GetSdk", restApiId=api, stageName="prod", sdkType=language)
        assert (status, headers["Content-Type"]) == (200, "application/octet-stream"), (status, headers)
        assert headers["Content-Disposition"].startswith(f'attachment; filename="{language}_20'), headers
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert archive.testzip() is None
            archive.extractall(folder)
    client = os.path.join(folder, "apiGateway-javascript-sdk")
    with open(os.path.join(client, "try.mjs"), "w") as file:
        file.write(JAVASCRIPT % (KEY, SECRET))
    ran = subprocess.run(["node", "try.mjs", f"http://{host}"], cwd=client, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    verbs = ["Delete", "Get", "Head", "Options", "Patch", "Put"]
    names = ["Welcome", "filesProxyGet", "importOs", *(f"pets{verb}" for verb in verbs), "petsPetIdGet"]
    found = json.loads(ran.stdout)
    judge("javascript", {**found, "names": sorted(found["names"])}, sorted(names), host)
    names = ["welcome", "files_proxy_get", "import_os", *(f"pets_{verb.lower()}" for verb in verbs), "pets_pet_id_get"]
    found = python(os.path.join(folder, "apiGateway-python-sdk", "api_client.py"), f"http://{host}")
    judge("python", {**found, "names": sorted(found["names"])}, sorted(names), host)

    # The same from a document, without a node.
    status, export, _ = plane.call(
        "GetExport", restApiId=api, stageName="prod", exportType="oas30", parameters={"extensions": "apigateway"}
    )
    with open(os.path.join(folder, "export.json"), "wb") as file:
        file.write(export)
    url = f"{node.data.replace('127.0.0.1', 'localhost')}/restapis/{api}/prod/_user_request_"
    for language, inside in (("javascript", "apiClient.mjs"), ("python", "api_client.py")):
        command = [os.environ["TURNPIKE_BINARY"], "sdk", language, "export.json", "--url", url, "--out", "again-" + language]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=20)
        with open(os.path.join(folder, f"apiGateway-{language}-sdk", inside)) as one:
            with open(os.path.join(folder, f"again-{language}", inside)) as other:
                assert one.read() == other.read(), language
    command = [os.environ["TURNPIKE_BINARY"], "export", "export.json", "--type", "oas30", "--extensions", "apigateway"]
    again = subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=20)
    again, export = json.loads(again.stdout), json.loads(export)
    assert again["paths"] == export["paths"] and again["components"] == export["components"], (again, export)
