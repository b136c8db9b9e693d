//! Identity policies: read, matched, decided.
//!
//! AWS: "IAM JSON policy elements reference", "Policy evaluation logic".

use std::collections::HashMap;

use serde_json::Value;
use vocabulary::limits::{POLICY_BYTES, POLICY_STATEMENTS};

use crate::condition::{Condition, texts};
use crate::pattern;

/// What is known of a request: condition keys in lower case, each with its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    keys: HashMap<String, Vec<String>>,
}

impl Context {
    /// Sets a key; no values at all is as if it weren't there.
    pub fn set(&mut self, key: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<String> = values.into_iter().collect();
        if !values.is_empty() {
            self.keys.insert(key.to_ascii_lowercase(), values);
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&[String]> {
        self.keys.get(key).map(Vec::as_slice)
    }
}

/// What comes of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement says anything of it.
    ImplicitDeny,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

/// Patterns of an element, or of its opposite.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Patterns {
    negated: bool,
    patterns: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    effect: Effect,
    actions: Patterns,
    resources: Patterns,
    conditions: Vec<Condition>,
}

/// A policy document of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
    /// `${…}` means something since version 2012-10-17.
    variables: bool,
}

impl Policy {
    /// Reads a document: an object, or a text that holds one.
    ///
    /// # Errors
    /// What is wrong with which statement.
    pub fn read(document: &Value) -> Result<Self, String> {
        if let Value::String(text) = document {
            if text.len() > POLICY_BYTES {
                return Err(format!("a policy has at most {POLICY_BYTES} bytes"));
            }
            let parsed: Value =
                serde_json::from_str(text).map_err(|error| format!("the policy is no JSON: {error}"))?;
            return if parsed.is_object() {
                Policy::read(&parsed)
            } else {
                Err("a policy is an object".to_owned())
            };
        }
        let members = document.as_object().ok_or("a policy is an object")?;
        let variables = match members.get("Version").map(Value::as_str) {
            None | Some(Some("2008-10-17")) => false,
            Some(Some("2012-10-17")) => true,
            Some(_) => return Err("`Version` is 2012-10-17 or 2008-10-17".to_owned()),
        };
        if let Some(other) =
            members.keys().find(|name| !["Version", "Id", "Statement"].contains(&name.as_str()))
        {
            return Err(format!("a policy has no `{other}`"));
        }
        let statements = match members.get("Statement") {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => return Err("a policy needs a `Statement`".to_owned()),
        };
        if statements.len() > POLICY_STATEMENTS {
            return Err(format!("a policy has at most {POLICY_STATEMENTS} statements"));
        }
        let read = |(number, statement): (usize, &Value)| {
            Statement::read(statement).map_err(|why| format!("statement {number}: {why}"))
        };
        let statements = statements.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Policy { statements, variables })
    }
}

impl Statement {
    fn read(statement: &Value) -> Result<Self, String> {
        let members = statement.as_object().ok_or("a statement is an object")?;
        const KNOWN: [&str; 7] =
            ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
        if let Some(other) = members.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(format!("`{other}` is no element of an identity's policy"));
        }
        let effect = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err("`Effect` is Allow or Deny".to_owned()),
        };
        let patterns = |name: &str, opposite: &str| {
            let (negated, value) = match (members.get(name), members.get(opposite)) {
                (Some(value), None) => (false, value),
                (None, Some(value)) => (true, value),
                _ => return Err(format!("a statement needs either `{name}` or `{opposite}`")),
            };
            let patterns = texts(value).ok_or_else(|| format!("`{name}` is a text or a list of texts"))?;
            Ok(Patterns { negated, patterns })
        };
        let mut conditions = Vec::new();
        match members.get("Condition") {
            None => {}
            Some(Value::Object(operators)) => {
                for (name, keys) in operators {
                    conditions.extend(Condition::read(name, keys)?);
                }
            }
            Some(_) => return Err("`Condition` is an object".to_owned()),
        }
        Ok(Statement {
            effect,
            actions: patterns("Action", "NotAction")?,
            resources: patterns("Resource", "NotResource")?,
            conditions,
        })
    }

    fn applies(&self, action: &str, resource: &str, context: &Context, variables: bool) -> bool {
        let names = |patterns: &Patterns, fits: &dyn Fn(&String) -> bool| {
            patterns.patterns.iter().any(fits) != patterns.negated
        };
        names(&self.actions, &|pattern| pattern::fits_any_case(pattern, action))
            && names(&self.resources, &|pattern| {
                let expanded = if variables { expand(pattern, context, true) } else { Some(pattern.clone()) };
                expanded.is_some_and(|pattern| pattern::arn_fits(&pattern, resource))
            })
            && self.conditions.iter().all(|condition| condition.holds(context, variables))
    }
}

/// Puts values in the places of `${key}`; `None` if one isn't there. Wildcards in values stand for themselves, which a
/// pattern has to be told.
pub(crate) fn expand(text: &str, context: &Context, is_pattern: bool) -> Option<String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let Some(end) = rest[at..].find('}') else { break };
        expanded.push_str(&rest[..at]);
        let inner = &rest[at + 2..at + end];
        let (key, default) = inner
            .split_once(',')
            .map_or((inner, None), |(key, default)| (key, Some(default.trim().trim_matches('\''))));
        let value = match (key.trim(), context.get(&key.trim().to_ascii_lowercase())) {
            (literal @ ("*" | "?" | "$"), _) => literal,
            (_, Some([one])) => one,
            _ => default?,
        };
        expanded.extend(value.chars().map(|c| match c {
            '*' if is_pattern => pattern::STAR,
            '?' if is_pattern => pattern::QUESTION,
            c => c,
        }));
        rest = &rest[at + end + 1..];
    }
    expanded.push_str(rest);
    Some(expanded)
}

/// Decides over the policies of an identity: a deny wins over any allow, and silence denies.
#[must_use]
pub fn decide<'a>(
    policies: impl IntoIterator<Item = &'a Policy>,
    action: &str,
    resource: &str,
    context: &Context,
) -> Decision {
    let mut decision = Decision::ImplicitDeny;
    for policy in policies {
        for statement in &policy.statements {
            if !statement.applies(action, resource, context, policy.variables) {
                continue;
            }
            match statement.effect {
                Effect::Deny => return Decision::ExplicitDeny,
                Effect::Allow => decision = Decision::Allowed,
            }
        }
    }
    decision
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn decision(policies: &[Value], action: &str, resource: &str) -> Decision {
        let read: Vec<Policy> = policies.iter().map(|policy| Policy::read(policy).expect("policy")).collect();
        let mut context = Context::default();
        context.set("aws:username", ["ann".to_owned()]);
        decide(&read, action, resource, &context)
    }

    #[test]
    fn denies_win_and_silence_denies() {
        let apis = "arn:aws:apigateway:us-east-1::/restapis";
        let allow = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "apigateway:*", "Resource": "arn:aws:apigateway:*::/*"}});
        let deny =
            json!({"Statement": [{"Effect": "Deny", "Action": ["apigateway:DELETE"], "Resource": "*"}]});
        assert_eq!(decision(&[], "apigateway:GET", apis), Decision::ImplicitDeny);
        assert_eq!(decision(std::slice::from_ref(&allow), "apigateway:get", apis), Decision::Allowed);
        assert_eq!(
            decision(&[allow.clone(), deny.clone()], "apigateway:DELETE", apis),
            Decision::ExplicitDeny
        );
        assert_eq!(decision(&[deny, allow], "apigateway:GET", apis), Decision::Allowed);
        let others = json!({"Statement": {"Effect": "Allow", "NotAction": "apigateway:DELETE", "NotResource": "arn:aws:apigateway:*::/apikeys*"}});
        assert_eq!(decision(std::slice::from_ref(&others), "apigateway:GET", apis), Decision::Allowed);
        assert_eq!(
            decision(&[others], "apigateway:GET", "arn:aws:apigateway:us-east-1::/apikeys/k"),
            Decision::ImplicitDeny
        );
    }

    #[test]
    fn variables_mean_something_in_the_newer_version_alone() {
        let policy = |version: &str| {
            json!({"Version": version, "Statement": {"Effect": "Allow", "Action": "*",
            "Resource": "arn:aws:apigateway:*::/tags/${aws:username}"}})
        };
        let resource = "arn:aws:apigateway:us-east-1::/tags/ann";
        assert_eq!(decision(&[policy("2012-10-17")], "a:b", resource), Decision::Allowed);
        assert_eq!(decision(&[policy("2008-10-17")], "a:b", resource), Decision::ImplicitDeny);
        let mut context = Context::default();
        assert_eq!(expand("${aws:none}", &context, false), None);
        assert_eq!(expand("${aws:none, 'x'}${*}$", &context, false).as_deref(), Some("x*$"));
        // Wildcards that a caller brings are no wildcards.
        context.set("aws:username", ["a*?".to_owned()]);
        let pattern = expand("${aws:username}${*}*", &context, true).expect("there");
        assert!(pattern::fits(&pattern, "a*?*") && pattern::fits(&pattern, "a*?*b"));
        assert!(!pattern::fits(&pattern, "abc*") && !pattern::fits(&pattern, "a*?b"));
    }

    #[test]
    fn malformed_policies_say_where() {
        for (policy, expected) in [
            (json!(1), "a policy is an object"),
            (
                json!({"Statement": [{"Effect": "allow", "Action": "*", "Resource": "*"}]}),
                "statement 0: `Effect`",
            ),
            (
                json!({"Statement": [{"Effect": "Allow", "Resource": "*"}]}),
                "statement 0: a statement needs either `Action`",
            ),
            (
                json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}]}),
                "statement 0: `Principal`",
            ),
            (json!({"Version": "2020", "Statement": []}), "`Version`"),
            (json!("{"), "the policy is no JSON"),
        ] {
            let error = Policy::read(&policy).expect_err("refused");
            assert!(error.starts_with(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,200}", pattern in "[a*?${}:,' ]{0,40}") {
            let _ = Policy::read(&Value::String(text.clone()));
            let _ = expand(&pattern, &Context::default(), true);
            let _ = pattern::arn_fits(&pattern, &text);
        }
    }
}
