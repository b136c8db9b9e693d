//! ARNs of the control plane: without an account for what has had one since the first version.

use crate::call::Scope;

/// The path in an ARN of this region; `None` for any other.
pub(crate) fn path<'a>(scope: &Scope<'_>, arn: &'a str) -> Option<&'a str> {
    let rest = arn.strip_prefix("arn:aws:apigateway:")?;
    let (region, rest) = rest.split_once(':')?;
    let (_, path) = rest.split_once(':')?;
    (region == scope.region && path.starts_with('/')).then_some(path)
}
