//! `Authorizer`
//!
//! AWS: API reference, "CreateAuthorizer", "UpdateAuthorizer" and their like; shapes and texts are recorded.

use model::authorizer::RESULT_TTL_S;
use model::{Authorizer, AuthorizerType, Definition, JwtConfiguration};
use vocabulary::limits::AUTHORIZERS;

use crate::call::{Call, Reply};
use crate::error::{Constraints, Error};
use crate::json::{self, Object};
use crate::operation::Operation;
use crate::page;
use crate::patch::{self, Op, Patch};

const MANY: &str = "/restapis/{restapi_id}/authorizers";
const ONE: &str = "/restapis/{restapi_id}/authorizers/{authorizer_id}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateAuthorizer", "POST", MANY, create),
    Operation::new("GetAuthorizers", "GET", MANY, get_all),
    Operation::new("GetAuthorizer", "GET", ONE, get),
    Operation::new("UpdateAuthorizer", "PATCH", ONE, update),
    Operation::new("DeleteAuthorizer", "DELETE", ONE, delete),
    Operation::new("TestInvokeAuthorizer", "POST", ONE, test_invoke),
];

/// An authorizer as it is shown.
fn show(id: &str, authorizer: &Authorizer) -> Object {
    let jwt = authorizer.jwt_configuration.as_ref().map(|jwt| {
        Object::new().some("issuer", jwt.issuer.as_deref()).filled("audience", json::list(&jwt.audience))
    });
    Object::new()
        .with("id", id)
        .with("name", authorizer.name.as_str())
        .with("type", authorizer.kind.as_str())
        .filled("providerARNs", json::list(&authorizer.provider_arns))
        .some("authType", authorizer.auth_type.as_deref())
        .some("authorizerUri", authorizer.authorizer_uri.as_deref())
        .some("authorizerCredentials", authorizer.authorizer_credentials.as_deref())
        .some("identitySource", authorizer.identity_source.as_deref())
        .some("identityValidationExpression", authorizer.identity_validation_expression.as_deref())
        .some("authorizerResultTtlInSeconds", authorizer.authorizer_result_ttl_in_seconds)
        .some("jwtConfiguration", jwt)
}

fn unknown() -> Error {
    Error::not_found("Invalid Authorizer identifier specified")
}

fn is_function(kind: AuthorizerType) -> bool {
    matches!(kind, AuthorizerType::Token | AuthorizerType::Request)
}

/// `authType` where none is given (recorded).
fn auth_type(kind: AuthorizerType) -> &'static str {
    match kind {
        AuthorizerType::Token | AuthorizerType::Request => "custom",
        AuthorizerType::CognitoUserPools => "cognito_user_pools",
        AuthorizerType::Jwt => "jwt",
    }
}

fn create(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let mut constraints = Constraints::default();
    let name = input.required("name", &mut constraints)?;
    let words: Vec<&str> = AuthorizerType::ALL.iter().map(|kind| kind.as_str()).collect();
    let kind = input.word("type", AuthorizerType::from_word, &words, &mut constraints)?;
    if input.get("type").is_none() {
        constraints.fail("null", &input.path_of("type"), "Member must not be null");
    }
    constraints.finish()?;
    let kind = kind.unwrap_or(AuthorizerType::Token);
    // An unknown API isn't told as one here (recorded).
    let api = call.api().map_err(|_| {
        Error::conflict(
            "Unable to complete operation due to concurrent modification. Please try again later.",
        )
    })?;
    let mut definition = (*api.definition).clone();
    if definition.authorizers.len() >= AUTHORIZERS {
        return Err(Error::limit_exceeded(
            "Maximum number of Authorizers for this API has been reached. Please contact AWS if you need additional \
             Authorizers.",
        ));
    }
    let ttl = input.integer("authorizerResultTtlInSeconds")?.map(result_ttl).transpose()?;
    let jwt_configuration = match input.object("jwtConfiguration")? {
        Some(jwt) => {
            let audience = jwt.strings("audience")?.unwrap_or_default();
            Some(JwtConfiguration { issuer: jwt.string("issuer")?, audience })
        }
        None => None,
    };
    let authorizer = Authorizer {
        name,
        kind,
        provider_arns: input.strings("providerARNs")?.unwrap_or_default(),
        auth_type: Some(input.string("authType")?.unwrap_or_else(|| auth_type(kind).to_owned())),
        authorizer_uri: input.string("authorizerUri")?,
        authorizer_credentials: input.string("authorizerCredentials")?,
        identity_source: input.string("identitySource")?,
        identity_validation_expression: input.string("identityValidationExpression")?,
        authorizer_result_ttl_in_seconds: ttl.or(is_function(kind).then_some(RESULT_TTL_S)),
        jwt_configuration,
    };
    let id = call.new_id(6, |id| definition.authorizers.contains_key(id));
    check(&definition, &id, &authorizer)?;
    let shown = show(&id, &authorizer);
    definition.authorizers.insert(id, authorizer);
    call.put_definition(definition)?;
    Ok(Reply::created(shown))
}

fn result_ttl(seconds: i64) -> Result<u32, Error> {
    let fits = u32::try_from(seconds).ok().filter(|seconds| *seconds <= 3_600);
    fits.ok_or_else(|| Error::bad_request("Authorizer result TTL must be between 0 and 3600 seconds"))
}

fn check(definition: &Definition, id: &str, authorizer: &Authorizer) -> Result<(), Error> {
    let mut others = definition.authorizers.iter().filter(|(known, _)| *known != id);
    if others.any(|(_, other)| other.name == authorizer.name) {
        return Err(Error::bad_request(format!(
            "Authorizer name must be unique. Authorizer {} already exists in this RestApi.",
            authorizer.name
        )));
    }
    match authorizer.kind {
        AuthorizerType::Token | AuthorizerType::Request => {
            let uri = authorizer.authorizer_uri.as_deref().unwrap_or("null");
            if !(uri.starts_with("arn:") && uri.contains(":lambda:path/")) {
                return Err(Error::bad_request(format!(
                    "Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that represents a \
                     Lambda function invocation."
                )));
            }
        }
        AuthorizerType::CognitoUserPools if authorizer.provider_arns.is_empty() => {
            return Err(Error::bad_request(
                "At least one provider ARN must be specified for COGNITO_USER_POOLS",
            ));
        }
        AuthorizerType::Jwt
            if authorizer.jwt_configuration.as_ref().is_none_or(|jwt| jwt.issuer.is_none()) =>
        {
            return Err(Error::bad_request("An issuer must be specified for JWT authorizers"));
        }
        AuthorizerType::CognitoUserPools | AuthorizerType::Jwt => {}
    }
    let is_cached = authorizer.authorizer_result_ttl_in_seconds.is_some_and(|ttl| ttl > 0);
    let has_source = authorizer.identity_source.as_deref().is_some_and(|source| !source.is_empty());
    if authorizer.kind == AuthorizerType::Request && is_cached && !has_source {
        return Err(Error::bad_request(
            "An identity source must be specified for REQUEST authorizers when authorization caching is enabled",
        ));
    }
    Ok(())
}

fn find<'a>(call: &Call<'a>) -> Result<&'a Authorizer, Error> {
    call.api()?.definition.authorizers.get(call.label("authorizer_id")).ok_or_else(unknown)
}

fn get(call: &mut Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::ok(show(call.label("authorizer_id"), find(call)?)))
}

fn get_all(call: &mut Call<'_>) -> Result<Reply, Error> {
    let items = call.api()?.definition.authorizers.iter().map(|(id, one)| (id.clone(), (id, one))).collect();
    Ok(Reply::ok(page::page(&call.query, items, |(id, one)| show(id, one).into())?))
}

fn update(call: &mut Call<'_>) -> Result<Reply, Error> {
    let mut authorizer = find(call)?.clone();
    for patch in patch::read(call)? {
        apply(&mut authorizer, &patch)?;
    }
    let id = call.label("authorizer_id").to_owned();
    let mut definition = (*call.api()?.definition).clone();
    check(&definition, &id, &authorizer)?;
    let shown = show(&id, &authorizer);
    definition.authorizers.insert(id, authorizer);
    call.put_definition(definition)?;
    Ok(Reply::ok(shown))
}

fn apply(authorizer: &mut Authorizer, patch: &Patch) -> Result<(), Error> {
    match patch.path() {
        "/identitySource" => {
            patch.only(&[Op::Add, Op::Replace, Op::Remove])?;
            authorizer.identity_source = if patch.op == Op::Remove { None } else { patch.filled() };
            return Ok(());
        }
        "/providerARNs" => {
            patch.only(&[Op::Add, Op::Remove])?;
            let arn = patch.text();
            authorizer.provider_arns.retain(|known| *known != arn);
            if patch.op == Op::Add {
                authorizer.provider_arns.push(arn);
            }
            return Ok(());
        }
        "/authorizerUri"
        | "/authorizerCredentials"
        | "/authorizerResultTtlInSeconds"
        | "/authType"
        | "/identityValidationExpression"
        | "/name"
        | "/type" => patch.only(&[Op::Replace])?,
        _ => return Err(patch::no_path(patch)),
    }
    match patch.path() {
        "/authorizerUri" => authorizer.authorizer_uri = patch.filled(),
        "/authorizerCredentials" => authorizer.authorizer_credentials = patch.filled(),
        "/authorizerResultTtlInSeconds" => {
            let ttl = result_ttl(patch.text().parse().unwrap_or(-1))?;
            authorizer.authorizer_result_ttl_in_seconds = Some(ttl);
        }
        "/authType" => authorizer.auth_type = patch.filled(),
        "/identityValidationExpression" => authorizer.identity_validation_expression = patch.filled(),
        "/name" => authorizer.name = patch.text(),
        _ => {
            let wrong = || Error::bad_request(format!("Invalid authorizer type specified: {}", patch.text()));
            authorizer.kind = AuthorizerType::from_word(&patch.text()).ok_or_else(wrong)?;
        }
    }
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, Error> {
    find(call)?;
    let mut definition = (*call.api()?.definition).clone();
    // Methods that name it stay guarded by what is gone: they answer an error rather than everybody.
    definition.authorizers.remove(call.label("authorizer_id"));
    call.put_definition(definition)?;
    Ok(Reply::accepted())
}

fn test_invoke(call: &mut Call<'_>) -> Result<Reply, Error> {
    find(call)?;
    Err(Error::bad_request("TestInvokeAuthorizer is not supported yet"))
}
