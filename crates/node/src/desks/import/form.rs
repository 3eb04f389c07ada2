//! The upload form as it arrives: fields within limits, the table straight to its file.
//!
//! The form's secret comes first; nothing is written to disk before it was found right.

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};

use super::uploads::{Arriving, UploadError, Uploads};
use crate::session;

/// The longest text of a field other than the table, in bytes.
const MAX_FIELD: usize = 16 << 10;
/// Fields of one form.
const MAX_FIELDS: usize = 8;
/// The longest file name that is remembered, in characters.
const MAX_FILE_NAME: usize = 120;

/// What was filled in.
#[derive(Debug, Clone, Default)]
pub struct Filled {
    /// `public`, or the id of a mechanism.
    pub audience: String,
    /// The reason of corrections; empty if none.
    pub reason: String,
    /// What the headers mean; empty if nothing.
    pub map: String,
    /// The file's name.
    pub file_name: String,
}

/// Why a form is not taken.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// It does not carry the session's secret as its first field.
    #[error("the form is not of this session")]
    NotOurs,
    /// It is larger than is accepted.
    #[error("the form is too large")]
    TooLarge,
    /// It is no form, or broke off.
    #[error("the form cannot be read")]
    Broken,
    /// The table cannot be kept.
    #[error(transparent)]
    Upload(#[from] UploadError),
}

impl From<MultipartError> for FormError {
    fn from(error: MultipartError) -> Self {
        if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            Self::TooLarge
        } else {
            Self::Broken
        }
    }
}

/// Reads a form; the table is `None` if no file, or an empty one, was chosen.
pub async fn receive(
    mut form: Multipart,
    csrf: &str,
    uploads: &Uploads,
) -> Result<(Filled, Option<Arriving>), FormError> {
    let (mut filled, mut table) = (Filled::default(), None);
    let first = form.next_field().await?.ok_or(FormError::NotOurs)?;
    if first.name() != Some("csrf") || !session::same_secret(&text(first).await?, csrf) {
        return Err(FormError::NotOurs);
    }
    for _ in 1..MAX_FIELDS {
        let Some(field) = form.next_field().await? else { return Ok((filled, table)) };
        match field.name() {
            Some("audience") => filled.audience = text(field).await?,
            Some("reason") => filled.reason = text(field).await?,
            Some("map") => filled.map = text(field).await?,
            Some("table") if table.is_none() => {
                filled.file_name = file_name(field.file_name().unwrap_or_default());
                table = to_file(field, uploads).await?;
            }
            _ => return Err(FormError::Broken),
        }
    }
    Err(FormError::Broken)
}

async fn text(mut field: Field<'_>) -> Result<String, FormError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await? {
        if bytes.len() + chunk.len() > MAX_FIELD {
            return Err(FormError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(bytes).map_err(|_| FormError::Broken)?;
    Ok(text.trim().to_owned())
}

async fn to_file(mut field: Field<'_>, uploads: &Uploads) -> Result<Option<Arriving>, FormError> {
    let mut arriving: Option<Arriving> = None;
    while let Some(chunk) = field.chunk().await? {
        if chunk.is_empty() {
            continue;
        }
        let file = match &mut arriving {
            Some(file) => file,
            None => arriving.insert(uploads.begin()?),
        };
        file.write(&chunk).await.map_err(UploadError::from)?;
    }
    if let Some(file) = &mut arriving {
        file.complete().await.map_err(UploadError::from)?;
    }
    Ok(arriving)
}

/// The last part of a file's name, without what would not print.
fn file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).take(MAX_FILE_NAME).collect();
    if name.is_empty() { "table.csv".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::extract::FromRequest as _;
    use axum::http::Request;
    use std::io::Read as _;

    async fn form(parts: &[(&str, &str)]) -> Multipart {
        let mut body = String::new();
        for (disposition, value) in parts {
            body.push_str(&format!(
                "--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n"
            ));
        }
        body.push_str("--x--\r\n");
        let request = Request::post("/import")
            .header("content-type", "multipart/form-data; boundary=x")
            .body(Body::from(body))
            .unwrap();
        Multipart::from_request(request, &()).await.unwrap()
    }

    #[tokio::test]
    async fn a_form_with_the_sessions_secret_brings_its_table() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path()).unwrap();
        let parts = [
            ("name=\"csrf\"", "secret"),
            ("name=\"audience\"", "public"),
            ("name=\"reason\"", " late reports \n"),
            ("name=\"table\"; filename=\"C:\\data\\chn.csv\"", "#date\n2020-01-22\n"),
        ];
        let (filled, table) = receive(form(&parts).await, "secret", &uploads).await.unwrap();
        assert_eq!((filled.reason.as_str(), filled.file_name.as_str()), ("late reports", "chn.csv"));
        let (table, mut clear) = (table.unwrap(), String::new());
        uploads.open(&table.table).unwrap().read_to_string(&mut clear).unwrap();
        assert_eq!(clear, "#date\n2020-01-22\n");
    }

    #[tokio::test]
    async fn without_the_secret_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path()).unwrap();
        let table = ("name=\"table\"; filename=\"a.csv\"", "#date\n");
        for parts in
            [vec![table, ("name=\"csrf\"", "secret")], vec![("name=\"csrf\"", "other"), table], vec![]]
        {
            let refused = receive(form(&parts).await, "secret", &uploads).await;
            assert!(matches!(refused, Err(FormError::NotOurs)));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_field_has_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let long = "x".repeat(MAX_FIELD + 1);
        let parts = [("name=\"csrf\"", "secret"), ("name=\"reason\"", long.as_str())];
        let refused = receive(form(&parts).await, "secret", &Uploads::new(folder.path()).unwrap()).await;
        assert!(matches!(refused, Err(FormError::TooLarge)));
    }

    #[tokio::test]
    async fn no_file_is_no_table() {
        let folder = tempfile::tempdir().unwrap();
        let parts = [("name=\"csrf\"", "secret"), ("name=\"table\"; filename=\"\"", "")];
        let (_, table) =
            receive(form(&parts).await, "secret", &Uploads::new(folder.path()).unwrap()).await.unwrap();
        assert!(table.is_none());
    }
}
