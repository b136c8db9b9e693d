//! What is generated, looked at as text; `tests/clients` runs it.

use model::{AuthorizationType, Definition, Method, Resources};
use vocabulary::MethodKey;

use crate::{Client, Language, generate, zip};

fn definition() -> Definition {
    let mut resources = Resources::new("root".to_owned());
    let method = |name: Option<&str>| Method { operation_name: name.map(str::to_owned), ..Method::default() };
    let mut key = 0;
    let mut id = |_: &str| {
        key += 1;
        format!("r{key}")
    };
    let any = |word: &str| MethodKey::from_word(word).expect("a verb");
    let pet = resources.grow("/pets/{petId}", &mut id);
    let mut get = method(None);
    get.request_parameters.insert("method.request.querystring.page size".to_owned(), false);
    get.request_parameters.insert("method.request.header.X-Trace".to_owned(), true);
    get.request_parameters.insert("method.request.path.petId".to_owned(), true);
    get.authorization_type = AuthorizationType::AwsIam;
    pet.methods.insert(any("GET"), get);
    let evil = "x\"; import os #\n*/ alert(1) //\u{2028}";
    resources.grow("/a", &mut id).methods.insert(any("POST"), method(Some(evil)));
    resources.grow("/b", &mut id).methods.insert(any("POST"), method(Some("__proto__")));
    let rest = resources.grow("/{proxy+}", &mut id);
    rest.methods.insert(any("ANY"), method(None));
    rest.methods.insert(any("GET"), method(None));
    Definition { resources, ..Definition::default() }
}

fn client() -> Client {
    let description = "*/ evil \n\"\"\" text";
    Client::new("Pets\n*/", Some(description), &definition(), "http://localhost:8080/prod/", "us-east-1")
}

#[test]
fn every_method_is_there_once() {
    let client = client();
    let mut names: Vec<(&str, &str)> =
        client.operations.iter().map(|operation| (operation.verb, operation.path.as_str())).collect();
    names.sort_unstable();
    let proxied =
        ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"].map(|verb| (verb, "/{proxy+}"));
    let mut expected = vec![("POST", "/a"), ("POST", "/b"), ("GET", "/pets/{petId}")];
    expected.extend(proxied);
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn texts_of_the_api_stay_in_their_literals() {
    for language in Language::ALL {
        let files = generate(&client(), language);
        let module = &files[0].text;
        for line in module.lines() {
            let is_code = !line.trim_start().starts_with(['/', '#']);
            assert!(!(is_code && line.contains("import os")), "{line}");
            assert!(!(is_code && line.contains("alert(1)")), "{line}");
            assert!(!line.contains('\u{2028}'), "{line}");
        }
        assert_eq!(files[1].name, "README.md");
    }
}

#[test]
fn calls_are_written_as_one_would() {
    let javascript = &generate(&client(), Language::JavaScript)[0].text;
    let call = "petsPetIdGet: (params, body, additionalParams) =>\n      call({ verb: \"GET\", path: \"/pets/{petId}\", \
                query: [[\"page size\", false]], headers: [[\"X-Trace\", true]], signed: true }, params, body, additionalParams),";
    assert!(javascript.contains(call), "{javascript}");
    assert!(javascript.contains("__proto__2: (params"), "{javascript}");
    let python = &generate(&client(), Language::Python)[0].text;
    let call = "    def pets_pet_id_get(self, pet_id, *, x_trace, page_size=None, query=None, headers=None):\n        \
                \"GET /pets/{petId}\"\n        path = \"/pets/\" + _encode(pet_id)\n        \
                query = {\"page size\": page_size, **(query or {})}\n        \
                headers = {\"X-Trace\": x_trace, **(headers or {})}\n        \
                return self._caller.call(\"GET\", path, query, headers, None, True)\n";
    assert!(python.contains(call), "{python}");
    assert!(python.contains("path = \"/\" + _encode(proxy, \"/\")"), "{python}");
}

#[test]
fn the_readme_has_the_names_of_the_module() {
    let mut resources = Resources::new("root".to_owned());
    let key = MethodKey::from_word("GET").expect("a verb");
    // All of them are `a-b` to an author, and one identifier to a language.
    for (number, name) in ["a-b", "a b", "then"].into_iter().enumerate() {
        let method = Method { operation_name: Some(name.to_owned()), ..Method::default() };
        resources.grow(&format!("/{number}"), |path| path.to_owned()).methods.insert(key, method);
    }
    let definition = Definition { resources, ..Definition::default() };
    let client = Client::new("t", None, &definition, "http://h", "r");
    for (language, names) in
        [(Language::JavaScript, ["aB", "aB2", "then2"]), (Language::Python, ["a_b", "a_b2", "then"])]
    {
        let files = generate(&client, language);
        for name in names {
            assert!(files[1].text.contains(&format!("| `{name}` |")), "{name}: {}", files[1].text);
            let call =
                if language == Language::Python { format!("def {name}(") } else { format!("{name}: (") };
            assert!(files[0].text.contains(&call), "{name}: {}", files[0].text);
        }
    }
}

#[test]
fn a_zip_has_every_file() {
    let files = generate(&client(), Language::Python);
    let bytes = zip(&files, "python").expect("a zip");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("it opens");
    let names: Vec<String> = (0..archive.len())
        .map(|at| archive.by_index(at).expect("there").name().expect("UTF-8").into_owned())
        .collect();
    assert_eq!(names, ["python/api_client.py", "python/README.md"]);
}
