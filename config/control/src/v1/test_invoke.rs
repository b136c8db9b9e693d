//! TestInvokeMethod, as far as the call goes; the node runs the method.
//!
//! AWS: API reference, "TestInvokeMethod".

use super::{methods, resources};
use crate::call::{Call, Reply, TestInvoke};
use crate::error::Error;
use crate::operation::Operation;

const ONE: &str = "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}";

/// Operations of this noun.
pub(crate) const OPERATIONS: &[Operation] = &[Operation::new("TestInvokeMethod", "POST", ONE, test_invoke)];

fn test_invoke(call: &mut Call<'_>) -> Result<Reply, Error> {
    let input = call.input()?;
    let single = input.string_map("headers")?.unwrap_or_default();
    let multiple = match input.object("multiValueHeaders")? {
        Some(object) => {
            let names: Vec<String> = object.names().map(str::to_owned).collect();
            let values = names.into_iter().map(|name| Ok((object.strings(&name)?.unwrap_or_default(), name)));
            values.collect::<Result<Vec<_>, Error>>()?
        }
        None => Vec::new(),
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    for (values, name) in multiple {
        headers.extend(values.into_iter().map(|value| (name.clone(), value)));
    }
    // A name in both has the values of the list.
    let is_known = |name: &String| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let single: Vec<_> = single.into_iter().filter(|(name, _)| !is_known(name)).collect();
    headers.extend(single);
    let tree = call.tree()?;
    let (key, resource_id, method) = methods::find(call)?;
    let (path, _) = tree.api.definition.resources.find(resource_id).ok_or_else(resources::unknown)?;
    if method.integration.is_none() {
        return Err(Error::bad_request("No integration defined for method"));
    }
    Ok(Reply::TestInvoke(Box::new(TestInvoke {
        api_id: call.label("restapi_id").to_owned(),
        api: tree.api.clone(),
        resource_path: path.to_owned(),
        method: key,
        path_with_query_string: input.string("pathWithQueryString")?,
        body: input.string("body")?,
        headers,
        stage_variables: input.string_map("stageVariables")?.unwrap_or_default(),
    })))
}
