//! Tags as they come with a create call.
//!
//! AWS: "Tag restrictions" of the guide: 50 tags, keys to 128 characters, values to 256, `aws:` reserved.

use std::collections::BTreeMap;

use vocabulary::limits::{TAG_KEY_CHARS, TAG_VALUE_CHARS, TAGS};

use crate::error::Error;
use crate::input::Input;

/// The member `tags`, judged.
pub(crate) fn read(input: &Input) -> Result<BTreeMap<String, String>, Error> {
    let tags = input.string_map("tags")?.unwrap_or_default();
    check(&tags)?;
    Ok(tags)
}

/// Judges a resource's tags as they would be.
pub(crate) fn check(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "+-=._:/@".contains(c);
    for (key, value) in tags {
        let length = key.chars().count();
        if length == 0 || length > TAG_KEY_CHARS || value.chars().count() > TAG_VALUE_CHARS {
            return Err(Error::bad_request(format!(
                "Invalid tag `{key}`: a key has 1 to {TAG_KEY_CHARS} characters, a value up to {TAG_VALUE_CHARS}"
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Error::bad_request(format!(
                "Invalid tag `{key}`: keys that begin with aws: are reserved"
            )));
        }
        if !key.chars().all(allowed) || !value.chars().all(allowed) {
            return Err(Error::bad_request(format!(
                "Invalid tag `{key}`: letters, digits, spaces and + - = . _ : / @ are allowed"
            )));
        }
    }
    if tags.len() > TAGS {
        return Err(Error::limit_exceeded(format!("a resource has at most {TAGS} tags")));
    }
    Ok(())
}
