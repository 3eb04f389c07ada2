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
    /// An SQL condition on the column `audience` of the table `log` under the alias `alias`.
    ///
    /// `alias` is always a literal of ours.
    pub fn condition(self, alias: &'static str) -> String {
        match self {
            Self::Public => format!("{alias}.audience = 'public'"),
            Self::Inside => "1 = 1".to_owned(),
        }
    }
}
