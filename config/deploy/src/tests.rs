//! Models and the plans, or errors, they compile to.

use std::collections::BTreeMap;

use model::{
    Entity, Integration, IntegrationResponse, IntegrationType, Method, MethodResponse, PassthroughBehavior,
    Resource, RestApi, Stage, Throttle,
};
use plan::{IntegrationPlan, Target};
use vocabulary::MethodKey;

use super::*;

fn method(kind: IntegrationType, uri: &str) -> Method {
    Method {
        operation_name: None,
        request_parameters: BTreeMap::new(),
        integration: Integration {
            kind,
            http_method: Some("GET".to_owned()),
            uri: uri.to_owned(),
            timeout_ms: 29_000,
            insecure_skip_verification: false,
            http2: false,
            passthrough: PassthroughBehavior::WhenNoMatch,
            request_parameters: BTreeMap::new(),
            request_templates: BTreeMap::from([(
                "application/json".to_owned(),
                "{\"statusCode\": 200}".to_owned(),
            )]),
            responses: vec![IntegrationResponse {
                selection_pattern: None,
                status: 200,
                response_parameters: BTreeMap::new(),
                response_templates: Vec::new(),
            }],
        },
        responses: BTreeMap::from([(200, MethodResponse::default())]),
        throttle: None,
    }
}

fn api(routes: &[(&str, Method)]) -> RestApi {
    let resource = |method: &Method| Resource { methods: BTreeMap::from([(MethodKey::Any, method.clone())]) };
    RestApi {
        name: "a".to_owned(),
        resources: routes.iter().map(|(path, method)| ((*path).to_owned(), resource(method))).collect(),
        ..RestApi::default()
    }
}

fn stage() -> Stage {
    Stage {
        name: "prod".to_owned(),
        variables: BTreeMap::from([("host".to_owned(), "127.0.0.1:9".to_owned())]),
        throttle: Some(Throttle { rate_limit: 5.0, burst_limit: 7 }),
    }
}

#[test]
fn targets_are_shared_and_buckets_are_per_method() {
    let api = api(&[
        ("/a", method(IntegrationType::HttpProxy, "http://${stageVariables.host}/a")),
        ("/b/{id}", method(IntegrationType::HttpProxy, "http://127.0.0.1:9/b")),
        ("/c", method(IntegrationType::HttpProxy, "http+unix://%2Frun%2Fapp.sock/c")),
        ("/m", method(IntegrationType::Mock, "")),
    ]);
    let (stage, node) = (stage(), NodeSettings { catch_all: true, ..NodeSettings::default() });
    let plan = compile(&[Deployment { api: &api, stage: &stage, api_id: "abc" }], &node).expect("plan");
    assert_eq!(plan.targets.len(), 2);
    assert!(matches!(&plan.targets[1], Target::Unix { path, .. } if &**path == "/run/app.sock"));
    let routes = &plan.stages[0].routes;
    assert_eq!(routes.len(), 4);
    assert_eq!(routes[1].throttle.as_ref().map(|throttle| &*throttle.name), Some("abc/prod/ANY /b/{id}"));
    assert_eq!(routes[1].facts.path_variables, ["id"]);
    assert!(matches!(routes[3].integration, IntegrationPlan::Mock(_)));
    assert!(plan.addresses.resolve(b"any", b"/a").is_ok());
}

#[test]
fn errors_name_their_entity() {
    let bad_uri = api(&[("/a", method(IntegrationType::HttpProxy, "http://{host}/a"))]);
    let clash =
        api(&[("/{x}", method(IntegrationType::Mock, "")), ("/{y}/z", method(IntegrationType::Mock, ""))]);
    let (stage, node) = (stage(), NodeSettings::default());
    let errors = compile(
        &[
            Deployment { api: &bad_uri, stage: &stage, api_id: "abc" },
            Deployment { api: &clash, stage: &stage, api_id: "ABC" },
        ],
        &node,
    )
    .expect_err("errors");
    let entities: Vec<(usize, String)> =
        errors.iter().map(|error| (error.deployment, error.entity.to_string())).collect();
    assert_eq!(errors[0].entity, Entity::new("/a", MethodKey::Any, "integration.uri"));
    assert!(entities.contains(&(1, "ANY /".to_owned())), "{entities:?}");
    assert!(errors.iter().any(|error| error.message.starts_with("A sibling ({x})")), "{errors:?}");
}

#[test]
fn ids_are_stable() {
    assert_eq!(stable_id("config/examples/petstore.yaml"), stable_id("config/examples/petstore.yaml"));
    assert_ne!(stable_id("a"), stable_id("b"));
    assert!(stable_id("x").starts_with(|c: char| c.is_ascii_lowercase()) && stable_id("x").len() == 10);
    assert_eq!(resource_id("abc", "/").len(), 6);
}
