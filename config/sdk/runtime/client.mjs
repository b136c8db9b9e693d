
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
const text = (octets) => Array.from(new Uint8Array(octets), (octet) => octet.toString(16).padStart(2, "0")).join("");
const octets = (data) => (typeof data === "string" ? new TextEncoder().encode(data) : data);

// Gives a function that makes calls as `config` says.
function caller(config) {
  const invokeUrl = (config.invokeUrl ?? INVOKE_URL).replace(/\/+$/, "");

  return async function call(operation, params = {}, body = undefined, additionalParams = {}) {
    const url = new URL(invokeUrl + fill(operation, params) + query(operation, params, additionalParams));
    const headers = { accept: "application/json" };
    for (const [name, required] of operation.headers ?? []) {
      if (given(operation, params, name, required)) headers[name.toLowerCase()] = String(params[name]);
    }
    for (const [name, value] of Object.entries(additionalParams.headers ?? {})) headers[name.toLowerCase()] = String(value);
    if (config.apiKey !== undefined) headers["x-api-key"] ??= config.apiKey;
    let data = body;
    if (body !== undefined && body !== null && typeof body !== "string" && !ArrayBuffer.isView(body) && !(body instanceof ArrayBuffer)) {
      data = JSON.stringify(body);
    }
    if (data !== undefined && data !== null) headers["content-type"] ??= config.defaultContentType ?? "application/json";
    if (operation.signed) await sign(config, operation.verb, url, headers, octets(data ?? ""));
    const response = await fetch(url, { method: operation.verb, headers, body: data ?? undefined, signal: additionalParams.signal });
    return answer(operation, response);
  };
}

// The answer's data is parsed if it is JSON. A status of 400 and above is an error that has the answer.
async function answer(operation, response) {
  const received = await response.text();
  const isJson = /[/+]json\b/.test(response.headers.get("content-type") ?? "");
  let data = received;
  if (isJson && received !== "") {
    try {
      data = JSON.parse(received);
    } catch {
      // Said to be JSON, and isn't: it stays a text.
    }
  }
  const result = { status: response.status, statusText: response.statusText, headers: Object.fromEntries(response.headers), data };
  if (response.ok) return result;
  throw Object.assign(new Error(`${operation.verb} ${operation.path}: status ${response.status}`), { response: result });
}

function given(operation, params, name, required) {
  const is = params[name] !== undefined && params[name] !== null;
  if (required && !is) throw new Error(`${operation.verb} ${operation.path} needs the parameter ${JSON.stringify(name)}`);
  return is;
}

function fill(operation, params) {
  return operation.path.replace(/\{([^}]+)\}/g, (_, variable) => {
    const isGreedy = variable.endsWith("+");
    const name = isGreedy ? variable.slice(0, -1) : variable;
    given(operation, params, name, true);
    const value = String(params[name]);
    return isGreedy ? value.split("/").map(encode).join("/") : encode(value);
  });
}

function query(operation, params, additionalParams) {
  const pairs = [];
  const add = (name, value) => [value].flat().forEach((one) => pairs.push(`${encode(name)}=${encode(String(one))}`));
  for (const [name, required] of operation.query ?? []) {
    if (given(operation, params, name, required)) add(name, params[name]);
  }
  for (const [name, value] of Object.entries(additionalParams.queryParams ?? {})) add(name, value);
  return pairs.length > 0 ? "?" + pairs.join("&") : "";
}

// Signature Version 4, service execute-api.
async function sign(config, verb, url, headers, payload) {
  if (!config.accessKey || !config.secretKey) throw new Error("this call is signed: newClient needs accessKey and secretKey");
  const crypto = globalThis.crypto ?? (await import("node:crypto")).webcrypto;
  const digest = async (data) => text(await crypto.subtle.digest("SHA-256", octets(data)));
  const hmac = async (key, data) => {
    const imported = await crypto.subtle.importKey("raw", octets(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", imported, octets(data)));
  };
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  headers["x-amz-date"] = time;
  if (config.sessionToken) headers["x-amz-security-token"] = config.sessionToken;
  // `host` is set by whoever sends the request.
  const signed = { ...headers, host: url.host };
  const names = Object.keys(signed).sort();
  const path = url.pathname.split("/").map(encode).join("/");
  const sorted = url.search.slice(1).split("&").sort().join("&");
  const fields = names.map((name) => `${name}:${String(signed[name]).trim().replace(/ +/g, " ")}\n`).join("");
  const canonical = [verb, path, sorted, fields, names.join(";"), await digest(payload)].join("\n");
  const parts = [time.slice(0, 8), config.region ?? REGION, "execute-api", "aws4_request"];
  const toSign = ["AWS4-HMAC-SHA256", time, parts.join("/"), await digest(canonical)].join("\n");
  let key = "AWS4" + config.secretKey;
  for (const part of parts) key = await hmac(key, part);
  const credential = `${config.accessKey}/${parts.join("/")}`;
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${text(await hmac(key, toSign))}`;
}
