//! A folder of a test's own, gone when the test is.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that is removed on drop.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A fresh, empty folder.
    ///
    /// # Panics
    /// The folder can't be made.
    #[must_use]
    pub fn new() -> Self {
        let name = format!("turnpike-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a scratch folder can be made");
        Scratch { path }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file in it, replacing an older one in one step, as editors do.
    ///
    /// # Panics
    /// The file can't be written.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path.join(name);
        let fresh = self.path.join(format!(".{name}.new"));
        std::fs::write(&fresh, text).expect("a scratch file can be written");
        std::fs::rename(&fresh, &path).expect("a scratch file can be replaced");
        path
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left over lies in the system's temporary folder.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
