//! The resources of an API: a tree, kept by path, so that none is without its parents.

use std::collections::BTreeMap;
use std::collections::btree_map::{self, Entry};

use serde::{Deserialize, Serialize};
use vocabulary::MethodKey;

use crate::method::Method;

/// `Resource`; its path is its key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resource {
    /// `id`
    pub id: String,
    /// `resourceMethods`
    #[serde(with = "crate::method_key", skip_serializing_if = "BTreeMap::is_empty")]
    pub methods: BTreeMap<MethodKey, Method>,
}

/// Why a resource can't be where it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceError {
    /// No resource has the parent's id.
    NoParent,
    /// The parent is a greedy variable: its part.
    BelowGreedy(String),
    /// Another child of the parent has the part.
    Taken(String),
    /// Another child of the parent is a variable already: its part.
    VariableSibling(String),
    /// The part is none.
    InvalidPart(String),
    /// The new parent is the resource itself or lies below it.
    Cycle,
    /// The root stays where it is.
    Root,
}

/// Every resource of an API by its path; the root is always there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resources {
    by_path: BTreeMap<String, Resource>,
}

impl Default for Resources {
    fn default() -> Self {
        Resources::new(String::new())
    }
}

impl<'a> IntoIterator for &'a Resources {
    type Item = (&'a String, &'a Resource);
    type IntoIter = btree_map::Iter<'a, String, Resource>;

    fn into_iter(self) -> Self::IntoIter {
        self.by_path.iter()
    }
}

impl Resources {
    /// The root alone.
    #[must_use]
    pub fn new(root_id: String) -> Self {
        let root = Resource { id: root_id, methods: BTreeMap::new() };
        Resources { by_path: BTreeMap::from([("/".to_owned(), root)]) }
    }

    /// How many there are, the root included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.by_path.len()
    }

    /// In the order of their paths: the root first, parents before children.
    pub fn iter(&self) -> btree_map::Iter<'_, String, Resource> {
        self.by_path.iter()
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> btree_map::IterMut<'_, String, Resource> {
        self.by_path.iter_mut()
    }

    /// `rootResourceId`
    #[must_use]
    pub fn root_id(&self) -> &str {
        self.by_path.get("/").map_or("", |root| &root.id)
    }

    /// The resource at a path.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Resource> {
        self.by_path.get(path)
    }

    /// The same, to be changed.
    pub fn at_mut(&mut self, path: &str) -> Option<&mut Resource> {
        self.by_path.get_mut(path)
    }

    /// Path and resource of an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(&str, &Resource)> {
        self.by_path
            .iter()
            .find(|(_, resource)| resource.id == id)
            .map(|(path, found)| (path.as_str(), found))
    }

    /// The same, to be changed.
    pub fn find_mut(&mut self, id: &str) -> Option<(&str, &mut Resource)> {
        let found = self.by_path.iter_mut().find(|(_, resource)| resource.id == id);
        found.map(|(path, resource)| (path.as_str(), resource))
    }

    /// The paths directly below a path.
    pub fn children<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        let below = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let len = below.len();
        self.by_path
            .range(below.clone()..)
            .map(|(key, _)| key.as_str())
            .take_while(move |key| key.starts_with(&below))
            .filter(move |key| key.len() > len && !key[len..].contains('/'))
    }

    /// Adds a child and gives its path.
    ///
    /// # Errors
    /// See [`ResourceError`]; the message texts belong to the control plane.
    pub fn add(&mut self, parent_id: &str, part: &str, id: String) -> Result<String, ResourceError> {
        let parent = self.find(parent_id).ok_or(ResourceError::NoParent)?.0.to_owned();
        self.add_below(&parent, part, id)
    }

    /// The same by the parent's path.
    ///
    /// # Errors
    /// As there.
    pub fn add_below(&mut self, parent: &str, part: &str, id: String) -> Result<String, ResourceError> {
        if !self.by_path.contains_key(parent) {
            return Err(ResourceError::NoParent);
        }
        let path = self.place(parent, part, None)?;
        self.by_path.insert(path.clone(), Resource { id, methods: BTreeMap::new() });
        Ok(path)
    }

    /// The resource at a path, made with all its parents where they are missing; `new_id` names each new one. Parts are
    /// not judged: documents allow more than calls do, and a deployment judges them.
    pub fn grow(&mut self, path: &str, mut new_id: impl FnMut(&str) -> String) -> &mut Resource {
        let ends = path.match_indices('/').skip(1).map(|(at, _)| at);
        for end in ends.filter(|end| *end > 0) {
            self.make(&path[..end], &mut new_id);
        }
        self.make(path, &mut new_id)
    }

    fn make(&mut self, path: &str, new_id: &mut impl FnMut(&str) -> String) -> &mut Resource {
        match self.by_path.entry(path.to_owned()) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(free) => free.insert(Resource { id: new_id(path), methods: BTreeMap::new() }),
        }
    }

    /// Moves a resource and all below it under another parent, with another part or both; gives the new path.
    ///
    /// # Errors
    /// See [`ResourceError`]; nothing has moved then.
    pub fn relocate(
        &mut self,
        id: &str,
        parent_id: Option<&str>,
        part: Option<&str>,
    ) -> Result<String, ResourceError> {
        let (old, _) = self.find(id).ok_or(ResourceError::NoParent)?;
        let (old_parent, old_part) = split(old).ok_or(ResourceError::Root)?;
        let parent = match parent_id {
            Some(id) => self.find(id).ok_or(ResourceError::NoParent)?.0,
            None => old_parent,
        };
        let below = format!("{old}/");
        if parent == old || parent.starts_with(&below) {
            return Err(ResourceError::Cycle);
        }
        let part = part.unwrap_or(old_part);
        let has_children = self.children(old).next().is_some();
        if has_children && is_greedy(part) {
            return Err(ResourceError::BelowGreedy(part.to_owned()));
        }
        let new = self.place(parent, part, Some(old))?;
        let old = old.to_owned();
        let inside = |key: &String| **key == old || key.starts_with(&below);
        let moved: Vec<String> = self.by_path.keys().filter(|key| inside(key)).cloned().collect();
        let taken: Vec<(String, Resource)> =
            moved.iter().filter_map(|key| self.by_path.remove_entry(key)).collect();
        for (key, resource) in taken {
            self.by_path.insert(format!("{new}{}", &key[old.len()..]), resource);
        }
        Ok(new)
    }

    /// Removes a resource and all below it.
    ///
    /// # Errors
    /// [`ResourceError::NoParent`] without such a resource, [`ResourceError::Root`] for the root.
    pub fn remove(&mut self, id: &str) -> Result<(), ResourceError> {
        let (path, _) = self.find(id).ok_or(ResourceError::NoParent)?;
        if path == "/" {
            return Err(ResourceError::Root);
        }
        let (path, below) = (path.to_owned(), format!("{path}/"));
        self.by_path.retain(|key, _| *key != path && !key.starts_with(&below));
        Ok(())
    }

    /// Keeps the resources that a test accepts, and their parents.
    pub fn prune(&mut self, mut keep: impl FnMut(&str, &Resource) -> bool) {
        let kept: Vec<String> = self
            .by_path
            .iter()
            .filter(|(path, found)| keep(path, found))
            .map(|(path, _)| path.clone())
            .collect();
        let needed = |path: &str| {
            let below = format!("{path}/");
            path == "/" || kept.iter().any(|kept| kept == path || kept.starts_with(&below))
        };
        self.by_path.retain(|path, _| needed(path));
    }

    /// Where a part would be below a parent; `moving` is the path of the resource that moves there.
    fn place(&self, parent: &str, part: &str, moving: Option<&str>) -> Result<String, ResourceError> {
        if !is_part(part) {
            return Err(ResourceError::InvalidPart(part.to_owned()));
        }
        if let Some((_, parent_part)) = split(parent)
            && is_greedy(parent_part)
        {
            return Err(ResourceError::BelowGreedy(parent_part.to_owned()));
        }
        let path = if parent == "/" { format!("/{part}") } else { format!("{parent}/{part}") };
        if Some(&*path) != moving && self.by_path.contains_key(&path) {
            return Err(ResourceError::Taken(part.to_owned()));
        }
        if is_variable(part)
            && let Some(sibling) = self.variable_below(parent, moving)
        {
            return Err(ResourceError::VariableSibling(sibling.to_owned()));
        }
        Ok(path)
    }

    /// The part of a variable directly below a path, another than that of `moving`.
    fn variable_below(&self, parent: &str, moving: Option<&str>) -> Option<&str> {
        let first = if parent == "/" { "/{".to_owned() } else { format!("{parent}/{{") };
        let variables = self.by_path.range(first.clone()..).map(|(path, _)| path.as_str());
        variables
            .take_while(|path| path.starts_with(&first))
            .filter(|path| Some(*path) != moving)
            .filter_map(split)
            .find(|(above, _)| *above == parent)
            .map(|(_, part)| part)
    }
}

/// Parent's path and last part; `None` for the root.
#[must_use]
pub fn split(path: &str) -> Option<(&str, &str)> {
    let (parent, part) = path.rsplit_once('/')?;
    (!part.is_empty()).then_some((if parent.is_empty() { "/" } else { parent }, part))
}

/// `a-zA-Z0-9._-:`, or a whole variable.
fn is_part(part: &str) -> bool {
    let inner = match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(variable) => variable.strip_suffix('+').unwrap_or(variable),
        None => part,
    };
    !inner.is_empty() && inner.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"._-:".contains(&octet))
}

fn is_variable(part: &str) -> bool {
    part.starts_with('{')
}

fn is_greedy(part: &str) -> bool {
    part.ends_with("+}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Resources {
        let mut resources = Resources::new("root".to_owned());
        for (parent, part, id) in
            [("root", "pets", "a"), ("a", "{pet}", "b"), ("b", "toys", "c"), ("root", "{proxy+}", "d")]
        {
            resources.add(parent, part, id.to_owned()).expect(part);
        }
        resources
    }

    fn paths(resources: &Resources) -> Vec<&str> {
        resources.iter().map(|(path, _)| path.as_str()).collect()
    }

    #[test]
    fn resources_are_kept_by_path() {
        let resources = sample();
        assert_eq!(paths(&resources), ["/", "/pets", "/pets/{pet}", "/pets/{pet}/toys", "/{proxy+}"]);
        assert_eq!(resources.children("/").collect::<Vec<_>>(), ["/pets", "/{proxy+}"]);
        assert_eq!(resources.children("/pets").collect::<Vec<_>>(), ["/pets/{pet}"]);
        assert_eq!(resources.find("c").map(|found| found.0), Some("/pets/{pet}/toys"));
    }

    #[test]
    fn wrong_places_are_refused() {
        let mut resources = sample();
        let mut add = |parent: &str, part: &str| resources.add(parent, part, "x".to_owned());
        assert_eq!(add("nope", "a"), Err(ResourceError::NoParent));
        assert_eq!(add("root", "pets"), Err(ResourceError::Taken("pets".to_owned())));
        assert_eq!(add("root", "{other}"), Err(ResourceError::VariableSibling("{proxy+}".to_owned())));
        assert_eq!(add("d", "a"), Err(ResourceError::BelowGreedy("{proxy+}".to_owned())));
        for part in ["", "a b", "{", "{}", "{+}", "a{b}", "ä"] {
            assert_eq!(add("root", part), Err(ResourceError::InvalidPart(part.to_owned())));
        }
    }

    #[test]
    fn a_subtree_moves_whole_or_not_at_all() {
        let mut resources = sample();
        assert_eq!(resources.relocate("a", Some("c"), None), Err(ResourceError::Cycle));
        assert_eq!(resources.relocate("root", None, Some("x")), Err(ResourceError::Root));
        assert_eq!(
            resources.relocate("a", None, Some("{x+}")),
            Err(ResourceError::BelowGreedy("{x+}".to_owned()))
        );
        assert_eq!(resources.relocate("b", None, Some("{other}")), Ok("/pets/{other}".to_owned()));
        assert_eq!(resources.relocate("b", Some("root"), Some("x")), Ok("/x".to_owned()));
        assert_eq!(paths(&resources), ["/", "/pets", "/x", "/x/toys", "/{proxy+}"]);
        resources.remove("b").expect("there");
        assert_eq!(paths(&resources), ["/", "/pets", "/{proxy+}"]);
        assert_eq!(resources.remove("root"), Err(ResourceError::Root));
    }

    #[test]
    fn paths_of_documents_bring_their_parents() {
        let mut resources = Resources::new("root".to_owned());
        resources.grow("/a/b/c", |path| format!("id of {path}"));
        assert_eq!(paths(&resources), ["/", "/a", "/a/b", "/a/b/c"]);
        assert_eq!(resources.grow("/", |_| "other".to_owned()).id, "root");
        resources.prune(|path, _| path == "/a/b");
        assert_eq!(paths(&resources), ["/", "/a", "/a/b"]);
    }
}
