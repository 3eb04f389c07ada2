//! `/api`: what programs can ask this node, for the people who write them. The description for programs is
//! `/api/openapi.json`; this page is made from it.

use super::api;
use crate::http::{Viewer, answer};
use crate::i18n::Locale;
use crate::layout::{Cell, Column, Key, Lists, Markup, Page, Problem, Row, Table};
use crate::node::Node;
use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;
use utoipa::openapi::RefOr;

/// The routes of the page and of the description.
pub fn routes() -> Router<Arc<Node>> {
    Router::new().route("/api", get(page)).route("/api/openapi.json", get(api::description))
}

async fn page(viewer: Viewer) -> Response {
    let page = viewer.page(viewer.asked.t.shell_api());
    match api_page(page) {
        Ok(page) => answer::lists(&viewer, &page),
        Err(problem) => answer::bad_request(&viewer.shell, &viewer.asked, problem),
    }
}

#[derive(Template)]
#[template(path = "desks/templates/api.html")]
struct ApiPage {
    page: Page,
    operations: Table,
}

impl Lists for ApiPage {
    fn lists(&self) -> Vec<&Table> {
        vec![&self.operations]
    }
}

/// What an operation answers, by the name under which the description has it.
fn purpose(t: &Locale, id: &str) -> Option<String> {
    t.lookup(&format!("api-operation-{}", id.replace('_', "-")), &[])
}

fn api_page(page: Page) -> Result<ApiPage, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("address", t.api_address()),
        Column::new("answers", t.api_answers()),
        Column::new("parameters", t.api_parameters()),
    ];
    let mut rows = Vec::new();
    for (path, item) in api::openapi().paths.paths {
        let Some(operation) = item.get else { continue };
        let id = operation.operation_id.unwrap_or_default();
        let names: Vec<String> = operation
            .parameters
            .unwrap_or_default()
            .into_iter()
            .filter_map(|one| match one {
                RefOr::T(parameter) => Some(parameter.name),
                RefOr::Ref(_) => None,
            })
            .collect();
        let parameters = Markup::joined(names.iter().map(|name| Markup::element("code", &[], name)), " ");
        rows.push(Row::new(vec![
            Cell::from(Markup::element("code", &[], &path)),
            Cell::text(purpose(t, &id).unwrap_or(id)),
            Cell::from(parameters).keyed(Key::text(names.join(" "))),
        ]));
    }
    let operations = Table::list(&page.asked, "operations", t.api_addresses(), columns, rows)?;
    Ok(ApiPage { page, operations })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use jiff::tz::TimeZone;

    #[test]
    fn every_operation_is_explained_in_every_language() {
        for lang in Lang::ALL {
            let t = Locale::new(lang, TimeZone::UTC);
            for (path, item) in api::openapi().paths.paths {
                let id = item.get.and_then(|operation| operation.operation_id).unwrap();
                assert!(purpose(&t, &id).is_some(), "{path}: api-operation-{id} in {}", lang.code());
            }
        }
    }
}
