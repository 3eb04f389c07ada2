//! The addresses of this desk: `/import`, the report on an upload, its release and its removal.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::multipart::Multipart;
use axum::extract::{DefaultBodyLimit, Form, FromRequest as _, Path, Request, State as Of};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use formats::figures::{HeaderMap as Headers, Text};
use serde::Deserialize;

use super::form::{self, Filled, FormError};
use super::page;
use super::uploads::{State, Upload, UploadError, UploadId, Uploads};
use crate::command::ImportFigures;
use crate::desks::situation::names::{Names, authorities};
use crate::face::Face;
use crate::http::{MAX_UPLOAD, Viewer, answer, same_site};
use crate::layout::{Desk, Problem, Refusal};
use crate::node::Node;
use crate::operate::{self, Listing, OperateError, command_for};
use crate::session;

/// A release that takes longer is shown as under way.
const PATIENCE: Duration = Duration::from_secs(20);

/// The routes of this desk's pages.
pub fn routes() -> Router<Arc<Node>> {
    Router::new()
        .route("/import", get(form_page).post(upload).layer(DefaultBodyLimit::max(MAX_UPLOAD)))
        .route("/import/release", post(release))
        .route("/import/discard", post(discard))
        .route("/import/{id}", get(report))
        .route("/import/{id}/report.csv", get(report_csv))
}

fn uploads(node: &Node) -> Uploads {
    node.uploads.clone()
}

async fn form_page(Of(node): Of<Arc<Node>>, viewer: Viewer) -> Response {
    if viewer.face == Face::Public {
        return answer::not_found(&viewer);
    }
    shown(&node, &viewer, &Filled::default(), &[]).await
}

/// The form, with what was filled in and what is wrong with it.
async fn shown(node: &Node, viewer: &Viewer, filled: &Filled, faults: &[String]) -> Response {
    let mechanisms = match in_force(node).await {
        Ok(mechanisms) => mechanisms,
        Err(error) => return answer::internal(&error),
    };
    let page = viewer.page(viewer.asked.t.shell_import()).on_desk(Desk::Import);
    let mut response = answer::page(viewer, &page::form_page(page, &mechanisms, filled, faults));
    if !faults.is_empty() && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

/// The mechanisms that can be addressed now.
pub(in crate::desks) async fn in_force(node: &Node) -> Result<Vec<String>, store::DbError> {
    let mechanisms = node.mechanisms().await?;
    Ok(mechanisms
        .iter()
        .filter(|(status, mechanism)| *status == node.config.status && mechanism.in_force().is_some())
        .map(|(_, mechanism)| mechanism.id.as_str().to_owned())
        .collect())
}

async fn upload(Of(node): Of<Arc<Node>>, viewer: Viewer, headers: HeaderMap, request: Request) -> Response {
    if viewer.face == Face::Public {
        return answer::not_found(&viewer);
    }
    if !same_site(&headers) {
        return answer::refused(&viewer.shell, &viewer.asked, Refusal::Forbidden, &[]);
    }
    let uploads = uploads(&node);
    let received = match Multipart::from_request(request, &()).await {
        Ok(multipart) => form::receive(multipart, viewer.csrf(), &uploads).await,
        Err(_) => Err(FormError::Broken),
    };
    let (filled, table) = match received {
        Ok(received) => received,
        Err(error) => return form_refused(&viewer, &error),
    };
    let t = &viewer.asked.t;
    let Some(table) = table else { return shown(&node, &viewer, &filled, &[t.import_fault_file()]).await };
    let faults = match faults(&node, &viewer, &filled).await {
        Ok(faults) => faults,
        Err(error) => return answer::internal(&error),
    };
    if !faults.is_empty() {
        return shown(&node, &viewer, &filled, &faults).await;
    }
    let mut upload = Upload {
        file_name: filled.file_name.clone(),
        reason: given(&filled.reason),
        map: given(&filled.map),
        mechanism: given(&filled.audience).filter(|audience| audience != page::PUBLIC),
        state: State::Checked,
        report: operate::Report::default(),
    };
    upload.report = match operate::dry_run(&node, &command(&upload, &table.table), Listing::Whole).await {
        Ok(report) => report,
        Err(OperateError::Table { why, .. }) => {
            let fault = Problem::of(why.code(), why.args()).text(t);
            return shown(&node, &viewer, &filled, &[fault]).await;
        }
        Err(error) => return answer::internal(&error),
    };
    match uploads.keep(table, &upload).await {
        Ok(id) => to_report(&viewer, &id),
        Err(error) => answer::internal(&error),
    }
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn form_refused(viewer: &Viewer, error: &FormError) -> Response {
    let refusal = match error {
        FormError::NotOurs => Refusal::Forbidden,
        FormError::TooLarge => Refusal::TooLarge,
        FormError::Broken => Refusal::BadRequest,
        FormError::Upload(UploadError::TooMany) => Refusal::TooMany,
        FormError::Upload(error) => return answer::internal(error),
    };
    answer::refused(&viewer.shell, &viewer.asked, refusal, &[])
}

/// What is wrong with the fields beside the table.
async fn faults(node: &Node, viewer: &Viewer, filled: &Filled) -> Result<Vec<String>, store::DbError> {
    let t = &viewer.asked.t;
    let mut faults = Vec::new();
    if filled.audience != page::PUBLIC && !in_force(node).await?.contains(&filled.audience) {
        faults.push(t.import_fault_audience());
    }
    if !filled.reason.is_empty() && Text::new(&filled.reason).is_err() {
        faults.push(Problem::new("text-invalid").text(t));
    }
    if let Err(why) = Headers::read(&filled.map) {
        faults.push(Problem::of(why.code(), why.args()).text(t));
    }
    Ok(faults)
}

fn command(upload: &Upload, table: &std::path::Path) -> ImportFigures {
    let mut command = command_for(table, upload.reason.clone());
    command.map.clone_from(&upload.map);
    command.mechanism.clone_from(&upload.mechanism);
    command
}

/// After a form, the browser is sent to a page that can be loaded again without sending the form again.
fn to_report(viewer: &Viewer, id: &UploadId) -> Response {
    Redirect::to(&viewer.asked.href(&format!("/import/{}", id.as_str()))).into_response()
}

/// An upload of the inside face; everything else is not there.
async fn found(node: &Node, viewer: &Viewer, id: &str) -> Result<(UploadId, Upload), Response> {
    let id = UploadId::parse(id).filter(|_| viewer.face == Face::Inside);
    let Some(id) = id else { return Err(answer::not_found(viewer)) };
    match uploads(node).read(&id).await {
        Ok(Some(upload)) => Ok((id, upload)),
        Ok(None) => Err(answer::not_found(viewer)),
        Err(error) => Err(answer::internal(&error)),
    }
}

async fn report(Of(node): Of<Arc<Node>>, Path(id): Path<String>, viewer: Viewer) -> Response {
    let (id, upload) = match found(&node, &viewer, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let wanted = match page::wanted(&viewer.asked) {
        Ok(wanted) => wanted,
        Err(problem) => return answer::bad_request(&viewer.shell, &viewer.asked, problem),
    };
    let known = match authorities(node.index.db()).await {
        Ok(known) => known,
        Err(error) => return answer::internal(&error),
    };
    let t = &viewer.asked.t;
    let names = Names { t, places: &node.places, authorities: &known };
    let page = viewer
        .page(t.import_report(&upload.file_name))
        .on_desk(Desk::Import)
        .below("/import", t.shell_import());
    match page::report_page(page, &names, &id, &upload, &wanted) {
        Ok(page) => answer::lists(&viewer, &page),
        Err(problem) => answer::bad_request(&viewer.shell, &viewer.asked, problem),
    }
}

async fn report_csv(Of(node): Of<Arc<Node>>, Path(id): Path<String>, viewer: Viewer) -> Response {
    let (_, upload) = match found(&node, &viewer, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let wanted = match page::wanted(&viewer.asked) {
        Ok(wanted) => wanted,
        Err(problem) => return answer::bad_request(&viewer.shell, &viewer.asked, problem),
    };
    let known = std::collections::BTreeMap::new();
    let names = Names { t: &viewer.asked.t, places: &node.places, authorities: &known };
    answer::file(&viewer, "text/csv; charset=utf-8", "report.csv", page::csv(&names, &upload, &wanted))
}

#[derive(Deserialize)]
struct Act {
    csrf: String,
    upload: String,
}

/// The upload that a form is about, if the form is this session's.
async fn asked_for(
    node: &Node,
    viewer: &Viewer,
    headers: &HeaderMap,
    act: &Act,
) -> Result<(UploadId, Upload), Response> {
    if viewer.face == Face::Public {
        return Err(answer::not_found(viewer));
    }
    if !same_site(headers) || !session::same_secret(&act.csrf, viewer.csrf()) {
        return Err(answer::refused(&viewer.shell, &viewer.asked, Refusal::Forbidden, &[]));
    }
    found(node, viewer, &act.upload).await
}

async fn release(
    Of(node): Of<Arc<Node>>,
    viewer: Viewer,
    headers: HeaderMap,
    Form(act): Form<Act>,
) -> Response {
    let (id, upload) = match asked_for(&node, &viewer, &headers, &act).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    match uploads(&node).claim(&id).await {
        // A task of its own: a browser that goes away does not stop a release halfway.
        Ok(Some(table)) => {
            let work = tokio::spawn(released(node.clone(), id.clone(), upload, table));
            match tokio::time::timeout(PATIENCE, work).await {
                Ok(Ok(Err(error))) => return answer::internal(&error),
                Ok(Err(error)) => return answer::internal(&error),
                Ok(Ok(Ok(()))) | Err(_) => {}
            }
        }
        // Released already, or just now: the page says which.
        Ok(None) => {}
        Err(error) => return answer::internal(&error),
    }
    to_report(&viewer, &id)
}

/// Releases a claimed table and remembers how it went.
async fn released(
    node: Arc<Node>,
    id: UploadId,
    mut upload: Upload,
    table: std::path::PathBuf,
) -> Result<(), UploadError> {
    let uploads = uploads(&node);
    upload.state = State::Releasing;
    uploads.write(&id, &upload).await?;
    match operate::release_figures(&node, &command(&upload, &table)).await {
        Ok(report) if report.accepted => {
            upload.state = State::Released;
            upload.report.released = report.released;
            uploads.remove_table(&id).await?;
        }
        // Something was released since the check that makes rows of this table corrections.
        Ok(report) => {
            upload.state = State::Checked;
            upload.report = report;
            uploads.give_back(&id).await?;
        }
        Err(error) => {
            tracing::error!(%error, "an uploaded table could not be released to its end");
            upload.state = State::Failed(error.into());
            uploads.give_back(&id).await?;
        }
    }
    uploads.write(&id, &upload).await
}

async fn discard(
    Of(node): Of<Arc<Node>>,
    viewer: Viewer,
    headers: HeaderMap,
    Form(act): Form<Act>,
) -> Response {
    let (id, _) = match asked_for(&node, &viewer, &headers, &act).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    match uploads(&node).discard(&id).await {
        Ok(()) => Redirect::to(&viewer.asked.href("/import")).into_response(),
        Err(error) => answer::internal(&error),
    }
}
