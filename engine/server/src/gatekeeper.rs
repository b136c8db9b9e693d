//! Who may make calls of the control plane: signatures against the file of identities, and what its policies allow.
//!
//! AWS: "Control access to a REST API with IAM permissions" (managing APIs); "Actions, resources, and condition keys for
//! API Gateway Management".

use std::io::Read;

use access::{Context, Decision, Identities, Refusal, decide, sigv4};
use settings::{ControlAuth, Settings};
use workers::Call;

use crate::trouble::Trouble;

/// Bytes of the file of identities.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// What is asked of callers.
pub(crate) struct Gatekeeper {
    /// `None` where nothing is asked.
    identities: Option<Identities>,
}

impl Gatekeeper {
    /// Reads the identities, if signatures are wanted.
    ///
    /// # Errors
    /// The file can't be read, or what it says is wrong.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Trouble> {
        let identities = match settings.control_auth {
            ControlAuth::Off => None,
            ControlAuth::Iam => Some(read(settings)?),
        };
        Ok(Gatekeeper { identities })
    }

    /// Reads the identities again; what is wrong with them is told, and those known go on.
    pub(crate) fn renew(&mut self, settings: &Settings) {
        if self.identities.is_none() {
            return;
        }
        match read(settings) {
            Ok(identities) => {
                self.identities = Some(identities);
                eprintln!("identities renewed");
            }
            Err(trouble) => {
                crate::report::plain(&trouble.message, trouble.help.as_deref());
                eprintln!("identities not renewed: the old ones go on");
            }
        }
    }

    /// Whether signatures are wanted.
    pub(crate) fn is_there(&self) -> bool {
        self.identities.is_some()
    }

    /// ARN of the caller, who may do this; `anonymous` where nothing is asked.
    ///
    /// # Errors
    /// The signature is refused, or the caller may not do it: AWS's code and text.
    pub(crate) fn admit(
        &self,
        call: &Call,
        action: &str,
        resource: &str,
        now: i64,
    ) -> Result<String, Refusal> {
        let Some(identities) = &self.identities else { return Ok("anonymous".to_owned()) };
        let headers: Vec<(String, String)> = call
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let request = access::Request {
            method: &call.method,
            path: &call.path,
            query: &call.query,
            headers: &headers,
            body: &call.body,
        };
        let principal = sigv4::verify(&request, "apigateway", now, identities)?;
        let mut context = Context::default();
        for (key, value) in [
            ("aws:username", principal.name.clone()),
            ("aws:PrincipalArn", principal.arn.clone()),
            ("aws:PrincipalType", "User".to_owned()),
            ("aws:SourceIp", call.peer.ip().to_canonical().to_string()),
            ("aws:EpochTime", now.to_string()),
            ("aws:CurrentTime", now.to_string()),
            ("aws:SecureTransport", call.secure.to_string()),
        ] {
            context.set(key, [value]);
        }
        let agent = call.headers.get("user-agent").and_then(|value| value.to_str().ok());
        context.set("aws:UserAgent", agent.map(str::to_owned));
        let denied = match decide(&principal.policies, action, resource, &context) {
            Decision::Allowed => return Ok(principal.arn.clone()),
            Decision::ImplicitDeny => "",
            Decision::ExplicitDeny => " with an explicit deny",
        };
        let message = format!(
            "User: {} is not authorized to perform: {action} on resource: {resource}{denied}",
            principal.arn
        );
        Err(Refusal { code: "AccessDeniedException", message })
    }
}

fn read(settings: &Settings) -> Result<Identities, Trouble> {
    let file = &settings.control_identities;
    let trouble = |why: String| {
        Trouble::new(format!("{}: {why}", file.display()))
            .with_help("control.identities names the file of users; docs/operating.md shows one")
    };
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| trouble(error.to_string()))?;
    #[expect(clippy::disallowed_methods, reason = "bounded by `take`")]
    opened.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|error| trouble(error.to_string()))?;
    let content = openapi::value(&text)
        .map_err(|error| trouble(format!("{}:{}: {}", error.span.line, error.span.column, error.message)))?;
    Identities::read(content, &settings.account_id).map_err(trouble)
}
