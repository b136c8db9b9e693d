//! Bodies that say whose they are: every byte follows from the request's id, so that a swapped or shifted byte shows.

/// Who wrote a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// The client, in its request.
    Client,
    /// A backend, in its answer.
    Backend,
}

/// The first `length` bytes of the body that belongs to a request.
pub(crate) fn body(author: Author, id: u64, length: usize) -> Vec<u8> {
    let word = word(author, id);
    let mut bytes = Vec::with_capacity(length + word.len());
    while bytes.len() < length {
        bytes.extend_from_slice(&word);
    }
    bytes.truncate(length);
    bytes
}

/// Whether `bytes` begin the body that belongs to the request.
pub(crate) fn is_prefix(author: Author, id: u64, bytes: &[u8]) -> bool {
    let word = word(author, id);
    bytes.chunks(word.len()).all(|chunk| word.starts_with(chunk))
}

fn word(author: Author, id: u64) -> Vec<u8> {
    let side = match author {
        Author::Client => 'c',
        Author::Backend => 'b',
    };
    format!("<{side}{id}>").into_bytes()
}
