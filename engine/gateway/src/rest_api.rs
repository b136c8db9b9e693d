//! A request to a REST API, step by step in AWS's order.

use codec::h1::Coding;
use context::Exchange;
use integration::coding;
use plan::{CallPlan, IntegrationPlan, Passthrough, RoutePlan, StagePlan};
use vocabulary::id::RequestId;
use vocabulary::{KnownField, Method, Refusal};

use crate::answer::Answer;
use crate::edge::{Call, Edge, RequestBodyPlan};
use crate::link::NodeLink;
use crate::{gateway_response, integration_request, integration_response, unmatched};

/// Answers one request. Refusals are answers too.
pub async fn serve<E: Edge>(edge: &E, node: &NodeLink, exchange: &mut Exchange) -> Answer {
    match run(edge, node, exchange).await {
        Ok(answer) => {
            exchange.status = answer.status;
            answer
        }
        Err(refusal) => gateway_response::refuse(exchange, &refusal),
    }
}

/// Answers a request that can't be taken, before anything is done for it: its stage is found, for its record alone.
pub fn turn_away(node: &NodeLink, exchange: &mut Exchange, refusal: &Refusal) -> Answer {
    accept_request_id(exchange);
    // One without a stage is turned away like any other.
    let _ = resolve_stage(node, exchange);
    gateway_response::refuse(exchange, refusal)
}

async fn run<E: Edge>(edge: &E, node: &NodeLink, exchange: &mut Exchange) -> Result<Answer, Refusal> {
    accept_request_id(exchange);
    let stage = resolve_stage(node, exchange)?;
    let encoded = coding::of_request(&exchange.request)?;
    let route = find_route(stage, exchange)?;
    throttle(edge, node, exchange)?;
    match &route.integration {
        IntegrationPlan::Unserved(what) => {
            Err(Refusal::configuration_error(&format!("this gateway doesn't serve {what} yet")))
        }
        IntegrationPlan::Mock(mock) => integration_response::mock(mock, stage, route, exchange),
        IntegrationPlan::HttpProxy(call) => {
            let method = integration_request::http_proxy(call, stage, route, exchange)?;
            integrate(edge, call, method, encoded, exchange).await?;
            Ok(integration_response::http_proxy(exchange))
        }
        IntegrationPlan::Http(http) => {
            let method = integration_request::http(&http.call, stage, route, exchange)?;
            // Without templates only this behaviour refuses, whatever the media type.
            if http.passthrough == Passthrough::Never {
                return Err(Refusal::unsupported_media_type());
            }
            integrate(edge, &http.call, method, encoded, exchange).await?;
            integration_response::http(http, method, stage, route, exchange)
        }
    }
}

/// A UUID that the client names is the request's id; logs mark the id of a request that named anything else
/// (documented for access logs).
fn accept_request_id(exchange: &mut Exchange) {
    let Some(sent) = exchange.request.find(KnownField::XAmznRequestId) else { return };
    match RequestId::from_text(sent) {
        Some(id) => exchange.request_id = id,
        None => exchange.request_id_replaced = true,
    }
}

/// Host and path to stage, or to its canary: each request draws for itself ("Set up an API Gateway canary release
/// deployment"). Unknown ones are Forbidden, and no gateway response of an API applies.
fn resolve_stage<'a>(node: &'a NodeLink, exchange: &mut Exchange) -> Result<&'a StagePlan, Refusal> {
    let plan = node.plan();
    let found = plan.addresses.resolve(exchange.request.host(), exchange.request.path())?;
    let mut index = found.stage;
    let mut stage = plan.stages.get(index.0 as usize).ok_or_else(Refusal::forbidden)?;
    if let Some(canary) = stage.canary
        && u64::from(exchange.lot) < canary.lots
    {
        index = canary.stage;
        stage = plan.stages.get(index.0 as usize).ok_or_else(Refusal::forbidden)?;
    }
    exchange.stage = Some(index);
    exchange.path_start = u32::try_from(found.path_start).unwrap_or(u32::MAX);
    exchange.path_has_stage = found.path_has_stage;
    Ok(stage)
}

/// Method and raw path to route. A wrong method is answered as a wrong path is: 403, never 404 or 405 (recorded).
fn find_route<'a>(stage: &'a StagePlan, exchange: &mut Exchange) -> Result<&'a RoutePlan, Refusal> {
    exchange.method = match exchange.request.find(KnownField::XHttpMethodOverride) {
        Some(method) => Method::from_bytes(method),
        None => exchange.request.method(),
    };
    let mut parameters = std::mem::take(&mut exchange.path_parameters);
    let found = stage.router.find(exchange.method, exchange.routed_path(), &mut parameters);
    exchange.path_parameters = parameters;
    let index = found.ok_or_else(|| unmatched::refusal(&exchange.request))?;
    let route = stage.routes.get(index.0 as usize).ok_or_else(|| unmatched::refusal(&exchange.request))?;
    exchange.route = Some(index);
    Ok(route)
}

/// Takes a token from the method's bucket.
fn throttle<E: Edge>(edge: &E, node: &NodeLink, exchange: &Exchange) -> Result<(), Refusal> {
    let Some((stage, route)) = exchange.stage.zip(exchange.route) else { return Ok(()) };
    match node.bucket(stage, route) {
        Some(bucket) if !bucket.try_take(edge.now_ns()) => Err(Refusal::throttled()),
        _ => Ok(()),
    }
}

/// Calls the backend; its head is in `exchange.inbound` afterwards.
async fn integrate<E: Edge>(
    edge: &E,
    plan: &CallPlan,
    method: Method,
    encoded: Option<Coding>,
    exchange: &mut Exchange,
) -> Result<(), Refusal> {
    let request_body = match encoded {
        _ if !integration::http::carries_body(method) => RequestBodyPlan::Drop,
        Some(coding) => RequestBodyPlan::Inflate(coding),
        None => RequestBodyPlan::Relay,
    };
    let sent_ns = edge.now_ns();
    let call = Call { method, timeout_ms: plan.timeout_ms, request_body };
    let outcome = edge.send(plan.target, exchange, call).await;
    exchange.integration_latency_ns = Some(edge.now_ns().saturating_sub(sent_ns));
    let inbound = outcome?;
    exchange.integration_status = Some(inbound.head.status());
    exchange.inbound = Some(inbound.head);
    Ok(())
}
