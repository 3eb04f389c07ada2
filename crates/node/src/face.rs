//! Who is reading. What a face may see is decided in queries, from this, and never in a template.

/// One of a node's two faces (who has no session sees the public one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Face {
    /// Anybody: public records only, no cookie, cacheable.
    Public,
    /// A session of this authority: everything the authority may read.
    Inside,
}

impl Face {
    /// May this face see records of restricted logs at all?
    pub fn sees_restricted(self) -> bool {
        self == Self::Inside
    }
}
