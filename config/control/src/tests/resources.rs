//! Resource: shapes, texts, patches (control-plane specification, sections 1.2, 4.1, 5 and 6.2).

use serde_json::{Value, json};

use super::Plane;

fn child(plane: &mut Plane, api: &str, parent: &str, part: &str) -> String {
    let resource =
        plane.ok("POST", &format!("/restapis/{api}/resources/{parent}"), json!({"pathPart": part}));
    resource["id"].as_str().expect("id").to_owned()
}

#[test]
fn a_tree_grows_and_is_shown() {
    let mut plane = Plane::new();
    let (api, root) = plane.api();
    let resources = format!("/restapis/{api}/resources");
    let pets = plane.ok("POST", &format!("{resources}/{root}"), json!({"pathPart": "pets"}));
    let id = pets["id"].as_str().expect("id").to_owned();
    assert_eq!(pets, json!({"id": id, "parentId": root, "pathPart": "pets", "path": "/pets"}));
    let list = plane.ok("GET", &resources, Value::Null);
    assert_eq!(list, json!({"item": [{"id": root, "path": "/"}, pets]}));
    plane.ok("PUT", &format!("{resources}/{id}/methods/GET"), json!({"authorizationType": "NONE"}));
    let shown = plane.ok("GET", &format!("{resources}/{id}"), Value::Null);
    assert_eq!(shown["resourceMethods"], json!({"GET": {}}));
    let shown = plane.ok("GET", &format!("{resources}/{id}?embed=methods"), Value::Null);
    let method = json!({"httpMethod": "GET", "authorizationType": "NONE", "apiKeyRequired": false});
    assert_eq!(shown["resourceMethods"], json!({"GET": method}));
    let deleted = plane.call("DELETE", &format!("{resources}/{id}"), Value::Null);
    assert_eq!((deleted.status, deleted.body), (202, Value::Null));
}

#[test]
fn wrong_places_are_told_in_recorded_words() {
    let mut plane = Plane::new();
    let (api, root) = plane.api();
    let proxy = child(&mut plane, &api, &root, "{proxy+}");
    child(&mut plane, &api, &root, "pets");
    for (parent, part, status, message) in [
        ("nope", "a", 404, "Invalid Resource identifier specified".to_owned()),
        (&*root, "pets", 409, "Another resource with the same parent already has this name: pets".to_owned()),
        (
            &*root,
            "{x}",
            400,
            "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed".to_owned(),
        ),
        (&*proxy, "a", 400, "Cannot create a child of a resource with a greedy path variable: {proxy+}".to_owned()),
        (
            &*root,
            "a/b",
            400,
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the \
             beginning and the end."
                .to_owned(),
        ),
    ] {
        let answer =
            plane.call("POST", &format!("/restapis/{api}/resources/{parent}"), json!({"pathPart": part}));
        assert_eq!((answer.status, answer.message()), (status, &*message), "{part}");
    }
}

#[test]
fn patches_move_whole_subtrees() {
    let mut plane = Plane::new();
    let (api, root) = plane.api();
    let pets = child(&mut plane, &api, &root, "pets");
    let toys = child(&mut plane, &api, &pets, "toys");
    let (pets_at, toys_at) =
        (format!("/restapis/{api}/resources/{pets}"), format!("/restapis/{api}/resources/{toys}"));
    assert_eq!(plane.patch(&pets_at, &[("replace", "/pathPart", "animals")]).body["path"], "/animals");
    assert_eq!(plane.ok("GET", &toys_at, Value::Null)["path"], "/animals/toys");
    let cycle = plane.patch(&pets_at, &[("replace", "/parentId", &toys)]);
    assert_eq!((cycle.status, cycle.message()), (400, "Resources cannot be cyclical."));
    assert_eq!(plane.patch(&toys_at, &[("replace", "/parentId", &root)]).body["path"], "/toys");
    for (op, path, message) in [
        (
            "replace",
            "/x",
            "Invalid patch path  '/x' specified for op 'replace'. Must be one of: [/parentId, /pathPart]",
        ),
        (
            "add",
            "/pathPart",
            "Invalid patch path  '/pathPart' specified for op 'add'. Please choose supported operations",
        ),
    ] {
        assert_eq!(plane.patch(&toys_at, &[(op, path, "y")]).message(), message);
    }
    let root_at = format!("/restapis/{api}/resources/{root}");
    assert_eq!(
        plane.patch(&root_at, &[("replace", "/pathPart", "x")]).message(),
        "Root resource cannot update its pathPart."
    );
    assert_eq!(
        plane.patch(&root_at, &[("replace", "/parentId", &toys)]).message(),
        "Root resource cannot update its parentId."
    );
}
