//! Request methods, and the method keys that REST resources are configured with.

/// A request method (RFC 9110 §9). REST APIs know seven; any other word is `Other` and matches nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// GET
    #[default]
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
    /// OPTIONS
    Options,
    /// A token that REST APIs have no method for.
    Other,
}

impl Method {
    /// The seven methods that `ANY` stands for (guide page "Set up a method").
    pub const ALL: [Method; 7] = [
        Method::Delete,
        Method::Get,
        Method::Head,
        Method::Options,
        Method::Patch,
        Method::Post,
        Method::Put,
    ];

    /// The method of a request line's token; methods are case-sensitive.
    #[must_use]
    pub fn from_bytes(token: &[u8]) -> Self {
        match token {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            b"PUT" => Method::Put,
            b"PATCH" => Method::Patch,
            b"DELETE" => Method::Delete,
            b"OPTIONS" => Method::Options,
            _ => Method::Other,
        }
    }

    /// The word on the wire; empty for `Other`, whose bytes only the head knows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Other => "",
        }
    }

    /// Whether a repeat has the effect of one (RFC 9110 §9.2.2); unknown methods are not.
    #[must_use]
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Method::Post | Method::Patch | Method::Other)
    }

    /// Place in a table of the seven; `None` for `Other`.
    #[must_use]
    pub fn index(self) -> Option<usize> {
        (self != Method::Other).then_some(self as usize)
    }
}

/// What a method of a resource is configured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MethodKey {
    /// `ANY`: every one of the seven that the resource doesn't name itself.
    Any,
    /// One method.
    One(Method),
}

impl MethodKey {
    /// The key of a word: `ANY` or one of the seven, in upper case.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match Method::from_bytes(word.as_bytes()) {
            _ if word == "ANY" => Some(MethodKey::Any),
            Method::Other => None,
            method => Some(MethodKey::One(method)),
        }
    }

    /// `ANY` or the method's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MethodKey::Any => "ANY",
            MethodKey::One(method) => method.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_methods_agree() {
        for method in Method::ALL {
            assert_eq!(Method::from_bytes(method.as_str().as_bytes()), method);
            assert!(method.index().is_some_and(|index| index < 7));
        }
        assert_eq!(Method::from_bytes(b"get"), Method::Other);
        assert_eq!(Method::Other.index(), None);
    }
}
