//! Records as bytes: the stored form of the model, as JSON, so that a person and a later version can read it.

use std::sync::Arc;

use model::{Key, Record};
use serde::de::DeserializeOwned;

/// The bytes of a record.
pub(crate) fn write(record: &Record) -> Result<Vec<u8>, serde_json::Error> {
    match record {
        Record::AccountSettings(record) => serde_json::to_vec(record),
        Record::RestApi(record) => serde_json::to_vec(record),
        Record::Deployment(record) => serde_json::to_vec(record),
        Record::Stage(record) => serde_json::to_vec(record),
        Record::DocumentationVersion(record) => serde_json::to_vec(record),
        Record::ApiKey(record) => serde_json::to_vec(record),
        Record::UsagePlan(record) => serde_json::to_vec(record),
        Record::UsagePlanKey(record) => serde_json::to_vec(record),
        Record::DomainName(record) => serde_json::to_vec(record),
        Record::VpcLink(record) => serde_json::to_vec(record),
        Record::ClientCertificate(record) => serde_json::to_vec(record),
    }
}

/// The record of a key.
pub(crate) fn read(key: &Key, bytes: &[u8]) -> Result<Record, serde_json::Error> {
    fn of<T: DeserializeOwned>(
        bytes: &[u8],
        wrap: fn(Arc<T>) -> Record,
    ) -> Result<Record, serde_json::Error> {
        serde_json::from_slice(bytes).map(|record| wrap(Arc::new(record)))
    }
    match key {
        Key::AccountSettings => of(bytes, Record::AccountSettings),
        Key::RestApi(_) => of(bytes, Record::RestApi),
        Key::Deployment(..) => of(bytes, Record::Deployment),
        Key::Stage(..) => of(bytes, Record::Stage),
        Key::DocumentationVersion(..) => of(bytes, Record::DocumentationVersion),
        Key::ApiKey(_) => of(bytes, Record::ApiKey),
        Key::UsagePlan(_) => of(bytes, Record::UsagePlan),
        Key::UsagePlanKey(..) => of(bytes, Record::UsagePlanKey),
        Key::DomainName(_) => of(bytes, Record::DomainName),
        Key::VpcLink(_) => of(bytes, Record::VpcLink),
        Key::ClientCertificate(_) => of(bytes, Record::ClientCertificate),
    }
}
