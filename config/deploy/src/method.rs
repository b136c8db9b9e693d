//! One method: its integration and throttle as a route of the plan.

use context::RouteFacts;
use integration::Kind;
use mapping::Scope;
use model::{
    AuthorizationType, ConnectionType, Integration, IntegrationResponse, IntegrationType, Method,
    PassthroughBehavior,
};
use plan::{
    CallPlan, CallSpec, CompileError, HttpPlan, IntegrationPlan, MockPlan, Passthrough, ResponseSpec,
    ResponsesPlan, RoutePlan, Targets, ThrottlePlan,
};
use throttling::Rate;
use vocabulary::MethodKey;

use crate::api_id;
use crate::node::Deployment;

/// What CreateDeployment says of a method without an integration.
pub(crate) const NO_INTEGRATION: &str = "No integration defined for method";

/// Compiles a method; an error names the part of the method and the reason.
pub(crate) fn compile(
    deployment: &Deployment<'_>,
    path: &str,
    resource_id: &str,
    (key, method): (MethodKey, &Method),
    timeout_ms_max: u32,
    targets: &mut Targets,
) -> Result<RoutePlan, (String, String)> {
    let path_variables: Vec<String> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_end_matches('+').to_owned())
        .collect();
    let resource_id = match resource_id {
        "" => api_id::resource_id(deployment.api_id, path),
        id => id.to_owned(),
    };
    let scope = Scope { path_variables: &path_variables, stage_variables: deployment.stage.variables() };
    let integration =
        method.integration.as_ref().ok_or_else(|| (String::new(), NO_INTEGRATION.to_owned()))?;
    // Who may call at all is decided before anything else: without that decision nobody may.
    let is_guarded = deployment.definition.policy.as_deref().is_some_and(|policy| !policy.is_empty());
    let compiled = match is_guarded {
        true => Ok(IntegrationPlan::Unserved("resource policies".to_owned())),
        false => compile_integration(method, integration, timeout_ms_max, &scope, targets),
    };
    let integration = match compiled {
        Ok(integration) => integration,
        Err(CompileError::Template { .. }) => {
            IntegrationPlan::Unserved("a mapping template with directives or references".to_owned())
        }
        Err(CompileError::Uri(why)) if deployment.late_variables && has_variables(integration) => {
            IntegrationPlan::Unserved(format!("an integration without its stage variables ({why})"))
        }
        Err(error) => return Err(refused(integration, &error)),
    };
    let throttle =
        method.throttle.or_else(|| deployment.stage.throttle(path, key.as_str())).map(|throttle| {
            ThrottlePlan {
                name: format!(
                    "{}/{}/{} {path}",
                    deployment.api_id,
                    deployment.stage.stage_name,
                    key.as_str()
                )
                .into(),
                rate: Rate { rate_per_s: throttle.rate_limit, burst: throttle.burst_limit },
            }
        });
    Ok(RoutePlan {
        facts: RouteFacts { resource_path: path.to_owned(), resource_id, path_variables },
        method: key,
        throttle,
        integration,
    })
}

fn compile_integration(
    method: &Method,
    integration: &Integration,
    timeout_ms_max: u32,
    scope: &Scope<'_>,
    targets: &mut Targets,
) -> Result<IntegrationPlan, CompileError> {
    if let Some(reason) = unserved(method, integration) {
        return Ok(IntegrationPlan::Unserved(reason));
    }
    let mut call = |kind| compile_call(kind, integration, timeout_ms_max, scope, targets);
    match integration.kind {
        IntegrationType::HttpProxy => Ok(IntegrationPlan::HttpProxy(call(Kind::HttpProxy)?)),
        IntegrationType::Http => {
            let call = call(Kind::Http)?;
            Ok(IntegrationPlan::Http(HttpPlan {
                call,
                passthrough: passthrough(integration),
                responses: compile_responses(method, integration, scope)?,
            }))
        }
        IntegrationType::Mock => {
            let responses = compile_responses(method, integration, scope)?;
            Ok(IntegrationPlan::Mock(MockPlan::compile(
                &integration.request_templates.clone().into_iter().collect(),
                passthrough(integration),
                responses,
            )?))
        }
        IntegrationType::Aws | IntegrationType::AwsProxy => {
            Ok(IntegrationPlan::Unserved(format!("an integration of type {}", integration.kind)))
        }
    }
}

fn has_variables(integration: &Integration) -> bool {
    integration.uri.as_deref().is_some_and(|uri| uri.contains("${stageVariables."))
}

/// What of a method this gateway can't do yet. Such a method answers 500 rather than without what guards it.
fn unserved(method: &Method, integration: &Integration) -> Option<String> {
    if method.authorization_type != AuthorizationType::None {
        return Some(format!("authorization of type {}", method.authorization_type));
    }
    if method.api_key_required {
        return Some("API keys".to_owned());
    }
    if integration.connection_type == Some(ConnectionType::VpcLink) {
        return Some("a VPC link".to_owned());
    }
    if integration.kind == IntegrationType::Http && !integration.request_templates.is_empty() {
        return Some("a request template of an HTTP integration".to_owned());
    }
    let converts = |response: &IntegrationResponse| response.content_handling.is_some();
    let converts = integration.content_handling.is_some() || integration.responses.iter().any(converts);
    converts.then(|| "contentHandling".to_owned())
}

fn passthrough(integration: &Integration) -> Passthrough {
    match integration.passthrough_behavior {
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
        uri: integration.uri.as_deref().unwrap_or(""),
        http_method: integration.http_method.as_deref().unwrap_or(""),
        timeout_ms: integration.timeout_in_millis,
        timeout_ms_max,
        http2: integration.http2,
        insecure_skip_verification: integration.insecure_skip_verification.unwrap_or(false),
        request_parameters: &integration.request_parameters,
    };
    CallPlan::compile(&spec, scope, targets)
}

fn compile_responses(
    method: &Method,
    integration: &Integration,
    scope: &Scope<'_>,
) -> Result<ResponsesPlan, CompileError> {
    let specs = integration.responses.iter().map(|response| ResponseSpec {
        selection_pattern: response.selection_pattern.clone(),
        status: response.status_code,
        is_declared: method.responses.contains_key(&response.status_code),
        parameters: response.response_parameters.clone(),
        templates: response.response_templates.clone().into_iter().collect(),
    });
    ResponsesPlan::compile(specs.collect(), scope)
}

/// Which part of the method an error is about, and the reason.
fn refused(integration: &Integration, error: &CompileError) -> (String, String) {
    // The part names a request mapping already.
    let reason = match error {
        CompileError::Parameter { target, error } if is_request(target) => error.to_string(),
        other => other.to_string(),
    };
    (part(integration, error), reason)
}

fn part(integration: &Integration, error: &CompileError) -> String {
    let responses = &integration.responses;
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
        CompileError::Status(status) => {
            named(responses.iter().find(|response| response.status_code == *status))
        }
        CompileError::Headers(_) => "integration.requestParameters".to_owned(),
        CompileError::Template { .. } => "integration.requestTemplates".to_owned(),
    }
}

fn is_request(target: &str) -> bool {
    target.starts_with("integration.request.")
}
