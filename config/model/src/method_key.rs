//! The stored form of methods by key: the method's word.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};
use vocabulary::MethodKey;

use crate::method::Method;

pub(crate) fn serialize<S: Serializer>(
    methods: &BTreeMap<MethodKey, Method>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(methods.iter().map(|(key, method)| (key.as_str(), method)))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<MethodKey, Method>, D::Error> {
    let methods = BTreeMap::<String, Method>::deserialize(deserializer)?;
    let keyed = methods.into_iter().map(|(word, method)| {
        let key = MethodKey::from_word(&word);
        key.map(|key| (key, method)).ok_or_else(|| D::Error::custom(format!("`{word}` is no method")))
    });
    keyed.collect()
}
