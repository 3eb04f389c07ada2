//! A full disk, said so that an operator knows what to do. It frees nothing and tries nothing again.

use std::io;

/// What is said of a full disk.
const FULL: &str = "the disk is full: free space on it, then try again; nothing acknowledged is lost";

/// Did the disk refuse for want of space, quota or a larger file?
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// What the system said, with what to do if there is something to do.
pub(crate) fn says(error: &io::Error) -> String {
    if is_full(error) { format!("{FULL} ({error})") } else { error.to_string() }
}

/// Is a full disk the cause, however deep it lies?
pub(crate) fn is_caused_by_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.filter_map(|error| error.downcast_ref::<io::Error>()).any(is_full)
}

/// What a store of objects said, with what to do if there is something to do.
pub(crate) fn store_says(error: &object_store::Error) -> String {
    if is_caused_by_full(error) { format!("{FULL} ({error})") } else { error.to_string() }
}

/// Did the database refuse for want of space? `SQLITE_FULL` and `SQLITE_IOERR_WRITE`; `PostgreSQL`'s `disk_full`.
pub(crate) fn is_database_full(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["13", "778", "53100"].contains(&code.as_ref()))
}

/// What the database said, with what to do if there is something to do.
pub(crate) fn database_says(error: &sqlx::Error) -> String {
    if is_database_full(error) { format!("{FULL} ({error})") } else { error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_want_of_space_is_a_full_disk() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(is_full(&full) && says(&full).starts_with("the disk is full: free space"));
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(says(&denied), denied.to_string());
    }
}
