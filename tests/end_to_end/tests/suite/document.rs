//! OpenAPI documents as tests write them: a few lines for each route.

use std::fmt::Write;

/// A document in the making.
pub(crate) struct Document {
    root: String,
    paths: String,
    last_path: String,
}

impl Document {
    /// A document without routes, with API id `testapi001` and stage `test`.
    pub(crate) fn new() -> Self {
        Self::with_root("x-turnpike: {id: testapi001, stage: test}\n")
    }

    /// A document with further lines at its root.
    pub(crate) fn with_root(root: &str) -> Self {
        Document { root: root.to_owned(), paths: String::new(), last_path: String::new() }
    }

    /// A route; `operation` is the rest of the operation object, in flow style. Routes of one path follow each other.
    pub(crate) fn route(mut self, method: &str, path: &str, operation: &str) -> Self {
        if self.last_path != path {
            path.clone_into(&mut self.last_path);
            // Writing to a string doesn't fail.
            let _ = writeln!(self.paths, "  \"{path}\":");
        }
        let _ = writeln!(self.paths, "    {method}: {{{operation}}}");
        self
    }

    /// A route to a backend; `{name}` parts of the path are mapped into the URI.
    pub(crate) fn proxy(self, method: &str, path: &str, uri: &str) -> Self {
        let names = path.split('{').skip(1).filter_map(|part| part.split('}').next());
        let names: Vec<&str> = names.map(|name| name.trim_end_matches('+')).collect();
        let parameters: Vec<String> = names
            .iter()
            .map(|name| format!("{{name: {name}, in: path, required: true, schema: {{type: string}}}}"))
            .collect();
        let mappings: Vec<String> = names
            .iter()
            .map(|name| format!("integration.request.path.{name}: method.request.path.{name}"))
            .collect();
        let http_method =
            if method == "x-amazon-apigateway-any-method" { "ANY".to_owned() } else { method.to_uppercase() };
        let operation = format!(
            "parameters: [{}], responses: {{}}, x-amazon-apigateway-integration: {{type: http_proxy, httpMethod: \
             {http_method}, uri: \"{uri}\", requestParameters: {{{}}}}}",
            parameters.join(", "),
            mappings.join(", ")
        );
        self.route(method, path, &operation)
    }

    /// A route that the gateway answers itself, with a literal body.
    pub(crate) fn mock(self, method: &str, path: &str, status: u16, body: &str) -> Self {
        let operation = format!(
            "responses: {{\"{status}\": {{description: d}}}}, x-amazon-apigateway-integration: {{type: mock, \
             requestTemplates: {{application/json: '{{\"statusCode\": {status}}}'}}, responses: {{default: {{statusCode: \
             \"{status}\", responseTemplates: {{application/json: '{body}'}}}}}}}}"
        );
        self.route(method, path, &operation)
    }

    /// The text.
    pub(crate) fn text(&self) -> String {
        format!("openapi: 3.0.1\ninfo: {{title: test, version: \"1\"}}\n{}paths:\n{}", self.root, self.paths)
    }
}
