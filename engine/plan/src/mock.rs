//! A `MOCK` integration.

use std::collections::BTreeMap;

use integration::media_type::Passthrough;
use integration::mock::parse_status_code;
use vocabulary::template::first_directive;

use crate::error::CompileError;
use crate::response::ResponsesPlan;

/// A compiled mock.
#[derive(Clone, Debug)]
pub struct MockPlan {
    /// Its request templates.
    pub templates: Vec<MockTemplate>,
    /// What happens where no template fits.
    pub passthrough: Passthrough,
    /// What its status code becomes.
    pub responses: ResponsesPlan,
}

/// What is left of a mock's literal request template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MockTemplate {
    /// Media type, or `$default`.
    pub media_type: Box<str>,
    /// The status code it names; without one every request is refused (500).
    pub status_code: Option<i64>,
}

impl MockPlan {
    /// Compiles `requestTemplates`.
    ///
    /// # Errors
    /// A template isn't literal.
    pub fn compile(
        request_templates: &BTreeMap<String, String>,
        passthrough: Passthrough,
        responses: ResponsesPlan,
    ) -> Result<Self, CompileError> {
        let compile = |(media_type, text): (&String, &String)| match first_directive(text) {
            Some(at) => Err(CompileError::Template { media_type: media_type.clone(), at }),
            None => {
                let media_type = media_type.as_str().into();
                Ok(MockTemplate { media_type, status_code: parse_status_code(text) })
            }
        };
        let templates = request_templates.iter().map(compile).collect::<Result<_, _>>()?;
        Ok(MockPlan { templates, passthrough, responses })
    }
}
