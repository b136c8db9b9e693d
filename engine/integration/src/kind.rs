//! The integration types that are served.

/// `type` of an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `HTTP_PROXY`: fields and query of the client go on, the backend's answer comes back as it is.
    HttpProxy,
    /// `HTTP`: only what is mapped goes on and comes back.
    Http,
    /// `MOCK`: no backend.
    Mock,
}
