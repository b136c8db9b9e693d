//! One method: its integration and throttle as a route of the plan.

use context::RouteFacts;
use integration::Kind;
use mapping::Scope;
use model::{Integration, IntegrationResponse, IntegrationType, Method, PassthroughBehavior};
use plan::{
    CallPlan, CallSpec, CompileError, HttpPlan, IntegrationPlan, MockPlan, Passthrough, ResponseSpec,
    ResponsesPlan, RoutePlan, Targets, ThrottlePlan,
};
use throttling::Rate;
use vocabulary::MethodKey;

use crate::api_id::resource_id;
use crate::node::Deployment;

/// Compiles a method; an error names the part of the method and the reason.
pub(crate) fn compile(
    deployment: &Deployment<'_>,
    path: &str,
    key: MethodKey,
    method: &Method,
    timeout_ms_max: u32,
    targets: &mut Targets,
) -> Result<RoutePlan, (String, String)> {
    let path_variables: Vec<String> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_end_matches('+').to_owned())
        .collect();
    let scope = Scope { path_variables: &path_variables, stage_variables: &deployment.stage.variables };
    let integration = compile_integration(method, timeout_ms_max, &scope, targets)
        .map_err(|error| refused(method, &error))?;
    let throttle = method.throttle.or(deployment.stage.throttle).map(|throttle| ThrottlePlan {
        name: format!("{}/{}/{} {path}", deployment.api_id, deployment.stage.name, key.as_str()).into(),
        rate: Rate { rate_per_s: throttle.rate_limit, burst: throttle.burst_limit },
    });
    Ok(RoutePlan {
        facts: RouteFacts {
            resource_path: path.to_owned(),
            resource_id: resource_id(deployment.api_id, path),
            path_variables,
        },
        method: key,
        throttle,
        integration,
    })
}

fn compile_integration(
    method: &Method,
    timeout_ms_max: u32,
    scope: &Scope<'_>,
    targets: &mut Targets,
) -> Result<IntegrationPlan, CompileError> {
    let integration = &method.integration;
    let mut call = |kind| compile_call(kind, integration, timeout_ms_max, scope, targets);
    match integration.kind {
        IntegrationType::HttpProxy => Ok(IntegrationPlan::HttpProxy(call(Kind::HttpProxy)?)),
        IntegrationType::Http => {
            let call = call(Kind::Http)?;
            Ok(IntegrationPlan::Http(HttpPlan {
                call,
                passthrough: passthrough(integration),
                responses: compile_responses(method, scope)?,
            }))
        }
        IntegrationType::Mock => {
            let responses = compile_responses(method, scope)?;
            Ok(IntegrationPlan::Mock(MockPlan::compile(
                &integration.request_templates,
                passthrough(integration),
                responses,
            )?))
        }
    }
}

fn passthrough(integration: &Integration) -> Passthrough {
    match integration.passthrough {
        PassthroughBehavior::WhenNoMatch => Passthrough::WhenNoMatch,
        PassthroughBehavior::WhenNoTemplates => Passthrough::WhenNoTemplates,
        PassthroughBehavior::Never => Passthrough::Never,
    }
}

fn compile_call(
    kind: Kind,
    integration: &Integration,
    timeout_ms_max: u32,
    scope: &Scope<'_>,
    targets: &mut Targets,
) -> Result<CallPlan, CompileError> {
    let spec = CallSpec {
        kind,
        uri: &integration.uri,
        http_method: integration.http_method.as_deref().unwrap_or(""),
        timeout_ms: integration.timeout_ms,
        timeout_ms_max,
        http2: integration.http2,
        insecure_skip_verification: integration.insecure_skip_verification,
        request_parameters: &integration.request_parameters,
    };
    CallPlan::compile(&spec, scope, targets)
}

fn compile_responses(method: &Method, scope: &Scope<'_>) -> Result<ResponsesPlan, CompileError> {
    let specs = method.integration.responses.iter().map(|response| ResponseSpec {
        selection_pattern: response.selection_pattern.clone(),
        status: response.status,
        is_declared: method.responses.contains_key(&response.status),
        parameters: response.response_parameters.clone(),
        templates: response.response_templates.clone(),
    });
    ResponsesPlan::compile(specs.collect(), scope)
}

/// Which part of the method an error is about, and the reason.
fn refused(method: &Method, error: &CompileError) -> (String, String) {
    // The part names a request mapping already.
    let reason = match error {
        CompileError::Parameter { target, error } if is_request(target) => error.to_string(),
        other => other.to_string(),
    };
    (part(method, error), reason)
}

fn part(method: &Method, error: &CompileError) -> String {
    let responses = &method.integration.responses;
    let named = |found: Option<&IntegrationResponse>| {
        let pattern = found.map(|response| response.selection_pattern.as_deref().unwrap_or("default"));
        pattern
            .map_or("integration.responses".to_owned(), |pattern| format!("integration.responses.{pattern}"))
    };
    match error {
        CompileError::Uri(_) => "integration.uri".to_owned(),
        CompileError::HttpMethod(_) => "integration.httpMethod".to_owned(),
        CompileError::Timeout { .. } => "integration.timeoutInMillis".to_owned(),
        CompileError::Parameter { target, .. } if is_request(target) => {
            format!("integration.requestParameters.{target}")
        }
        CompileError::Parameter { target, .. } => {
            named(responses.iter().find(|response| response.response_parameters.contains_key(target)))
        }
        CompileError::Pattern(error) => {
            let wanted = Some(error.pattern.as_str());
            named(responses.iter().find(|response| response.selection_pattern.as_deref() == wanted))
        }
        CompileError::Status(status) => named(responses.iter().find(|response| response.status == *status)),
        CompileError::Headers(_) => "integration.requestParameters".to_owned(),
        CompileError::Template { .. } => "integration.requestTemplates".to_owned(),
    }
}

fn is_request(target: &str) -> bool {
    target.starts_with("integration.request.")
}
