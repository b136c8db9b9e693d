//! Everything an account has, region by region, and the only way to change it: by whole records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api_key::ApiKey;
use crate::client_certificate::ClientCertificate;
use crate::deployment::Deployment;
use crate::documentation::DocumentationVersion;
use crate::domain_name::DomainName;
use crate::rest_api::RestApi;
use crate::stage::Stage;
use crate::usage_plan::{UsagePlan, UsagePlanKey};
use crate::vpc_link::VpcLink;

/// What GetAccount shows and UpdateAccount changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccountSettings {
    /// `cloudwatchRoleArn`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloudwatch_role_arn: Option<String>,
}

/// The address of a record within a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    /// The account's settings.
    AccountSettings,
    /// A REST API: id.
    RestApi(String),
    /// A deployment: API and id.
    Deployment(String, String),
    /// A stage: API and name.
    Stage(String, String),
    /// A documentation version: API and version.
    DocumentationVersion(String, String),
    /// An API key: id.
    ApiKey(String),
    /// A usage plan: id.
    UsagePlan(String),
    /// A key of a usage plan: plan and API key.
    UsagePlanKey(String, String),
    /// A custom domain name: its name.
    DomainName(String),
    /// A VPC link: id.
    VpcLink(String),
    /// A client certificate: id.
    ClientCertificate(String),
}

/// A record: the unit that is stored, swapped and removed whole.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// The account's settings.
    AccountSettings(Arc<AccountSettings>),
    /// A REST API with its working definition.
    RestApi(Arc<RestApi>),
    /// A deployment.
    Deployment(Arc<Deployment>),
    /// A stage.
    Stage(Arc<Stage>),
    /// A documentation version.
    DocumentationVersion(Arc<DocumentationVersion>),
    /// An API key.
    ApiKey(Arc<ApiKey>),
    /// A usage plan.
    UsagePlan(Arc<UsagePlan>),
    /// A key of a usage plan.
    UsagePlanKey(Arc<UsagePlanKey>),
    /// A custom domain name with its mappings.
    DomainName(Arc<DomainName>),
    /// A VPC link.
    VpcLink(Arc<VpcLink>),
    /// A client certificate.
    ClientCertificate(Arc<ClientCertificate>),
}

/// One record put or removed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Name of the region.
    pub region: String,
    /// Which record.
    pub key: Key,
    /// Its new content; `None` removes it.
    pub record: Option<Record>,
}

/// A REST API with what lives and dies with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RestApiTree {
    /// The API itself.
    pub api: Arc<RestApi>,
    /// Deployments by id.
    pub deployments: BTreeMap<String, Arc<Deployment>>,
    /// Stages by name.
    pub stages: BTreeMap<String, Arc<Stage>>,
    /// Documentation versions by version.
    pub documentation_versions: BTreeMap<String, Arc<DocumentationVersion>>,
}

/// All records of a region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Region {
    /// The account's settings in this region.
    pub settings: Arc<AccountSettings>,
    /// REST APIs by id.
    pub rest_apis: BTreeMap<String, RestApiTree>,
    /// API keys by id.
    pub api_keys: BTreeMap<String, Arc<ApiKey>>,
    /// Ids of API keys by value: two keys can't have one value.
    key_values: BTreeMap<String, String>,
    /// Usage plans by id.
    pub usage_plans: BTreeMap<String, Arc<UsagePlan>>,
    /// Keys of usage plans: plan id, then API key id.
    pub usage_plan_keys: BTreeMap<String, BTreeMap<String, Arc<UsagePlanKey>>>,
    /// Usage plans of an API key: API key id, then plan ids.
    plans_of_keys: BTreeMap<String, BTreeSet<String>>,
    /// Custom domain names by name.
    pub domain_names: BTreeMap<String, Arc<DomainName>>,
    /// VPC links by id.
    pub vpc_links: BTreeMap<String, Arc<VpcLink>>,
    /// Client certificates by id.
    pub client_certificates: BTreeMap<String, Arc<ClientCertificate>>,
}

impl RestApiTree {
    /// Records that live and die with the API.
    pub fn children(&self, api: &str) -> impl Iterator<Item = (Key, Record)> {
        let own = |name: &String| (api.to_owned(), name.clone());
        let deployments = self.deployments.iter().map(move |(id, deployment)| {
            let (api, id) = own(id);
            (Key::Deployment(api, id), Record::Deployment(Arc::clone(deployment)))
        });
        let stages = self.stages.iter().map(move |(name, stage)| {
            let (api, name) = own(name);
            (Key::Stage(api, name), Record::Stage(Arc::clone(stage)))
        });
        let versions = self.documentation_versions.iter().map(move |(name, version)| {
            let (api, name) = own(name);
            (Key::DocumentationVersion(api, name), Record::DocumentationVersion(Arc::clone(version)))
        });
        deployments.chain(stages).chain(versions)
    }
}

impl Region {
    /// The record of a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Record> {
        let tree = |api: &String| self.rest_apis.get(api);
        Some(match key {
            Key::AccountSettings => Record::AccountSettings(Arc::clone(&self.settings)),
            Key::RestApi(id) => Record::RestApi(Arc::clone(&tree(id)?.api)),
            Key::Deployment(api, id) => Record::Deployment(Arc::clone(tree(api)?.deployments.get(id)?)),
            Key::Stage(api, name) => Record::Stage(Arc::clone(tree(api)?.stages.get(name)?)),
            Key::DocumentationVersion(api, version) => {
                Record::DocumentationVersion(Arc::clone(tree(api)?.documentation_versions.get(version)?))
            }
            Key::ApiKey(id) => Record::ApiKey(Arc::clone(self.api_keys.get(id)?)),
            Key::UsagePlan(id) => Record::UsagePlan(Arc::clone(self.usage_plans.get(id)?)),
            Key::UsagePlanKey(plan, key) => {
                Record::UsagePlanKey(Arc::clone(self.usage_plan_keys.get(plan)?.get(key)?))
            }
            Key::DomainName(name) => Record::DomainName(Arc::clone(self.domain_names.get(name)?)),
            Key::VpcLink(id) => Record::VpcLink(Arc::clone(self.vpc_links.get(id)?)),
            Key::ClientCertificate(id) => {
                Record::ClientCertificate(Arc::clone(self.client_certificates.get(id)?))
            }
        })
    }

    /// Id of the API key that has a value.
    #[must_use]
    pub fn api_key_with_value(&self, value: &str) -> Option<&str> {
        self.key_values.get(value).map(String::as_str)
    }

    /// Ids of the usage plans that an API key belongs to.
    pub fn plans_of_key(&self, key_id: &str) -> impl Iterator<Item = &str> {
        self.plans_of_keys.get(key_id).into_iter().flatten().map(String::as_str)
    }

    /// Puts a record in its place, or takes it out with what lives and dies with it.
    fn apply(&mut self, key: Key, record: Option<Record>) {
        match (key, record) {
            (Key::AccountSettings, Some(Record::AccountSettings(settings))) => self.settings = settings,
            (Key::AccountSettings, _) => self.settings = Arc::default(),
            (Key::RestApi(id), Some(Record::RestApi(api))) => self.rest_apis.entry(id).or_default().api = api,
            (Key::RestApi(id), _) => drop(self.rest_apis.remove(&id)),
            (Key::Deployment(api, id), record) => {
                let record = record.and_then(|record| match record {
                    Record::Deployment(deployment) => Some(deployment),
                    _ => None,
                });
                put(&mut self.tree(api).deployments, id, record);
            }
            (Key::Stage(api, name), record) => {
                let record = record.and_then(|record| match record {
                    Record::Stage(stage) => Some(stage),
                    _ => None,
                });
                put(&mut self.tree(api).stages, name, record);
            }
            (Key::DocumentationVersion(api, version), record) => {
                let record = record.and_then(|record| match record {
                    Record::DocumentationVersion(version) => Some(version),
                    _ => None,
                });
                put(&mut self.tree(api).documentation_versions, version, record);
            }
            (Key::ApiKey(id), record) => self.apply_api_key(id, record),
            (Key::UsagePlan(id), Some(Record::UsagePlan(plan))) => {
                self.usage_plans.insert(id, plan);
            }
            (Key::UsagePlan(id), _) => drop(self.usage_plans.remove(&id)),
            (Key::UsagePlanKey(plan, key), record) => self.apply_usage_plan_key(plan, key, record),
            (Key::DomainName(name), Some(Record::DomainName(domain))) => {
                self.domain_names.insert(name, domain);
            }
            (Key::DomainName(name), _) => drop(self.domain_names.remove(&name)),
            (Key::VpcLink(id), Some(Record::VpcLink(link))) => drop(self.vpc_links.insert(id, link)),
            (Key::VpcLink(id), _) => drop(self.vpc_links.remove(&id)),
            (Key::ClientCertificate(id), Some(Record::ClientCertificate(certificate))) => {
                self.client_certificates.insert(id, certificate);
            }
            (Key::ClientCertificate(id), _) => drop(self.client_certificates.remove(&id)),
        }
    }

    fn tree(&mut self, api: String) -> &mut RestApiTree {
        self.rest_apis.entry(api).or_default()
    }

    fn apply_api_key(&mut self, id: String, record: Option<Record>) {
        if let Some(old) = self.api_keys.remove(&id) {
            self.key_values.remove(old.value.reveal());
        }
        if let Some(Record::ApiKey(key)) = record {
            self.key_values.insert(key.value.reveal().to_owned(), id.clone());
            self.api_keys.insert(id, key);
        }
    }

    fn apply_usage_plan_key(&mut self, plan: String, key: String, record: Option<Record>) {
        if let Some(Record::UsagePlanKey(entry)) = record {
            self.plans_of_keys.entry(key.clone()).or_default().insert(plan.clone());
            self.usage_plan_keys.entry(plan).or_default().insert(key, entry);
            return;
        }
        if let Some(plans) = self.plans_of_keys.get_mut(&key) {
            plans.remove(&plan);
            if plans.is_empty() {
                self.plans_of_keys.remove(&key);
            }
        }
        if let Some(keys) = self.usage_plan_keys.get_mut(&plan) {
            keys.remove(&key);
            if keys.is_empty() {
                self.usage_plan_keys.remove(&plan);
            }
        }
    }
}

fn put<T>(map: &mut BTreeMap<String, T>, key: String, value: Option<T>) {
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.remove(&key)),
    }
}

/// Everything, by region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    regions: BTreeMap<String, Region>,
    empty: Region,
}

impl Account {
    /// A region; one that nothing was ever made in is empty.
    #[must_use]
    pub fn region(&self, name: &str) -> &Region {
        self.regions.get(name).unwrap_or(&self.empty)
    }

    /// The regions that something was made in, by name.
    pub fn regions(&self) -> impl Iterator<Item = (&str, &Region)> {
        self.regions.iter().map(|(name, region)| (name.as_str(), region))
    }

    /// What takes changes back: the records as they are before them, in the order in which to put them.
    #[must_use]
    pub fn inverse(&self, changes: &[Change]) -> Vec<Change> {
        let mut back = Vec::new();
        for Change { region, key, .. } in changes.iter().rev() {
            let known = self.region(region);
            let change = |key, record| Change { region: region.clone(), key, record };
            back.push(change(key.clone(), known.get(key)));
            let Key::RestApi(api) = key else { continue };
            let Some(tree) = known.rest_apis.get(api) else { continue };
            // Its removal would take these along.
            back.extend(tree.children(api).map(|(key, record)| change(key, Some(record))));
        }
        back
    }

    /// Makes changes in their order.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>) {
        for Change { region, key, record } in changes {
            self.regions.entry(region).or_default().apply(key, record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn change(key: Key, record: Option<Record>) -> Change {
        Change { region: "eu-west-1".to_owned(), key, record }
    }

    fn text(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn values_and_plans_of_keys_follow_the_records() {
        let mut account = Account::default();
        let key = |value: &str| {
            let key = ApiKey { value: Secret::new(text(value)), ..ApiKey::default() };
            Some(Record::ApiKey(Arc::new(key)))
        };
        account.apply([change(Key::ApiKey(text("k")), key("one"))]);
        account.apply([change(Key::ApiKey(text("k")), key("two"))]);
        let entry = Some(Record::UsagePlanKey(Arc::default()));
        account.apply([change(Key::UsagePlanKey(text("p"), text("k")), entry)]);
        let region = account.region("eu-west-1");
        assert_eq!((region.api_key_with_value("one"), region.api_key_with_value("two")), (None, Some("k")));
        assert_eq!(region.plans_of_key("k").collect::<Vec<_>>(), ["p"]);
        account.apply([
            change(Key::UsagePlanKey(text("p"), text("k")), None),
            change(Key::ApiKey(text("k")), None),
        ]);
        assert_eq!(*account.region("eu-west-1"), Region::default());
        assert_eq!(*account.region("us-east-1"), Region::default());
    }

    #[test]
    fn changes_can_be_taken_back() {
        let mut account = Account::default();
        let named = |name: &str| {
            let api = RestApi { name: text(name), ..RestApi::default() };
            Some(Record::RestApi(Arc::new(api)))
        };
        account.apply([
            change(Key::RestApi(text("a")), named("one")),
            change(Key::Stage(text("a"), text("s")), Some(Record::Stage(Arc::default()))),
        ]);
        let before = account.clone();
        for changes in [
            vec![change(Key::RestApi(text("a")), None)],
            vec![change(Key::RestApi(text("a")), named("two")), change(Key::RestApi(text("b")), named("b"))],
            vec![change(Key::Stage(text("a"), text("s")), None), change(Key::RestApi(text("a")), None)],
        ] {
            let back = account.inverse(&changes);
            account.apply(changes);
            assert_ne!(account, before);
            account.apply(back);
            assert_eq!(account, before);
        }
    }

    #[test]
    fn an_api_takes_its_stages_along() {
        let mut account = Account::default();
        let stage = Some(Record::Stage(Arc::default()));
        account.apply([
            change(Key::RestApi(text("a")), Some(Record::RestApi(Arc::default()))),
            change(Key::Stage(text("a"), text("s")), stage),
        ]);
        assert_eq!(account.region("eu-west-1").rest_apis["a"].stages.len(), 1);
        account.apply([change(Key::RestApi(text("a")), None)]);
        assert!(account.region("eu-west-1").rest_apis.is_empty());
    }
}
