//! Models and the plans, or errors, they compile to.

use std::collections::BTreeMap;

use model::{
    AuthorizationType, CanarySettings, Definition, Entity, Integration, IntegrationResponse, IntegrationType,
    Method, MethodResponse, Stage, Throttle,
};
use plan::{IntegrationPlan, Target};
use vocabulary::MethodKey;

use super::*;

fn method(kind: IntegrationType, uri: &str) -> Method {
    let integration = Integration {
        http_method: Some("GET".to_owned()),
        uri: Some(uri.to_owned()),
        request_templates: [("application/json".to_owned(), "{\"statusCode\": 200}".to_owned())].into(),
        responses: vec![IntegrationResponse { status_code: 200, ..IntegrationResponse::default() }],
        ..Integration::new(kind)
    };
    Method {
        integration: Some(integration),
        responses: BTreeMap::from([(200, MethodResponse::default())]),
        ..Method::default()
    }
}

fn definition(routes: &[(&str, Method)]) -> Definition {
    let mut definition = Definition::default();
    for (path, method) in routes {
        let resource = definition.resources.grow(path, |_| String::new());
        resource.methods = BTreeMap::from([(MethodKey::Any, method.clone())]);
    }
    definition
}

fn stage() -> Stage {
    let throttle = Throttle { rate_limit: 5.0, burst_limit: 7 };
    Stage {
        stage_name: "prod".to_owned(),
        variables: Some(BTreeMap::from([("host".to_owned(), "127.0.0.1:9".to_owned())])),
        method_settings: BTreeMap::from([("*/*".to_owned(), throttle.into())]),
        ..Stage::default()
    }
}

fn deployment<'a>(api_id: &'a str, definition: &'a Definition, stage: &'a Stage) -> Deployment<'a> {
    Deployment { api_id, api_name: "a", definition, stage, late_variables: false, canary: None }
}

#[test]
fn targets_are_shared_and_buckets_are_per_method() {
    let definition = definition(&[
        ("/a", method(IntegrationType::HttpProxy, "http://${stageVariables.host}/a")),
        ("/b/{id}", method(IntegrationType::HttpProxy, "http://127.0.0.1:9/b")),
        ("/c", method(IntegrationType::HttpProxy, "http+unix://%2Frun%2Fapp.sock/c")),
        ("/m", method(IntegrationType::Mock, "")),
    ]);
    let (stage, node) = (stage(), NodeSettings { catch_all: true, ..NodeSettings::default() });
    let plan = compile(&[deployment("abc", &definition, &stage)], &node).expect("plan");
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
    let bad_uri = definition(&[("/a", method(IntegrationType::HttpProxy, "http://{host}/a"))]);
    let clash = definition(&[
        ("/{x}", method(IntegrationType::Mock, "")),
        ("/{y}/z", method(IntegrationType::Mock, "")),
    ]);
    let (stage, node) = (stage(), NodeSettings::default());
    let errors = compile(&[deployment("abc", &bad_uri, &stage), deployment("ABC", &clash, &stage)], &node)
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

#[test]
fn what_cannot_be_served_yet_is_never_served_unguarded() {
    let guarded = Method {
        authorization_type: AuthorizationType::AwsIam,
        ..method(IntegrationType::HttpProxy, "http://127.0.0.1:9/a")
    };
    let keyed = Method { api_key_required: true, ..method(IntegrationType::Mock, "") };
    let lambda = method(IntegrationType::AwsProxy, "arn:aws:apigateway:r:lambda:path/f");
    let definition = definition(&[("/a", guarded), ("/b", keyed), ("/c", lambda)]);
    let stage = stage();
    let plan = compile(&[deployment("abc", &definition, &stage)], &NodeSettings::default()).expect("plan");
    for route in &plan.stages[0].routes {
        assert!(matches!(route.integration, IntegrationPlan::Unserved(_)), "{}", route.facts.resource_path);
    }
}

#[test]
fn an_api_with_a_resource_policy_is_closed_until_policies_are_judged() {
    let mut definition = definition(&[("/a", method(IntegrationType::Mock, ""))]);
    let stage = stage();
    let unserved = |definition: &Definition| {
        let plan = compile(&[deployment("abc", definition, &stage)], &NodeSettings::default()).expect("plan");
        matches!(plan.stages[0].routes[0].integration, IntegrationPlan::Unserved(_))
    };
    assert!(!unserved(&definition));
    definition.policy = Some("{}".to_owned());
    assert!(unserved(&definition));
    definition.policy = Some(String::new());
    assert!(!unserved(&definition));
}

#[test]
fn unset_variables_fail_now_or_at_run_time() {
    let uri = "http://${stageVariables.unset}/a";
    let definition = definition(&[("/a", method(IntegrationType::HttpProxy, uri))]);
    let stage = stage();
    let now = deployment("abc", &definition, &stage);
    assert!(compile(&[now], &NodeSettings::default()).is_err());
    let late = Deployment { late_variables: true, ..now };
    let plan = compile(&[late], &NodeSettings::default()).expect("plan");
    assert!(matches!(plan.stages[0].routes[0].integration, IntegrationPlan::Unserved(_)));
}

#[test]
fn a_canary_is_a_stage_that_no_address_leads_to() {
    let of = |uri| definition(&[("/a", method(IntegrationType::HttpProxy, uri))]);
    let (base, other) = (of("http://${stageVariables.host}/a"), of("http://${stageVariables.host}/b"));
    let stage = stage();
    let settings = CanarySettings {
        deployment_id: "new".to_owned(),
        percent_traffic: 25.0,
        stage_variable_overrides: Some(BTreeMap::from([("host".to_owned(), "127.0.0.1:10".to_owned())])),
        ..CanarySettings::default()
    };
    let deployments = [
        Deployment { canary: Some((&settings, &other)), ..deployment("abc", &base, &stage) },
        deployment("def", &base, &stage),
    ];
    let plan = compile(&deployments, &NodeSettings::default()).expect("plan");
    let facts: Vec<_> =
        plan.stages.iter().map(|stage| (&*stage.facts.api_id, stage.facts.is_canary)).collect();
    assert_eq!(facts, [("abc", Some(false)), ("abc", Some(true)), ("def", None)]);
    let canary = plan.stages[0].canary.expect("canary");
    assert_eq!((canary.stage.0, canary.lots), (1, 1 << 30));
    assert_eq!((&*plan.stages[1].facts.deployment_id, plan.targets.len()), ("new", 2));
    let buckets: Vec<_> = plan.stages[..2].iter().map(|stage| &stage.routes[0].throttle).collect();
    assert_eq!(buckets[0], buckets[1]);
    let found = plan.addresses.resolve(b"def.execute-api.localhost", b"/prod/a").expect("found");
    assert_eq!(found.stage.0, 2);
}

#[test]
fn a_disabled_default_endpoint_has_no_address() {
    let mut definition = definition(&[("/a", method(IntegrationType::Mock, ""))]);
    definition.disable_execute_api_endpoint = true;
    let stage = stage();
    let plan = compile(&[deployment("abc", &definition, &stage)], &NodeSettings::default()).expect("plan");
    assert!(plan.addresses.resolve(b"abc.execute-api.localhost", b"/prod/a").is_err());
}

#[test]
fn a_method_without_an_integration_is_refused_in_aws_words() {
    let definition = definition(&[("/a", Method::default())]);
    let stage = stage();
    let errors =
        compile(&[deployment("abc", &definition, &stage)], &NodeSettings::default()).expect_err("refused");
    assert_eq!(errors[0].message, "No integration defined for method");
    assert_eq!(errors[0].entity, Entity::new("/a", MethodKey::Any, ""));
}
