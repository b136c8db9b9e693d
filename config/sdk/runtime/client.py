

class Response:
    """An answer: `status`, `headers`, `body` as bytes; `json()` and `text()` read it."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)


class ApiError(Exception):
    """A status of 400 and above; `response` is the answer."""

    def __init__(self, call, response):
        super().__init__(f"{call}: status {response.status}: {response.text()[:200]}")
        self.response = response


class _Caller:
    def __init__(self, url, api_key, access_key, secret_key, session_token, region, timeout, opener):
        self.url = url.rstrip("/")
        self.api_key, self.region, self.timeout = api_key, region, timeout
        self.access_key, self.secret_key, self.session_token = access_key, secret_key, session_token
        self.opener = opener or urllib.request.build_opener()

    def call(self, verb, path, query, headers, body, signed):
        pairs = []
        for name, value in query.items():
            values = value if isinstance(value, (list, tuple)) else [value]
            pairs += [f"{_encode(name)}={_encode(one)}" for one in values if one is not None]
        url = self.url + path + ("?" + "&".join(pairs) if pairs else "")
        fields = {"accept": "application/json"}
        fields.update({name.lower(): str(value) for name, value in headers.items() if value is not None})
        if self.api_key is not None:
            fields.setdefault("x-api-key", self.api_key)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        if body is not None:
            fields.setdefault("content-type", "application/json")
        if signed:
            self.sign(verb, url, fields, body or b"")
        request = urllib.request.Request(url, data=body, headers=fields, method=verb)
        try:
            with self.opener.open(request, timeout=self.timeout) as answer:
                return Response(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(f"{verb} {path}", Response(error.code, error.headers, error.read())) from None

    def sign(self, verb, url, fields, body):
        """Signature Version 4, service execute-api."""
        if not self.access_key or not self.secret_key:
            raise ValueError("this call is signed: Client needs access_key and secret_key")
        parts = urllib.parse.urlsplit(url)
        time = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        fields["x-amz-date"] = time
        if self.session_token:
            fields["x-amz-security-token"] = self.session_token
        # `host` is set by whoever sends the request.
        signed = {**fields, "host": parts.netloc}
        names = sorted(signed)
        path = "/".join(_encode(part) for part in (parts.path or "/").split("/"))
        query = "&".join(sorted(parts.query.split("&")))
        lines = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in names)
        digest = hashlib.sha256(body).hexdigest()
        canonical = "\n".join([verb, path, query, lines, ";".join(names), digest])
        scope = [time[:8], self.region, "execute-api", "aws4_request"]
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = "\n".join(["AWS4-HMAC-SHA256", time, "/".join(scope), digest])
        key = b"AWS4" + self.secret_key.encode()
        for part in [*scope, to_sign]:
            key = hmac.new(key, part.encode(), "sha256").digest()
        credential = "/".join([self.access_key, *scope])
        fields["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={';'.join(names)}, Signature={key.hex()}"
        )


def _encode(value, safe=""):
    return urllib.parse.quote(str(value), safe=safe)
