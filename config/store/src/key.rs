//! Keys as text: region, noun and names with a NUL between them, so that all of an API lie together.
//!
//! `us-east-1 NUL restapi NUL abc` is an API, `us-east-1 NUL restapi NUL abc NUL stage NUL prod` a stage of it.
//! A NUL within a name is written as `\u{1}0`, and `\u{1}` as `\u{1}1`.

use model::Key;

const SEPARATOR: char = '\0';
const ESCAPE: char = '\u{1}';

/// A key of a region as text.
pub(crate) fn write(region: &str, key: &Key) -> String {
    let parts: Vec<&str> = match key {
        Key::AccountSettings => vec!["account"],
        Key::RestApi(id) => vec!["restapi", id],
        Key::Deployment(api, id) => vec!["restapi", api, "deployment", id],
        Key::Stage(api, name) => vec!["restapi", api, "stage", name],
        Key::DocumentationVersion(api, version) => vec!["restapi", api, "documentationversion", version],
        Key::ApiKey(id) => vec!["apikey", id],
        Key::UsagePlan(id) => vec!["usageplan", id],
        Key::UsagePlanKey(plan, key) => vec!["usageplan", plan, "key", key],
        Key::DomainName(name) => vec!["domainname", name],
        Key::VpcLink(id) => vec!["vpclink", id],
        Key::ClientCertificate(id) => vec!["clientcertificate", id],
    };
    let mut text = escape(region);
    for part in parts {
        text.push(SEPARATOR);
        text.push_str(&escape(part));
    }
    text
}

/// What all records that live and die with an API begin with.
pub(crate) fn below(region: &str, key: &Key) -> String {
    let mut text = write(region, key);
    text.push(SEPARATOR);
    text
}

/// Region and key of a text.
pub(crate) fn read(text: &str) -> Option<(String, Key)> {
    let parts: Vec<String> = text.split(SEPARATOR).map(unescape).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let own = |text: &str| text.to_owned();
    let key = match parts.get(1..)? {
        ["account"] => Key::AccountSettings,
        ["restapi", id] => Key::RestApi(own(id)),
        ["restapi", api, "deployment", id] => Key::Deployment(own(api), own(id)),
        ["restapi", api, "stage", name] => Key::Stage(own(api), own(name)),
        ["restapi", api, "documentationversion", version] => {
            Key::DocumentationVersion(own(api), own(version))
        }
        ["apikey", id] => Key::ApiKey(own(id)),
        ["usageplan", id] => Key::UsagePlan(own(id)),
        ["usageplan", plan, "key", key] => Key::UsagePlanKey(own(plan), own(key)),
        ["domainname", name] => Key::DomainName(own(name)),
        ["vpclink", id] => Key::VpcLink(own(id)),
        ["clientcertificate", id] => Key::ClientCertificate(own(id)),
        _ => return None,
    };
    Some((parts[0].to_owned(), key))
}

/// A key as people read it.
pub(crate) fn show(text: &str) -> String {
    text.replace(SEPARATOR, "/")
}

fn escape(text: &str) -> String {
    text.replace(ESCAPE, "\u{1}1").replace(SEPARATOR, "\u{1}0")
}

fn unescape(text: &str) -> String {
    text.replace("\u{1}0", "\0").replace("\u{1}1", "\u{1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back() {
        let own = |text: &str| text.to_owned();
        for key in [
            Key::AccountSettings,
            Key::RestApi(own("a")),
            Key::Deployment(own("a"), own("b")),
            Key::Stage(own("a"), own("stage")),
            Key::DocumentationVersion(own("a"), own("v\0\u{1}0\u{1}/1")),
            Key::ApiKey(own("k")),
            Key::UsagePlan(own("p")),
            Key::UsagePlanKey(own("p"), own("k")),
            Key::DomainName(own("*.example.com")),
            Key::VpcLink(own("v")),
            Key::ClientCertificate(own("c")),
        ] {
            let text = write("eu-west-1", &key);
            assert_eq!(read(&text), Some((own("eu-west-1"), key)), "{text:?}");
        }
        assert_eq!(read("eu-west-1\0nonsense"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn what_belongs_to_an_api_begins_like_it() {
        let own = |text: &str| text.to_owned();
        let below = below("r", &Key::RestApi(own("a")));
        assert!(write("r", &Key::Stage(own("a"), own("s"))).starts_with(&below));
        assert!(!write("r", &Key::Stage(own("ab"), own("s"))).starts_with(&below));
        assert!(!write("r", &Key::RestApi(own("a"))).starts_with(&below));
    }
}
